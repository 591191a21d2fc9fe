import { afterEach, describe, expect, test, vi } from 'vitest';
import { MqttError } from './errors';
import { encodeBatch } from './testing';
import { connected, settled, topics } from './testing-client';
import type { Client, Subscription } from './types';

afterEach(() => {
  vi.unstubAllGlobals();
});

describe('iterating', () => {
  test('yields the messages in order, and leaving the loop unsubscribes', async () => {
    const { client, receive, sent } = await connected();
    const subscription = await client.subscribe('#');
    receive({ topic: 'a' }, { topic: 'b' });
    const seen: string[] = [];
    for await (const { topic } of subscription) {
      seen.push(topic);
      if (topic === 'b') receive({ topic: 'c' });
      if (topic === 'c') break;
    }
    expect(seen).toEqual(['a', 'b', 'c']);
    expect(sent('unsubscribe')).toEqual([[['#']]]);
  });

  test('end() finishes the loop after the messages received so far', async () => {
    const { client, receive } = await connected();
    const subscription = await client.subscribe('#');
    receive({ topic: 'a' });
    await client.end();
    const seen: string[] = [];
    for await (const { topic } of subscription) seen.push(topic);
    expect(seen).toEqual(['a']);
  });

  test('a client that fails makes the loop throw', async () => {
    const { client, sink } = await connected();
    const subscription = await client.subscribe('#');
    const loop = (async () => {
      for await (const _ of subscription) throw new Error('nothing should come');
    })();
    sink().onEvent({ type: 'end', error: { code: 'crashed', message: 'gone' } });
    await expect(loop).rejects.toMatchObject({ code: 'crashed' });
  });

  test('a slow reader loses the oldest QoS 0 messages, which are counted', async () => {
    const { client, receive } = await connected();
    const subscription = await client.subscribe('#', { highWaterMark: 2 });
    const iterator = subscription[Symbol.asyncIterator]();
    const batch = receive({ topic: 'a' }, { topic: 'b' }, { topic: 'c' }, { topic: 'd' });
    await batch.done;
    expect(subscription.dropped).toBe(2);
    expect((await iterator.next()).value.topic).toBe('c');
  });

  test('a slow reader holds back the next batch at QoS 1 and 2', async () => {
    const { client, receive } = await connected();
    const subscription = await client.subscribe('#', { qos: 1, highWaterMark: 2 });
    const iterator = subscription[Symbol.asyncIterator]();
    const batch = receive({ topic: 'a', qos: 1 }, { topic: 'b', qos: 2 }, { topic: 'c', qos: 1 });
    await settled();
    expect(batch.consumed).toBe(false);
    await iterator.next();
    await settled();
    expect(batch.consumed).toBe(false);
    await iterator.next();
    await batch.done;
    expect(subscription.dropped).toBe(0);
    expect((await iterator.next()).value.topic).toBe('c');
  });

  test('QoS 0 never displaces an acknowledged message', async () => {
    const { client, receive } = await connected();
    const subscription = await client.subscribe('#', { highWaterMark: 1 });
    const iterator = subscription[Symbol.asyncIterator]();
    await receive({ topic: 'kept', qos: 1 }, { topic: 'lost' }).done;
    expect(subscription.dropped).toBe(1);
    expect((await iterator.next()).value.topic).toBe('kept');
  });

  test('a subscription that is never iterated neither blocks nor grows', async () => {
    const { client, receive } = await connected();
    const subscription = await client.subscribe('#', { highWaterMark: 1 });
    await receive({ topic: 'a', qos: 1 }, { topic: 'b', qos: 1 }).done;
    expect(subscription.dropped).toBe(1);
    client.on('message', () => {});
    await receive({ topic: 'c', qos: 1 }).done;
    expect((await subscription[Symbol.asyncIterator]().next()).value.topic).toBe('b');
  });

  test('leaving the loop releases a held batch', async () => {
    const { client, receive } = await connected();
    const subscription = await client.subscribe('#', { highWaterMark: 1 });
    subscription[Symbol.asyncIterator]();
    const batch = receive({ topic: 'a', qos: 1 }, { topic: 'b', qos: 1 });
    await settled();
    expect(batch.consumed).toBe(false);
    await subscription.unsubscribe();
    await batch.done;
  });

  test('a subscription with a handler cannot be iterated', async () => {
    const { client } = await connected();
    const subscription = await client.subscribe('#', () => {});
    expect(() => subscription[Symbol.asyncIterator]()).toThrow(expect.objectContaining({ field: 'handler' }));
  });
});

