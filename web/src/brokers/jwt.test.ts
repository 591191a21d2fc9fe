import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import NodeSocket from 'ws';
import { authOf, connectOf, property } from '../../e2e/support/fields';
import * as scripted from '../../e2e/support/scripted';
import { type Client, connect } from '../client';
import { jwt } from './jwt';

const minutes = 60_000;
const jwtUntil = (expiresAt: number, name = '') =>
  `e30.${Buffer.from(JSON.stringify({ exp: expiresAt / 1000, name })).toString('base64url')}.sig`;

/** A client with just what renewal uses. */
function fakeClient() {
  const listeners = new Map<string, () => void>();
  const client = {
    connected: true,
    reauthenticate: vi.fn(async () => {}),
    on: (event: string, listener: () => void) => listeners.set(event, listener) && client,
    off: (event: string) => {
      listeners.delete(event);
      return client;
    },
  };
  return { client, as: client as unknown as Client, listeners };
}

afterEach(() => void vi.useRealTimers());

describe('renewal', () => {
  beforeEach(() => void vi.useFakeTimers({ now: 1_700_000_000_000 }));

  /** A client that has just authenticated with a token valid for `lives` milliseconds. */
  async function started(lives: number) {
    let at = Date.now() + lives;
    const token = vi.fn(() => jwtUntil(at));
    const { options, renew } = jwt({}, { token });
    const fake = fakeClient();
    const authenticate = () => options.authenticate?.({ phase: 'start', method: '' });
    fake.client.reauthenticate.mockImplementation(async () => {
      at = Date.now() + lives;
      await authenticate();
    });
    await authenticate();
    return { ...fake, renew, authenticate };
  }

  test('five minutes before the token expires, and again', async () => {
    const { client, as, renew } = await started(60 * minutes);
    renew(as);
    await vi.advanceTimersByTimeAsync(55 * minutes - 1);
    expect(client.reauthenticate).not.toHaveBeenCalled();
    await vi.advanceTimersByTimeAsync(1);
    expect(client.reauthenticate).toHaveBeenCalledTimes(1);
    await vi.advanceTimersByTimeAsync(55 * minutes);
    expect(client.reauthenticate).toHaveBeenCalledTimes(2);
  });

  test('earlier for a short-lived token, but at most every 30 s', async () => {
    const { client, as, renew } = await started(10 * minutes);
    renew(as);
    await vi.advanceTimersByTimeAsync(8 * minutes);
    expect(client.reauthenticate).toHaveBeenCalledTimes(1);

    const gone = await started(-5 * minutes); // expired, or the clock is wrong
    gone.renew(gone.as);
    await vi.advanceTimersByTimeAsync(2 * minutes);
    expect(gone.client.reauthenticate).toHaveBeenCalledTimes(4);
  });

  test('a failure is reported and retried, but not without a connection', async () => {
    const { client, as, renew, listeners } = await started(60 * minutes);
    const error = new Error('no token');
    const failed = vi.fn();
    client.reauthenticate.mockRejectedValueOnce(error);
    renew(as, failed);
    await vi.advanceTimersByTimeAsync(55 * minutes);
    expect(failed.mock.calls).toEqual([[error]]);
    await vi.advanceTimersByTimeAsync(5 * minutes);
    expect(client.reauthenticate).toHaveBeenCalledTimes(2);

    client.connected = false;
    await vi.advanceTimersByTimeAsync(120 * minutes);
    expect(client.reauthenticate).toHaveBeenCalledTimes(2);
    client.connected = true;
    listeners.get('connect')?.();
    await vi.advanceTimersByTimeAsync(1 * minutes);
    expect(client.reauthenticate).toHaveBeenCalledTimes(3);
  });

  test('stops with the client, or on request', async () => {
    for (const how of ['end', 'asked']) {
      const { client, as, renew, listeners } = await started(60 * minutes);
      const stop = renew(as);
      if (how === 'asked') stop();
      else listeners.get('end')?.();
      expect(listeners.size).toBe(0);
      expect(vi.getTimerCount()).toBe(0);
      await vi.advanceTimersByTimeAsync(120 * minutes);
      expect(client.reauthenticate).not.toHaveBeenCalled();
    }
  });

  test('a token valid for years does not overflow the timer', async () => {
    const { client, as, renew } = await started(10 * 365 * 24 * 60 * minutes);
    renew(as);
    await vi.advanceTimersByTimeAsync(60 * 24 * 60 * minutes);
    expect(client.reauthenticate).not.toHaveBeenCalled();
  });

  test('an opaque token is renewed by the expiry that came with it, or not at all', async () => {
    for (const [expiresAt, times] of [[Date.now() + 60 * minutes, 1] as const, [undefined, 0] as const]) {
      const { options, renew } = jwt(
        {},
        { token: { token: 'opaque', ...(expiresAt !== undefined && { expiresAt }) } },
      );
      await options.authenticate?.({ phase: 'start', method: '' });
      const { client, as } = fakeClient();
      const stop = renew(as);
      await vi.advanceTimersByTimeAsync(56 * minutes);
      expect(client.reauthenticate).toHaveBeenCalledTimes(times);
      stop();
    }
  });
});

