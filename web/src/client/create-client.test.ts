import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { Boundary } from '../protocol/boundary';
import { connectSettings } from './checks/options';
import { startClient } from './client';
import { MqttError } from './errors';
import { connack, engine, settled } from './testing-client';
import { createCalls, type Engine } from './transport/calls';
import type { Client, Subscription } from './types';

const url = 'ws://broker.test/mqtt';

/** The names of a client's methods that return a promise. */
type Asking = {
  [Name in keyof Client]: Client[Name] extends (...args: never[]) => Promise<unknown> ? Name : never;
}[keyof Client];

const start = (open: () => Promise<Engine>, once = false, options = {}) =>
  startClient({ settings: connectSettings(url, options), open, once });

const found = (boundary: Boundary): Engine => ({ boundary, ready: Promise.resolve() });

/** A program that finishes loading when `arrive` is called. */
function later(boundary: Boundary) {
  let arrive = (): void => {};
  const open = (): Promise<Engine> =>
    new Promise((resolve) => {
      arrive = () => resolve(found(boundary));
    });
  return { open, arrive: () => arrive() };
}

describe('before there is a connection', () => {
  test('the client exists at once, and takes listeners and calls in order', async () => {
    const { boundary, calls } = engine();
    const { open, arrive } = later(boundary);
    const { client } = start(open);
    expect(client).toMatchObject({ state: 'connecting', connected: false, reconnecting: false, url });
    expect(client.connack.properties.maximumQoS).toBe(2);
    const seen: string[] = [];
    client.on('connect', () => seen.push('connect'));
    const publishing = client.publish('a', '1', { qos: 1 });
    const subscribing = client.subscribe('a/#');
    const again = client.publish('b', '2');
    await settled();
    expect(calls).toEqual([]);
    arrive();
    await Promise.all([publishing, subscribing, again]);
    expect(calls.map(([method]) => method)).toEqual(['publish', 'subscribe', 'publish']);
    expect(seen).toEqual(['connect']);
    expect(client).toMatchObject({ state: 'connected', clientId: 'assigned', connack });
  });

  test('createClient connects in the background, connect does not', async () => {
    const asked: unknown[] = [];
    const boundary: Boundary = {
      connect: async (all) => {
        asked.push((all as { background?: boolean }).background);
        return engine().boundary.connect(all);
      },
    };
    start(async () => found(boundary));
    await start(async () => found(boundary), true).connected;
    expect(asked).toEqual([true, undefined]);
  });

  test('a queued call ends with its signal or timeout, and is not made later', async () => {
    const { boundary, calls } = engine();
    const { open, arrive } = later(boundary);
    const { client } = start(open);
    const giveUp = new AbortController();
    const aborted = client.publish('a', '1', { signal: giveUp.signal });
    const late = client.publish('b', '1', { timeout: 1 });
    giveUp.abort();
    await expect(aborted).rejects.toMatchObject({ code: 'aborted' });
    await expect(late).rejects.toMatchObject({ code: 'timeout' });
    arrive();
    await client.publish('c', '1');
    expect(calls.map(([, topic]) => topic)).toEqual(['c']);
  });

  test('a cause of its own: the connect promise rejects with it, events and other calls have it as cause', async () => {
    const left = new Error('the user left');
    const { open } = later(engine().boundary);
    const giveUp = new AbortController();
    const { client, connected } = start(open, true, { signal: giveUp.signal });
    const ends: unknown[] = [];
    client.on('end', (error) => ends.push(error));
    const waiting = client.publish('a', '1');
    const own = new AbortController();
    const mine = client.publish('b', '1', { signal: own.signal });
    own.abort('mine');
    await expect(mine).rejects.toBe('mine');
    giveUp.abort(left);
    await expect(connected).rejects.toBe(left);
    const aborted = { name: 'MqttError', code: 'aborted', cause: left };
    await expect(waiting).rejects.toMatchObject(aborted);
    expect(ends).toEqual([expect.objectContaining(aborted)]);
  });

  test('its signal ends the client until it has connected, however late, and not after', async () => {
    const { boundary, calls } = engine();
    let accept = (): void => {};
    const waits: Boundary = {
      async connect(all) {
        const client = await boundary.connect({ ...all, onEvent: () => {} });
        accept = () => all.onEvent({ type: 'connect', connack });
        return client;
      },
    };
    const left = new Error('the user left');
    for (const late of [false, true]) {
      const giveUp = new AbortController();
      const { client } = start(async () => found(waits), false, { signal: giveUp.signal });
      const seen: unknown[] = [];
      client.on('error', ({ code, cause }) => seen.push(code, cause));
      client.on('end', () => seen.push('end'));
      await client.publish('a', '1'); // by now the program has received it
      calls.length = 0;
      if (late) accept();
      await settled();
      giveUp.abort(left);
      await settled();
      expect(seen).toEqual(late ? [] : ['aborted', left, 'end']);
      expect(client.state).toBe(late ? 'connected' : 'disconnected');
      expect(calls).toEqual(late ? [] : [['disconnect', { force: true }]]);
    }
  });

  test('the queue is bounded', async () => {
    const { open } = later(engine().boundary);
    const { client } = start(open, false, { offlineQueue: { messages: 2, bytes: 9 } });
    await expect(client.publish('a', '1234567890')).rejects.toMatchObject({
      code: 'queue-full',
      message: expect.stringMatching(/10 bytes.*offlineQueue\.bytes, 9: raise that/),
    });
    client.publish('a', '1').catch(() => {});
    client.publish('a', '2').catch(() => {});
    await expect(client.publish('a', '3')).rejects.toMatchObject({
      code: 'queue-full',
      message: expect.stringContaining('publish again'),
    });
    await client.end();
  });

  test.each<[policy: 'reject' | 'drop-oldest' | 'drop-newest', outcomes: string[]]>([
    ['reject', ['sent', 'sent', 'queue-full', 'queue-full']],
    ['drop-oldest', ['dropped', 'sent', 'sent', 'queue-full']],
    ['drop-newest', ['sent', 'sent', 'dropped', 'queue-full']],
  ])('when the queue is full the policy decides, and only messages count (%s)', async (policy, outcomes) => {
    const { boundary, calls } = engine();
    const { open, arrive } = later(boundary);
    const { client } = start(open, false, { offlineQueue: { messages: 2, bytes: 10, policy } });
    const subscribing = [client.subscribe('a'), client.subscribe('b')];
    const payloads = ['', '2', '3', 'too large by itself'];
    const sent = payloads.map((payload) =>
      client.publish('a', payload).then(
        () => 'sent',
        ({ code }) => code,
      ),
    );
    await settled();
    arrive();
    expect(await Promise.all(sent)).toEqual(outcomes);
    await Promise.all(subscribing);
    expect(calls.filter(([method]) => method === 'publish')).toHaveLength(2);
    await client.end();
  });

  test('ending the client rejects queued calls', async () => {
    const { open } = later(engine().boundary);
    const { client } = start(open);
    const ends: unknown[] = [];
    client.on('end', (error) => ends.push(error));
    const waiting = client.publish('a', '1');
    await client.end();
    await expect(waiting).rejects.toMatchObject({ code: 'aborted', message: 'the client has ended' });
    await expect(client.publish('a', '1')).rejects.toMatchObject({ code: 'not-connected' });
    expect(client.state).toBe('disconnected');
    expect(ends).toEqual([undefined]);
  });

  test('a program that fails to load emits error, and ends the client', async () => {
    const crashed = new MqttError('crashed', 'no program');
    const { client, connected } = start(() => Promise.reject(crashed));
    const seen: unknown[] = [];
    client.on('error', (error) => seen.push(['error', error]));
    client.on('end', (error) => seen.push(['end', error]));
    await expect(connected).rejects.toBe(crashed);
    expect(seen).toEqual([
      ['error', crashed],
      ['end', crashed],
    ]);
  });
});