describe('handlers and listeners', () => {
  test('the batch is consumed when the last handler has finished', async () => {
    const { client, receive } = await connected();
    const finish: (() => void)[] = [];
    await client.subscribe('#', () => new Promise<void>((resolve) => finish.push(resolve)));
    const batch = receive({ topic: 'a' }, { topic: 'b' });
    await settled();
    expect(finish).toHaveLength(2);
    finish[1]?.();
    await settled();
    expect(batch.consumed).toBe(false);
    finish[0]?.();
    await batch.done;
  });

  test('errors they throw are reported, and the others still run', async () => {
    const reported: unknown[] = [];
    vi.stubGlobal('reportError', (error: unknown) => reported.push(error));
    const { client, receive } = await connected();
    const seen: string[] = [];
    client.on('message', () => {
      throw 'from a listener';
    });
    client.on('message', (topic, payload, message) => {
      seen.push(`${topic} ${payload.length} ${message.text()}`);
    });
    await client.subscribe('a', () => {
      throw 'from a handler';
    });
    await client.subscribe('#', () => Promise.reject('from a promise'));
    await client.subscribe('+', () => seen.push('handler'));
    await receive({ topic: 'a', payload: new Uint8Array([0x78]) }).done;
    expect(seen).toEqual(['a 1 x', 'handler']);
    expect(reported).toEqual(['from a listener', 'from a handler', 'from a promise']);
  });

  test('batch has all messages at once, and the number dropped', async () => {
    const { client, sink } = await connected();
    const seen: unknown[] = [];
    client.on('batch', (messages, dropped) => seen.push([topics(messages), dropped]));
    await sink().onBatch(encodeBatch([{ topic: 'a' }, { topic: 'b' }]), 2, 3);
    await sink().onBatch(encodeBatch([]), 0, 4);
    expect(seen).toEqual([
      [['a', 'b'], 3],
      [[], 4],
    ]);
    expect(client.dropped).toBe(7);
  });

  test('no event overtakes the messages of a long batch', async () => {
    const { client, sink } = await connected();
    const all = 20_000;
    const batch = encodeBatch(Array.from({ length: all }, () => ({ topic: 'a' })));
    let seen = 0;
    const then: number[] = [];
    client.on('message', () => {
      // A slow listener.
      for (const until = performance.now() + 0.002; performance.now() < until; );
      seen++;
    });
    client.on('close', () => then.push(seen));
    client.on('end', () => then.push(seen));
    const done = sink().onBatch(batch, all, 0);
    expect(seen).toBeLessThan(all);
    sink().onEvent({ type: 'close' });
    await done;
    sink().onEvent({ type: 'end' });
    expect(then).toEqual([all, all]);
  });

  test('a malformed batch is an error event, and the next one is delivered', async () => {
    const { client, sink, receive } = await connected();
    const seen: string[] = [];
    client.on('error', (error) => seen.push(error.code));
    client.on('message', (topic) => seen.push(topic));
    await sink().onBatch(new Uint8Array([1, 2, 3]).buffer, 1, 0);
    await receive({ topic: 'a' }).done;
    expect(seen).toEqual(['protocol', 'a']);
  });

  test('once and off', async () => {
    const { client, receive } = await connected();
    const seen: string[] = [];
    const listener = (topic: string): void => void seen.push(topic);
    client.once('message', listener).on('message', listener).off('message', listener);
    await receive({ topic: 'a' }, { topic: 'b' }).done;
    expect(seen).toEqual(['a']);
  });

  test('addListener and removeListener are aliases of on and off', async () => {
    const { client, receive } = await connected();
    const seen: string[] = [];
    const listener = (topic: string): void => void seen.push(topic);
    expect(client.addListener('message', listener)).toBe(client);
    await receive({ topic: 'a' }).done;
    expect(client.removeListener('message', listener)).toBe(client);
    await receive({ topic: 'b' }).done;
    expect(seen).toEqual(['a']);
  });

  test('a listener that is not a function is rejected at once', async () => {
    const { client, receive } = await connected();
    const mistake = expect.objectContaining({ name: 'MqttError', code: 'bad-option', field: 'listener' });
    for (const wrong of [undefined, null, 3]) {
      for (const add of ['on', 'once', 'addListener'] as const) {
        expect(() => client[add]('message', wrong as never)).toThrow(mistake);
      }
    }
    const reported = vi.fn();
    vi.stubGlobal('reportError', reported);
    await receive({ topic: 'a' }).done;
    expect(reported).not.toHaveBeenCalled();
  });
});