test('with the program itself: the token in CONNECT, the next in AUTH 0x19, and a new one for each attempt', async () => {
  const connects: (string | undefined)[][] = [];
  const auths: unknown[][] = [];
  const broker = await scripted.startScripted(async (connection) => {
    const { properties } = connectOf(await connection.expect(scripted.type.connect));
    connects.push(
      [property.authenticationMethod, property.authenticationData].map((id) =>
        properties.get(id)?.toString(),
      ),
    );
    connection.send(scripted.connack(0, scripted.authentication('OAUTH2-JWT', '')));
    const { reason, data } = authOf(await connection.expect(scripted.type.auth));
    auths.push([reason, data?.toString()]);
    connection.send(scripted.auth(0, scripted.authentication('OAUTH2-JWT', '')));
    await connection.next(); // PUBLISH or DISCONNECT
    connection.close();
  });
  let n = 0;
  const { options } = jwt(
    {
      url: broker.url,
      worker: false,
      WebSocket: NodeSocket,
      reconnectPeriod: 1,
      properties: { receiveMaximum: 7 },
    },
    { token: async () => `t${++n}` },
  );
  expect(options.properties?.receiveMaximum).toBe(7);
  const client = await connect(options);
  await client.reauthenticate();
  const again = new Promise<void>((resolve) => {
    client.once('close', () => void client.once('connect', () => resolve()));
  });
  await client.publish('let/me/go', '');
  await again;
  await client.reauthenticate();
  await client.end();
  await broker.stop();
  expect(connects).toEqual([
    ['OAUTH2-JWT', 't1'],
    ['OAUTH2-JWT', 't3'],
  ]);
  expect(auths).toEqual([
    [0x19, 't2'],
    [0x19, 't4'],
  ]);
});

test('with the program itself: the broker gets the next token before the current one expires', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'Date'] });
  let hear: (auth: unknown[]) => void = () => {};
  const heard = new Promise<unknown[]>((resolve) => {
    hear = resolve;
  });
  const broker = await scripted.startScripted(async (connection) => {
    await connection.expect(scripted.type.connect);
    connection.send(scripted.connack(0, scripted.authentication('OAUTH2-JWT', '')));
    const { reason, data } = authOf(await connection.expect(scripted.type.auth));
    connection.send(scripted.auth(0, scripted.authentication('OAUTH2-JWT', '')));
    hear([reason, data?.toString()]);
    await connection.next();
  });
  let n = 0;
  const token = async () => ({ token: `t${++n}`, expiresAt: Date.now() + 60 * minutes });
  const { options, renew } = jwt({ url: broker.url, worker: false, WebSocket: NodeSocket }, { token });
  const client = await connect(options);
  renew(client);
  await vi.advanceTimersByTimeAsync(55 * minutes);
  expect(await heard).toEqual([0x19, 't2']);
  vi.useRealTimers();
  await client.end();
  await broker.stop();
});

test.each([
  ['token', { token: '' }],
  ['method', { token: 't', method: '' }],
] as const)('an empty %s is refused', (field, how) => {
  expect(() => jwt({}, how)).toThrow(expect.objectContaining({ code: 'bad-option', field }));
});

test('a function that returns no token fails the attempt, with a message', async () => {
  const { options } = jwt({}, { token: async () => '' });
  await expect(options.authenticate?.({ phase: 'start', method: '' })).rejects.toMatchObject({
    code: 'bad-option',
    field: 'token',
  });
});