describe('a worker that never responds', () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  const never = new Promise<never>(() => {});

  test.each([
    ['the worker does not start', () => never],
    ['the program does not load', async () => ({ ...createCalls(() => {}), ready: never })],
    ['the program does not connect', async () => ({ ...createCalls(() => {}), ready: Promise.resolve() })],
  ] as [string, () => Promise<Engine>][])('%s: connect has a timeout', async (_, open) => {
    const { client, connected } = start(open, true, { connectTimeout: 3000 });
    const failed = expect(connected).rejects.toMatchObject({ name: 'MqttError', code: 'timeout' });
    await vi.advanceTimersByTimeAsync(4000);
    await failed;
    expect(client.state).toBe('disconnected');
    expect(vi.getTimerCount()).toBe(0);
  });

  /** A connected client that receives no further messages from its worker. */
  async function deafened(): Promise<Client> {
    const rpc = createCalls(() => {});
    const deaf: Boundary = {
      async connect(all) {
        await engine().boundary.connect(all);
        const connecting = rpc.boundary.connect(all);
        rpc.receive({ type: 'result', id: 1, value: undefined });
        return connecting;
      },
    };
    const { client, connected } = start(async () => found(deaf), true);
    await connected;
    return client;
  }

  /** A client whose program never loads. */
  const unloaded = async (): Promise<Client> =>
    start(() => never, false, { connectTimeout: 0x7fffffff }).client;

  /** A client whose worker has not connected. */
  const unconnected = async (): Promise<Client> =>
    start(async () => ({ ...createCalls(() => {}), ready: Promise.resolve() }), false, {
      connectTimeout: 0x7fffffff,
    }).client;

  const timeout = 5000;
  const limits = { timeout };
  /** A call of each method. */
  const calls: Record<Asking, (client: Client) => Promise<unknown>> = {
    publish: (client) => client.publish('a', '1', { ...limits, qos: 1, properties: { contentType: 'c' } }),
    publishAsync: (client) => client.publishAsync('a', '1', { ...limits, qos: 2 }),
    subscribe: (client) => client.subscribe('a', limits),
    subscribeAsync: (client) => client.subscribeAsync(['a', 'b'], limits),
    unsubscribe: (client) => client.unsubscribe('a', limits),
    unsubscribeAsync: (client) => client.unsubscribeAsync('a', limits),
    request: (client) => client.request('a', '1', limits),
    respond: (client) => client.respond('a', () => undefined, limits),
    reconnect: (client) => client.reconnect(limits),
    ping: (client) => client.ping(limits),
    setPacketEvents: (client) => client.setPacketEvents(true, limits),
    reauthenticate: (client) => client.reauthenticate(limits),
    end: (client) => client.end(limits),
    endAsync: (client) => client.endAsync(true, limits),
    [Symbol.asyncDispose]: (client) => client[Symbol.asyncDispose](),
  };
  /** Methods that stay local. */
  const local = ['on', 'once', 'off', 'addListener', 'removeListener'];

  test('the calls here cover every method of a client', async () => {
    const client = await unloaded();
    const methods = Reflect.ownKeys(client).filter(
      (name) => typeof client[name as keyof Client] === 'function' && !local.includes(String(name)),
    );
    expect(new Set(Reflect.ownKeys(calls))).toEqual(new Set(methods));
    await client.end();
  });

  describe.each([
    ['hears nothing any more', deafened],
    ['does not load', unloaded],
    ['does not connect', unconnected],
  ])('that %s', (_, open) => {
    test.each(Reflect.ownKeys(calls).map((name) => [name as Asking]))('%s settles in time', async (name) => {
      const client = await open();
      let outcome: unknown;
      calls[name](client).then(
        (value) => {
          outcome = { value };
        },
        (error) => {
          outcome = error;
        },
      );
      // It takes no options, so the default timeout applies.
      const most = name === Symbol.asyncDispose ? 30_000 : timeout;
      await vi.advanceTimersByTimeAsync(most + 1000);
      const ends = name === 'end' || name === 'endAsync' || name === Symbol.asyncDispose;
      // A client that has never connected ends at once.
      if (ends && open !== deafened) expect(outcome).toEqual({ value: undefined });
      else expect(outcome).toMatchObject({ name: 'MqttError', code: 'timeout' });
      if (ends) expect(client.state).toBe('disconnected');
      else await Promise.allSettled([client.end(), vi.advanceTimersByTimeAsync(31_000)]);
      await vi.advanceTimersByTimeAsync(31_000);
      expect(vi.getTimerCount()).toBe(0);
    });
  });

  test.each([
    ['unsubscribe', (subscription) => subscription.unsubscribe(limits), timeout],
    ['asyncDispose', (subscription) => subscription[Symbol.asyncDispose](), 30_000],
  ] as [string, (subscription: Subscription) => Promise<void>, number][])(
    'of a subscription, %s settles in time',
    async (_, call, most) => {
      const rpc = createCalls(() => {});
      const { boundary } = engine();
      const half: Boundary = {
        async connect(all) {
          const link = await boundary.connect(all);
          const connecting = rpc.boundary.connect(all);
          rpc.receive({ type: 'result', id: 1, value: undefined });
          return { ...(await connecting), subscribe: link.subscribe };
        },
      };
      const { client, connected } = start(async () => found(half), true);
      await connected;
      const failed = expect(call(await client.subscribe('a'))).rejects.toMatchObject({ code: 'timeout' });
      await vi.advanceTimersByTimeAsync(most + 1000);
      await failed;
    },
  );
});