test.each<[how: string, leave: (client: Client, own: Subscription) => Promise<void>]>([
  ['the subscription', (_, own) => own.unsubscribe()],
  ['the client', (client) => client.unsubscribe('$SYS/#')],
])('%s unsubscribes: messages before the UNSUBACK reach no handler', async (_, leave) => {
  let answer = (_: { reasonCodes: number[] }): void => {};
  const { client, receive } = await connected({
    unsubscribe: () =>
      new Promise((resolve) => {
        answer = resolve;
      }),
  });
  const seen: string[] = [];
  client.on('message', (topic) => seen.push(topic));
  const handler = vi.fn();
  const own = await client.subscribe('$SYS/#', { handlerOnly: true }, handler);
  const left = leave(client, own);
  receive({ topic: '$SYS/a' }, { topic: 'b' });
  expect(seen).toEqual(['b']);

  // A new subscription with the same filter is independent, whenever the reply arrives.
  const again = vi.fn();
  await client.subscribe('$SYS/#', { handlerOnly: true }, again);
  answer({ reasonCodes: [0] });
  await left;
  receive({ topic: '$SYS/b' });
  expect([seen, handler.mock.calls.length, again.mock.calls.length]).toEqual([['b'], 0, 1]);
});

test('messages of a handlerOnly subscription reach no listener until another subscription matches', async () => {
  const { client, receive } = await connected();
  const seen: string[] = [];
  client.on('batch', (messages) => seen.push(`batch ${topics(messages)}`));
  client.on('message', (topic) => seen.push(`message ${topic}`));
  const options = { handlerOnly: true };
  const own = await client.subscribe('$SYS/#', options, ({ topic }) => seen.push(`own ${topic}`));
  receive({ topic: '$SYS/a' });
  receive({ topic: '$SYS/a' }, { topic: 'b' });
  expect(seen).toEqual(['own $SYS/a', 'batch b', 'own $SYS/a', 'message b']);
  seen.length = 0;
  await client.subscribe('$SYS/a', () => {});
  receive({ topic: '$SYS/a' }, { topic: '$SYS/b' });
  expect(seen).toEqual(['batch $SYS/a', 'message $SYS/a', 'own $SYS/a', 'own $SYS/b']);
  seen.length = 0;
  const before = Date.now();
  await own.unsubscribe();
  // Received before the UNSUBACK, and delivered after it.
  receive({ topic: '$SYS/b', receivedAt: before }, { topic: 'c', receivedAt: before });
  expect(seen).toEqual(['batch c', 'message c']);
  seen.length = 0;
  const later = { topic: '$SYS/b', receivedAt: Date.now() + 1 };
  for (const _ of [1, 2]) receive(later);
  expect(seen).toEqual(['batch $SYS/b', 'message $SYS/b', 'batch $SYS/b', 'message $SYS/b']);
  await expect(client.subscribe('a', options)).rejects.toMatchObject({ field: 'handlerOnly' });
});

test('a handler that transfers the buffer of a batch loses the rest of it, which an error tells', async () => {
  const { client, receive } = await connected();
  const errors: unknown[] = [];
  client.on('error', (error) => errors.push(error));
  const seen: string[] = [];
  await client.subscribe('#', ({ topic, payload }) => {
    seen.push(topic);
    structuredClone(payload, { transfer: [payload.buffer as ArrayBuffer] });
  });
  await receive({ topic: 'a' }, { topic: 'b' }).done;
  await receive({ topic: 'c' }).done;
  expect(seen).toEqual(['a', 'c']);
  const [error] = errors;
  expect(errors).toHaveLength(1);
  expect(error).toBeInstanceOf(MqttError);
  expect(error).toMatchObject({ code: 'dropped', message: expect.stringContaining('copy') });
});
