import { describe, expect, test, vi } from 'vitest';
import type { Boundary } from '../protocol/boundary';
import { connectSettings } from './checks/options';
import { MqttError } from './errors';
import { connack, connected, engine, openClient, settled } from './testing-client';
import type { Client } from './types';

describe('connecting', () => {
  test('resolves when connected; the event and early messages wait for listeners', async () => {
    const { boundary, receive } = engine();
    const client = await openClient(boundary, connectSettings('ws://broker.test/mqtt'));
    receive({ topic: 'early' });
    const seen: unknown[] = [];
    client.on('connect', (info) => seen.push(info));
    client.on('message', (topic) => seen.push(topic));
    expect(client).toMatchObject({
      state: 'connected',
      connected: true,
      reconnecting: false,
      clientId: 'assigned',
      url: 'ws://broker.test/mqtt',
      connack,
    });
    await Promise.resolve();
    expect(seen).toEqual([]);
    await vi.waitFor(() => expect(seen).toEqual([connack, 'early']));
  });

  test('rejects when the first attempt fails', async () => {
    const refused = new MqttError('refused', 'no', { reasonCode: 135 });
    const boundary: Boundary = { connect: () => Promise.reject(refused) };
    await expect(openClient(boundary, connectSettings('ws://broker.test/'))).rejects.toBe(refused);
  });
});

test('events arrive in order, and the state follows them', async () => {
  const { client, sink } = await connected();
  const seen: unknown[] = [];
  const note = (...what: unknown[]): void => void seen.push([...what, client.state]);
  client.on('disconnect', ({ reasonCode }) => note('disconnect', reasonCode));
  client.on('close', (error) => note('close', error?.code));
  client.on('reconnect', ({ attempt, delay }) => note('reconnect', attempt, delay));
  client.on('error', (error) => note('error', error instanceof MqttError));
  client.on('connect', () => note('connect'));
  client.on('end', (error) => note('end', error?.message));
  const { onEvent } = sink();
  onEvent({ type: 'disconnect', packet: { reasonCode: 0x8b } });
  onEvent({ type: 'close', error: { code: 'network', message: 'broken' } });
  onEvent({ type: 'reconnect', attempt: 1, delay: 1000 });
  onEvent({ type: 'error', error: { code: 'network', message: 'unreachable' } });
  onEvent({ type: 'connect', connack });
  onEvent({ type: 'close' });
  onEvent({ type: 'end', error: { code: 'network', message: 'given up' } });
  onEvent({ type: 'connect', connack });
  expect(seen).toEqual([
    ['disconnect', 0x8b, 'connected'],
    ['close', 'network', 'reconnecting'],
    ['reconnect', 1, 1000, 'reconnecting'],
    ['error', true, 'reconnecting'],
    ['connect', 'connected'],
    ['close', undefined, 'reconnecting'],
    ['end', 'given up', 'disconnected'],
  ]);
});

test('without reconnecting, a lost connection leaves the client disconnected', async () => {
  const { client, sink } = await connected({}, { reconnectPeriod: 0 });
  sink().onEvent({ type: 'close' });
  expect(client.state).toBe('disconnected');
});

function transferred(): Uint8Array {
  const bytes = new Uint8Array([1]);
  structuredClone(bytes, { transfer: [bytes.buffer] });
  return bytes;
}

