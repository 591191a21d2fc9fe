import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { Boundary, BoundarySink } from '../protocol/boundary';
import { connectSettings } from './checks/options';
import { startClient } from './client';
import { MqttError } from './errors';
import { connack, engine, settled } from './testing-client';
import { createCalls, type Engine } from './transport/calls';
import type { Client } from './types';

const url = 'ws://broker.test/mqtt';

const start = (open: () => Promise<Engine>, once = false, options = {}) =>
  startClient({ settings: connectSettings(url, options), open, once });

const found = (boundary: Boundary): Engine => ({ boundary, ready: Promise.resolve() });

/** A program that is found when `arrive` is called. */
function later(boundary: Boundary) {
  let arrive = (): void => {};
  const open = (): Promise<Engine> =>
    new Promise((resolve) => {
      arrive = () => resolve(found(boundary));
    });
  return { open, arrive: () => arrive() };
}

describe('before there is a connection', () => {
  test('a client is there at once, and takes listeners and calls in order', async () => {
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

  test('the program is asked to connect in the background, and not by connect', async () => {
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

  test('a call that waits ends with its signal or its time, and is not made later', async () => {
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

  test('a reason of its own: the promise rejects with it, events and other calls have it as a cause', async () => {
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

  test('what waits is bounded', async () => {
    const { open } = later(engine().boundary);
    const { client } = start(open, false, { offlineQueue: { messages: 2 } });
    client.publish('a', '1').catch(() => {});
    client.publish('a', '2').catch(() => {});
    await expect(client.publish('a', '3')).rejects.toMatchObject({ code: 'queue-full' });
    await client.end();
  });

  test('ending it rejects what waits', async () => {
    const { open } = later(engine().boundary);
    const { client } = start(open);
    const ends: unknown[] = [];
    client.on('end', (error) => ends.push(error));
    const waiting = client.publish('a', '1');
    await client.end();
    await expect(waiting).rejects.toMatchObject({ code: 'aborted' });
    await expect(client.publish('a', '1')).rejects.toMatchObject({ code: 'not-connected' });
    expect(client.state).toBe('disconnected');
    expect(ends).toEqual([undefined]);
  });

  test('a program that can not be had is an error event, and the end', async () => {
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

describe('a worker that never answers', () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  const never = new Promise<never>(() => {});

  test.each([
    ['the worker does not start', () => never],
    ['the program does not load', async () => ({ ...createCalls(() => {}), ready: never })],
    ['the program does not connect', async () => ({ ...createCalls(() => {}), ready: Promise.resolve() })],
  ] as [string, () => Promise<Engine>][])('%s: connect has a time limit', async (_, open) => {
    const { client, connected } = start(open, true, { connectTimeout: 3000 });
    const failed = expect(connected).rejects.toMatchObject({ name: 'MqttError', code: 'timeout' });
    await vi.advanceTimersByTimeAsync(4000);
    await failed;
    expect(client.state).toBe('disconnected');
    expect(vi.getTimerCount()).toBe(0);
  });

  test('every method settles', async () => {
    let sink: BoundarySink | undefined;
    const rpc = createCalls(() => {});
    const { boundary } = engine();
    const deaf: Boundary = {
      async connect(all) {
        sink = all;
        await boundary.connect(all);
        // A client of a worker that hears nothing from here on.
        const connecting = rpc.boundary.connect(all);
        rpc.receive({ type: 'result', id: 1, value: undefined });
        return connecting;
      },
    };
    const { client, connected } = start(async () => found(deaf), true);
    await connected;
    expect(sink).toBeDefined();
    const calls: Partial<Record<keyof Client, () => Promise<unknown>>> = {
      publish: () => client.publish('a', '1', { qos: 1, properties: { contentType: 'c' } }),
      publishAsync: () => client.publishAsync('a', '1'),
      subscribe: () => client.subscribe('a'),
      subscribeAsync: () => client.subscribeAsync(['a', 'b']),
      unsubscribe: () => client.unsubscribe('a'),
      unsubscribeAsync: () => client.unsubscribeAsync('a'),
      request: () => client.request('a', '1'),
      respond: () => client.respond('a', () => undefined),
      reconnect: () => client.reconnect(),
      ping: () => client.ping(),
      setPacketEvents: () => client.setPacketEvents(true),
      reauthenticate: () => client.reauthenticate(),
      end: () => client.end(),
      endAsync: () => client.endAsync(),
      [Symbol.asyncDispose]: () => client[Symbol.asyncDispose](),
    };
    const methods = Reflect.ownKeys(client).filter(
      (name) =>
        typeof client[name as keyof Client] === 'function' &&
        !/^(on|once|off|addListener|removeListener)$/.test(String(name)),
    );
    expect(Reflect.ownKeys(calls)).toEqual(expect.arrayContaining(methods));
    const outcomes = Promise.allSettled(Object.values(calls).map((call) => call?.()));
    const disposed = Promise.allSettled([calls[Symbol.asyncDispose]?.()]);
    await vi.advanceTimersByTimeAsync(31_000);
    for (const outcome of [...(await outcomes), ...(await disposed)]) {
      expect(outcome).toMatchObject({
        status: 'rejected',
        reason: { code: expect.stringMatching(/timeout|not-connected/) },
      });
    }
    expect(vi.getTimerCount()).toBe(0);
  });
});