describe('publish', () => {
  test('passes text unchanged and bytes as a copy', async () => {
    const { client, sent } = await connected();
    const whole = new Uint8Array([0, 1, 2, 3]);
    const view = whole.subarray(1, 3);
    await client.publish('t', '😀\uD800', { qos: 1, retain: true, properties: { contentType: 'x' } });
    await client.publish('t', view);
    await client.publish('t', new DataView(whole.buffer, 2));
    await client.publishAsync('t', whole.buffer);
    const [text, ...payloads] = sent('publish').map(([, payload]) => payload as Uint8Array);
    expect(text).toBe('😀\uD800');
    expect(payloads).toEqual([new Uint8Array([1, 2]), new Uint8Array([2, 3]), whole]);
    for (const payload of payloads) expect(payload.buffer).not.toBe(whole.buffer);
    expect(sent('publish')[0]?.[2]).toEqual({
      qos: 1,
      retain: true,
      properties: { contentType: 'x' },
      timeout: 30_000,
    });
  });

  test.each<[string, unknown[]]>([
    ['topic', ['a/#', 'x']],
    ['topic', ['', 'x']],
    ['payload', ['a', 7]],
    ['payload', ['a', { toString: () => 'x' }]],
    ['payload', ['a', undefined]],
    ['payload', ['a', transferred()]],
    ['payload', ['a', transferred().buffer]],
    ['qos', ['a', 'x', { qos: 3 }]],
    ['options', ['a', 'x', 7]],
  ])('names the invalid %s, and sends nothing', async (field, args) => {
    const { client, calls } = await connected();
    const publish = client.publish as (...args: unknown[]) => Promise<unknown>;
    await expect(publish(...args)).rejects.toMatchObject({ name: 'MqttError', code: 'bad-option', field });
    expect(calls).toEqual([]);
  });
});

describe('functions among the options', () => {
  const down = new Error('the token server is down');
  const credentials = (): never => {
    throw down;
  };
  const info = { url: 'ws://broker.test/mqtt', attempt: 0 };

  test('that throw are the cause of a failed connect', async () => {
    const boundary: Boundary = {
      connect: async ({ onAttempt }) => {
        await onAttempt?.(info).catch(({ code, message, field }: MqttError) => {
          throw new MqttError(code, message, { field });
        });
        throw new Error('not expected');
      },
    };
    const settings = connectSettings('ws://broker.test/', { credentials });
    await expect(openClient(boundary, settings)).rejects.toMatchObject({ code: 'aborted', cause: down });
  });

  test('that throw are the cause of an error event', async () => {
    const { client, sink } = await connected({}, { credentials });
    const causes: unknown[] = [];
    client.on('error', ({ cause }) => causes.push(cause));
    const error = { code: 'aborted', message: 'credentials: the token server is down', field: 'credentials' };
    sink().onEvent({ type: 'error', error });
    await expect(sink().onAttempt?.(info)).rejects.toMatchObject({ cause: down });
    sink().onEvent({ type: 'error', error });
    expect(causes).toEqual([undefined, down]);
  });

  test('are not the cause of later failures', async () => {
    let reachable = false;
    const tokenServer = new MqttError('network', 'the token server is down');
    const { client, sink } = await connected(
      {},
      {
        credentials: () => {
          if (!reachable) throw tokenServer;
          return { username: 'me' };
        },
      },
    );
    const errors: unknown[] = [];
    client.on('close', (error) => errors.push(error?.message));
    const lost = { type: 'close', error: { code: 'network', message: 'the connection broke' } } as const;
    await expect(sink().onAttempt?.(info)).rejects.toBe(tokenServer);
    sink().onEvent(lost);
    reachable = true;
    await sink().onAttempt?.(info);
    sink().onEvent(lost);
    expect(errors).toEqual(['the connection broke', 'the connection broke']);
  });

  test('that throw are the cause of a failed reauthenticate', async () => {
    const thrown = new Error('no');
    const authenticate = (): never => {
      throw thrown;
    };
    const step = { phase: 'start', method: 'm' } as const;
    const all = await connected(
      {
        reauthenticate: async () => {
          await all.sink().onAuthenticate?.(step);
        },
      },
      { authenticate, properties: { authenticationMethod: 'm' } },
    );
    await expect(all.client.reauthenticate()).rejects.toMatchObject({ field: 'authenticate', cause: thrown });
  });
});

test('reconnect and reauthenticate are passed to the engine while the client lives', async () => {
  const { client, calls } = await connected();
  await client.reconnect({ timeout: 5 });
  await client.reauthenticate();
  expect(calls).toEqual([
    ['wake', { timeout: 5 }],
    ['reauthenticate', { timeout: 30_000 }],
  ]);
  await client.end();
  for (const call of [client.reconnect(), client.reauthenticate(), client.request('a', 'x')]) {
    await expect(call).rejects.toMatchObject({ code: 'not-connected' });
  }
});

test('ping resolves with milliseconds, setPacketEvents turns events on, while the client lives', async () => {
  const { client, calls } = await connected();
  expect(await client.ping({ timeout: 5 })).toBe(12.5);
  await client.setPacketEvents(true);
  expect(calls).toEqual([
    ['ping', { timeout: 5 }],
    ['tellPackets', { on: true, timeout: 30_000 }],
  ]);
  await expect(client.setPacketEvents(1 as never)).rejects.toMatchObject({ code: 'bad-option', field: 'on' });
  await client.end();
  for (const call of [client.ping(), client.setPacketEvents(false)]) {
    await expect(call).rejects.toMatchObject({ code: 'not-connected' });
  }
});

describe('the page', () => {
  const page = () => ({
    window: new EventTarget(),
    document: Object.assign(new EventTarget(), { visibilityState: 'visible' as const }),
  });
  const persisted = () => Object.assign(new Event('pageshow'), { persisted: true });
  const names = (calls: unknown[][]) => calls.map(([name]) => name);

  test('going offline emits an event and checks the connection', async () => {
    const where = page();
    const { client, calls } = await connected({}, {}, where);
    const seen: string[] = [];
    client.on('offline', () => seen.push(client.state));
    where.window.dispatchEvent(new Event('offline'));
    expect(seen).toEqual(['connected']);
    expect(names(calls)).toEqual(['wake']);
  });

  test('a connection closed for the back-forward cache stays disconnected until the page is restored', async () => {
    const where = page();
    const { client, calls, sink } = await connected({}, {}, where);
    const states: string[] = [];
    const look = (): void => void states.push(client.state);
    client.on('close', look);
    where.window.dispatchEvent(new Event('pagehide'));
    look();
    sink().onEvent({ type: 'close' });
    where.window.dispatchEvent(persisted());
    look();
    sink().onEvent({ type: 'connect', connack });
    look();
    expect(states).toEqual(['connected', 'disconnected', 'reconnecting', 'connected']);
    expect(names(calls)).toEqual(['suspend', 'resume']);
  });

  test('an attempt aborted for the back-forward cache no longer counts', async () => {
    const where = page();
    const { client, sink } = await connected({}, {}, where);
    sink().onEvent({ type: 'close' });
    where.window.dispatchEvent(new Event('pagehide'));
    expect(client.state).toBe('disconnected');
    sink().onEvent({ type: 'reconnect', attempt: 1, delay: 1 });
    expect(client.state).toBe('disconnected');
    where.window.dispatchEvent(persisted());
    expect(client.state).toBe('reconnecting');
  });

  test('a call that fails while frozen is reported by events only', async () => {
    const where = page();
    const { calls } = await connected({ wake: () => Promise.reject(new Error('no')) }, {}, where);
    where.window.dispatchEvent(new Event('online'));
    await settled();
    expect(names(calls)).toEqual(['wake']);
  });

  test('a shared connection is checked too, and stays open without the page', async () => {
    const where = page();
    const { calls } = await connected({}, { shared: true }, where, true);
    where.window.dispatchEvent(new Event('online'));
    where.document.dispatchEvent(new Event('visibilitychange'));
    expect(names(calls)).toEqual(['wake', 'wake']);
    where.window.dispatchEvent(new Event('pagehide'));
    expect(names(calls)).toEqual(['wake', 'wake']);
    where.window.dispatchEvent(persisted());
    expect(names(calls)).toEqual(['wake', 'wake', 'wake']);
  });

  test('without other tabs a shared connection is closed for the back-forward cache', async () => {
    const where = page();
    const { client, calls } = await connected({}, { shared: true }, where);
    where.window.dispatchEvent(new Event('pagehide'));
    where.window.dispatchEvent(persisted());
    expect(names(calls)).toEqual(['suspend', 'resume']);
    expect(client.state).toBe('connected');
  });

  test('a client that has ended ignores the page', async () => {
    const where = page();
    const { client, calls } = await connected({}, {}, where);
    await client.end();
    calls.length = 0;
    for (const type of ['offline', 'online', 'pagehide']) where.window.dispatchEvent(new Event(type));
    expect(calls).toEqual([]);
  });
});

describe('ending', () => {
  test('emits close and end once, and rejects later calls', async () => {
    const { client, sent, sink } = await connected();
    const seen: unknown[] = [];
    client.on('close', (error) => seen.push(['close', error]));
    client.on('end', (error) => seen.push(['end', error, client.state]));
    const properties = { sessionExpiryInterval: 5 };
    await Promise.all([client.end(false, { reasonCode: 4, properties }), client.end()]);
    sink().onEvent({ type: 'close' });
    sink().onEvent({ type: 'end' });
    await client.end();
    expect(sent('disconnect')[0]).toEqual([
      { reasonCode: 4, sessionExpiryInterval: 5, force: false, timeout: 30_000 },
    ]);
    expect(seen).toEqual([
      ['close', undefined],
      ['end', undefined, 'disconnected'],
    ]);
    for (const call of [client.publish('a', 'x'), client.subscribe('a'), client.unsubscribe('a')]) {
      await expect(call).rejects.toMatchObject({ code: 'not-connected' });
    }
  });

  test('a bad option leaves the client unchanged', async () => {
    const bad = new MqttError('bad-option', 'no', { field: 'sessionExpiryInterval' });
    const { client } = await connected({ disconnect: () => Promise.reject(bad) });
    await expect(client.end(false, { reasonCode: 999 })).rejects.toMatchObject({ field: 'reasonCode' });
    await expect(client.end()).rejects.toBe(bad);
    expect(client.connected).toBe(true);
    await client.publish('a', 'x');
  });

  test('a second end with a shorter timeout shortens the wait of the first', async () => {
    const { client, sent } = await connected({
      disconnect: (options) => (options?.force ? Promise.resolve() : new Promise(() => {})),
    });
    void client.end();
    await client.end(true);
    expect(client.state).toBe('disconnected');
    expect(sent('disconnect')).toHaveLength(2);
  });

  test('an end that times out ends the client anyway, and rejects', async () => {
    const timeout = new MqttError('timeout', 'packets in flight');
    const { client, sent } = await connected({
      disconnect: (options) => (options?.force ? Promise.resolve() : Promise.reject(timeout)),
    });
    await expect(client.end()).rejects.toBe(timeout);
    expect(client.state).toBe('disconnected');
    expect(sent('disconnect')[1]).toEqual([{ force: true }]);
  });

  test('a crash ends the client, and is the cause of later rejections', async () => {
    const { client, sink } = await connected();
    const seen: unknown[] = [];
    client.on('close', (error) => seen.push(['close', error?.code]));
    client.on('end', (error) => seen.push(['end', error?.code]));
    sink().onEvent({ type: 'end', error: { code: 'crashed', message: 'gone' } });
    expect(seen).toEqual([
      ['close', 'crashed'],
      ['end', 'crashed'],
    ]);
    await expect(client.publish('a', 'x')).rejects.toMatchObject({
      code: 'not-connected',
      cause: { code: 'crashed' },
    });
  });

  test('await using disposes of the client and of a subscription', async () => {
    const { client, sent } = await connected();
    const subscription = await client.subscribe('a');
    await subscription[Symbol.asyncDispose]();
    await client[Symbol.asyncDispose]();
    expect(sent('unsubscribe')).toEqual([[['a']]]);
    expect(client.state satisfies Client['state']).toBe('disconnected');
  });
});
