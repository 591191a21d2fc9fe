import { afterEach, describe, expect, test, vi } from 'vitest';
import type { Boundary, BoundaryClient, BoundarySink, ConnackInfo } from '../worker/messages';
import { openClient } from './client';
import { MqttError } from './errors';
import type { Page } from './lifecycle';
import { connectSettings } from './options';
import { encodeBatch, type Given } from './testing';
import type { Answer, Client, ConnectOptions, Message, SubscribeOptions } from './types';

const connack: ConnackInfo = {
  sessionPresent: false,
  reasonCode: 0,
  clientId: 'assigned',
  properties: {
    sessionExpiryInterval: 0,
    receiveMaximum: 65_535,
    maximumQoS: 2,
    retainAvailable: true,
    maximumPacketSize: 0,
    topicAliasMaximum: 0,
    wildcardSubscriptionAvailable: true,
    subscriptionIdentifiersAvailable: true,
    sharedSubscriptionAvailable: true,
    serverKeepAlive: 60,
  },
};

/** A Go boundary that says yes, and records what it is asked. */
function engine(methods: Partial<BoundaryClient> = {}) {
  const calls: unknown[][] = [];
  const link: BoundaryClient = {
    publish: async (topic, payload, options) => {
      calls.push(['publish', topic, payload, options]);
      return { reasonCode: 0 };
    },
    subscribe: async (subscriptions, options) => {
      calls.push(['subscribe', subscriptions, options]);
      return (
        methods.subscribe?.(subscriptions, options) ?? { reasonCodes: subscriptions.map(({ qos }) => qos) }
      );
    },
    unsubscribe: async (filters, options) => {
      calls.push(['unsubscribe', filters]);
      return methods.unsubscribe?.(filters, options) ?? { reasonCodes: filters.map(() => 0) };
    },
    request: async (topic, payload, options) => {
      calls.push(['request', topic, payload, options]);
      return methods.request?.(topic, payload, options) ?? encodeBatch([{ topic: 'answer' }]);
    },
    reauthenticate: async (options) => {
      calls.push(['reauthenticate', options]);
      await methods.reauthenticate?.(options);
    },
    suspend: async () => void calls.push(['suspend']),
    resume: async () => void calls.push(['resume']),
    wake: async (options) => {
      calls.push(['wake', options]);
      await methods.wake?.(options);
    },
    ping: async (options) => {
      calls.push(['ping', options]);
      return 12.5;
    },
    tellPackets: async (options) => void calls.push(['tellPackets', options]),
    disconnect: async (options) => {
      calls.push(['disconnect', options]);
      await methods.disconnect?.(options);
    },
  };
  let sink!: BoundarySink;
  const boundary: Boundary = {
    connect: async (all) => {
      sink = all;
      sink.onEvent({ type: 'connect', connack });
      return { ...link, ...(methods.publish && { publish: methods.publish }) };
    },
  };
  /** Whether the batch has been consumed, as far as one task later. */
  function receive(...messages: Given[]): { consumed: boolean; done: Promise<void> } {
    const state = { consumed: false, done: Promise.resolve() };
    state.done = Promise.resolve(sink.onBatch(encodeBatch(messages), messages.length, 0)).then(() => {
      state.consumed = true;
    });
    return state;
  }
  const sent = (name: string) => calls.filter(([method]) => method === name).map(([, ...rest]) => rest);
  return { boundary, calls, sent, receive, sink: () => sink };
}

async function connected(methods: Partial<BoundaryClient> = {}, options: ConnectOptions = {}, page?: Page) {
  const fake = engine(methods);
  const client = await openClient(fake.boundary, connectSettings('ws://broker.test/mqtt', options), page);
  await new Promise<void>((resolve) => void client.once('connect', () => resolve()));
  return { client, ...fake };
}

/** After what is under way, in tasks and microtasks. */
const settled = (): Promise<void> => new Promise((resolve) => void setImmediate(resolve));

const topics = (messages: Message[]): string[] => messages.map(({ topic }) => topic);

afterEach(() => {
  vi.unstubAllGlobals();
});

describe('connecting', () => {
  test('resolves connected; the event and early messages wait for listeners', async () => {
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

test('events come in order, and the state follows them', async () => {
  const { client, sink } = await connected();
  const seen: unknown[] = [];
  const note = (...what: unknown[]): void => void seen.push([...what, client.state]);
  client.on('disconnect', ({ reasonCode }) => note('disconnect', reasonCode));
  client.on('close', (error) => note('close', error?.code));
  client.on('offline', () => note('offline'));
  client.on('reconnect', ({ attempt, delay }) => note('reconnect', attempt, delay));
  client.on('error', (error) => note('error', error instanceof MqttError));
  client.on('connect', () => note('connect'));
  client.on('end', (error) => note('end', error?.message));
  const { onEvent } = sink();
  onEvent({ type: 'disconnect', packet: { reasonCode: 0x8b } });
  onEvent({ type: 'close', error: { code: 'network', message: 'broken' } });
  onEvent({ type: 'offline' });
  onEvent({ type: 'reconnect', attempt: 1, delay: 1000 });
  onEvent({ type: 'error', error: { code: 'network', message: 'unreachable' } });
  onEvent({ type: 'connect', connack });
  onEvent({ type: 'close' });
  onEvent({ type: 'end', error: { code: 'network', message: 'given up' } });
  onEvent({ type: 'connect', connack });
  expect(seen).toEqual([
    ['disconnect', 0x8b, 'connected'],
    ['close', 'network', 'reconnecting'],
    ['offline', 'reconnecting'],
    ['reconnect', 1, 1000, 'reconnecting'],
    ['error', true, 'reconnecting'],
    ['connect', 'connected'],
    ['close', undefined, 'reconnecting'],
    ['end', 'given up', 'disconnected'],
  ]);
});

test('without reconnecting a lost connection is disconnected', async () => {
  const { client, sink } = await connected({}, { reconnectPeriod: 0 });
  sink().onEvent({ type: 'close' });
  expect(client.state).toBe('disconnected');
});

describe('publish', () => {
  test('passes text as UTF-8 and bytes as a copy', async () => {
    const { client, sent } = await connected();
    const whole = new Uint8Array([0, 1, 2, 3]);
    const view = whole.subarray(1, 3);
    await client.publish('t', '😀\uD800', { qos: 1, retain: true, properties: { contentType: 'x' } });
    await client.publish('t', view);
    await client.publish('t', new DataView(whole.buffer, 2));
    await client.publishAsync('t', whole.buffer);
    const payloads = sent('publish').map(([, payload]) => payload as Uint8Array);
    expect(payloads).toEqual([
      new TextEncoder().encode('😀\uFFFD'),
      new Uint8Array([1, 2]),
      new Uint8Array([2, 3]),
      whole,
    ]);
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
    ['qos', ['a', 'x', { qos: 3 }]],
    ['options', ['a', 'x', 7]],
  ])('names the %s that is wrong, and asks nobody', async (field, args) => {
    const { client, calls } = await connected();
    const publish = client.publish as (...args: unknown[]) => Promise<unknown>;
    await expect(publish(...args)).rejects.toMatchObject({ name: 'MqttError', code: 'bad-option', field });
    expect(calls).toEqual([]);
  });
});

describe('subscribe', () => {
  test('resolves to what was granted, and routes by topic', async () => {
    const { client, receive, sent } = await connected({ subscribe: async () => ({ reasonCodes: [1] }) });
    const seen: string[] = [];
    const subscription = await client.subscribe('a/+', { qos: 2, nl: true, rh: 1 }, ({ topic }) => {
      seen.push(topic);
    });
    expect(subscription).toMatchObject({ filter: 'a/+', qos: 1, reasonCode: 1 });
    expect(sent('subscribe')).toEqual([[[{ topic: 'a/+', qos: 2, nl: true, rh: 1 }], { timeout: 30_000 }]]);
    await receive({ topic: 'a/b' }, { topic: 'b' }, { topic: 'a/c' }).done;
    expect(seen).toEqual(['a/b', 'a/c']);
  });

  test('messages that overtake the SUBACK are delivered', async () => {
    const seen: string[] = [];
    let grant = (): void => {};
    const { client, receive } = await connected({
      subscribe: () =>
        new Promise((resolve) => {
          grant = () => resolve({ reasonCodes: [0] });
        }),
    });
    const subscribing = client.subscribe('a', ({ topic }) => void seen.push(topic));
    await receive({ topic: 'a' }).done;
    grant();
    await subscribing;
    expect(seen).toEqual(['a']);
  });

  test('several filters in one call', async () => {
    const { client, sent } = await connected();
    const subscriptions = await client.subscribe(['a', 'b/#'], { qos: 1 });
    expect(subscriptions.map(({ filter, qos }) => [filter, qos])).toEqual([
      ['a', 1],
      ['b/#', 1],
    ]);
    expect(sent('subscribe')).toHaveLength(1);
  });

  test.each<[string, unknown[]]>([
    ['filter', ['a/#/b']],
    ['filter', [[]]],
    ['filter', [['a', 7]]],
    ['qos', ['a', { qos: 3 }]],
    ['handler', ['a', {}, 7]],
  ])('names the %s that is wrong, and asks nobody', async (field, args) => {
    const { client, calls } = await connected();
    const subscribe = client.subscribe as (...args: unknown[]) => Promise<unknown>;
    await expect(subscribe(...args)).rejects.toMatchObject({ code: 'bad-option', field });
    expect(calls).toEqual([]);
  });

  test('a refusal rejects, and takes back what else the call was granted', async () => {
    const { client, sent, receive } = await connected({
      subscribe: async () => ({ reasonCodes: [0, 0x87], reasonString: 'acl' }),
    });
    const handler = vi.fn();
    await expect(client.subscribe(['a', 'b'], {}, handler)).rejects.toMatchObject({
      code: 'refused',
      field: 'filter',
      reasonCode: 0x87,
      reasonString: 'acl',
      message: 'the broker refused "b" with reason 0x87: acl',
    });
    expect(sent('unsubscribe')).toEqual([[['a']]]);
    await receive({ topic: 'a' }, { topic: 'b' }).done;
    expect(handler).not.toHaveBeenCalled();
  });

  test('one that was given up is taken back, in case the broker granted it', async () => {
    const timeout = new MqttError('timeout', 'no answer');
    const { client, sent } = await connected({ subscribe: () => Promise.reject(timeout) });
    await expect(client.subscribe('a')).rejects.toBe(timeout);
    expect(sent('unsubscribe')).toEqual([[['a']]]);
  });

  test('the signal and the time limit reach the engine', async () => {
    const { client, sent } = await connected();
    const { signal } = new AbortController();
    await client.subscribe('a', { signal, timeout: 5 });
    expect(sent('subscribe')[0]?.[1]).toEqual({ signal, timeout: 5 });
  });
});

describe('one filter, several subscriptions', () => {
  test('share the broker subscription until the last leaves', async () => {
    const { client, sent, receive } = await connected();
    const seen: string[] = [];
    const first = await client.subscribe('a', () => void seen.push('first'));
    const second = await client.subscribe('a', () => void seen.push('second'));
    await receive({ topic: 'a' }).done;
    await first.unsubscribe();
    expect(sent('unsubscribe')).toEqual([]);
    await receive({ topic: 'a' }).done;
    await Promise.all([second.unsubscribe(), second.unsubscribe()]);
    expect(sent('unsubscribe')).toEqual([[['a']]]);
    expect(seen).toEqual(['first', 'second', 'second']);
  });

  test('ask for enough for all of them', async () => {
    const { client, sent } = await connected();
    const first = await client.subscribe('a', { qos: 2, rap: true });
    await client.subscribe('a', { qos: 0, nl: true, rh: 2 });
    expect(sent('subscribe')[1]?.[0]).toEqual([{ topic: 'a', qos: 2, nl: false, rap: true, rh: 2 }]);
    expect(first.qos).toBe(2);
  });

  test('client.unsubscribe ends all of them', async () => {
    const { client, sent } = await connected();
    const [first, second] = [await client.subscribe('a'), await client.subscribe('a')];
    await client.unsubscribe('a');
    for (const subscription of [first, second]) {
      for await (const _ of subscription) throw new Error('nothing more should come');
    }
    await first.unsubscribe();
    expect(sent('unsubscribe')).toEqual([[['a']]]);
  });

  test('an unsubscribe that the broker refuses rejects', async () => {
    const { client } = await connected({ unsubscribe: async () => ({ reasonCodes: [0x83] }) });
    await expect(client.unsubscribe('a')).rejects.toMatchObject({ code: 'refused', reasonCode: 0x83 });
  });
});

test('an unsubscribe that found no connection is made up for at the next one', async () => {
  let connection = false;
  const { client, sent, sink } = await connected({
    unsubscribe: async (filters) => {
      if (!connection) throw new MqttError('not-connected', 'no');
      return { reasonCodes: filters.map(() => 0) };
    },
  });
  const [a, b] = await client.subscribe(['a', 'b']);
  await expect(a?.unsubscribe()).rejects.toMatchObject({ code: 'not-connected' });
  await expect(b?.unsubscribe()).rejects.toMatchObject({ code: 'not-connected' });
  connection = true;
  await client.subscribe('b');
  sink().onEvent({ type: 'connect', connack });
  await settled();
  sink().onEvent({ type: 'connect', connack });
  expect(sent('unsubscribe').slice(2)).toEqual([[['a']]]);
});

describe('iterating', () => {
  test('gives the messages in order, and leaving the loop unsubscribes', async () => {
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

  test('end() finishes the loop after what had come', async () => {
    const { client, receive } = await connected();
    const subscription = await client.subscribe('#');
    receive({ topic: 'a' });
    await client.end();
    const seen: string[] = [];
    for await (const { topic } of subscription) seen.push(topic);
    expect(seen).toEqual(['a']);
  });

  test('a client that fails throws in the loop', async () => {
    const { client, sink } = await connected();
    const subscription = await client.subscribe('#');
    const loop = (async () => {
      for await (const _ of subscription) throw new Error('nothing should come');
    })();
    sink().onEvent({ type: 'end', error: { code: 'crashed', message: 'gone' } });
    await expect(loop).rejects.toMatchObject({ code: 'crashed' });
  });

  test('a slow reader loses the oldest of QoS 0, counted', async () => {
    const { client, receive } = await connected();
    const subscription = await client.subscribe('#', { highWaterMark: 2 });
    const iterator = subscription[Symbol.asyncIterator]();
    const batch = receive({ topic: 'a' }, { topic: 'b' }, { topic: 'c' }, { topic: 'd' });
    await batch.done;
    expect(subscription.dropped).toBe(2);
    expect((await iterator.next()).value.topic).toBe('c');
  });

  test('a slow reader holds the next batch back for QoS 1 and 2', async () => {
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

  test('QoS 0 never pushes an acknowledged message out', async () => {
    const { client, receive } = await connected();
    const subscription = await client.subscribe('#', { highWaterMark: 1 });
    const iterator = subscription[Symbol.asyncIterator]();
    await receive({ topic: 'kept', qos: 1 }, { topic: 'lost' }).done;
    expect(subscription.dropped).toBe(1);
    expect((await iterator.next()).value.topic).toBe('kept');
  });

  test('a subscription nobody iterates neither holds anything back nor grows', async () => {
    const { client, receive } = await connected();
    const subscription = await client.subscribe('#', { highWaterMark: 1 });
    await receive({ topic: 'a', qos: 1 }, { topic: 'b', qos: 1 }).done;
    expect(subscription.dropped).toBe(1);
    client.on('message', () => {});
    await receive({ topic: 'c', qos: 1 }).done;
    expect((await subscription[Symbol.asyncIterator]().next()).value.topic).toBe('b');
  });

  test('leaving lets a held batch go', async () => {
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

  test('what they throw is reported, and everybody else goes on', async () => {
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

  test('batch gives everything at once, and the count of what was dropped', async () => {
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

  test('a malformed batch is an error event, and the next one is fine', async () => {
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
});

describe('requests', () => {
  test('resolve with the answer', async () => {
    const payload = new TextEncoder().encode('pong');
    const { client, sent } = await connected({
      request: async () => encodeBatch([{ topic: 'answer', payload, qos: 1 }]),
    });
    const { signal } = new AbortController();
    const properties = { contentType: 'x' };
    const answer = await client.request('a', 'ping', { qos: 1, timeout: 5, signal, properties });
    expect([answer.topic, answer.text(), answer.qos]).toEqual(['answer', 'pong', 1]);
    expect(sent('request')).toEqual([
      ['a', new TextEncoder().encode('ping'), { qos: 1, timeout: 5, signal, properties }],
    ]);
    await client.request('a', '');
    expect(sent('request')[1]?.[2]).toEqual({ timeout: 30_000 });
  });

  test.each<[string, unknown[]]>([
    ['topic', ['a/#', 'x']],
    ['payload', ['a', 7]],
    ['qos', ['a', 'x', { qos: 3 }]],
  ])('name the %s that is wrong, and ask nobody', async (field, args) => {
    const { client, calls } = await connected();
    const request = client.request as (...args: unknown[]) => Promise<unknown>;
    await expect(request(...args)).rejects.toMatchObject({ code: 'bad-option', field });
    expect(calls).toEqual([]);
  });

  const correlationData = new Uint8Array([1, 2]);
  const asking: Given = {
    topic: 'ask',
    qos: 1,
    properties: { responseTopic: 'reply/here', correlationData },
  };

  async function responding(answer: (request: Message) => unknown, options?: SubscribeOptions) {
    const all = await connected();
    const subscription = await all.client.respond('ask', (request) => answer(request) as Answer, options);
    const errors: MqttError[] = [];
    all.client.on('error', (error) => errors.push(error));
    return { ...all, subscription, errors };
  }

  test.each<[string, () => unknown, unknown[]]>([
    ['text', () => 'x', ['reply/here', new Uint8Array([0x78]), { qos: 1, properties: { correlationData } }]],
    [
      'a promise of bytes',
      async () => new Uint8Array([1]),
      ['reply/here', new Uint8Array([1]), { qos: 1, properties: { correlationData } }],
    ],
    [
      'everything',
      () => ({ payload: 'x', qos: 0, properties: { contentType: 't', correlationData: 'mine' } }),
      ['reply/here', new Uint8Array([0x78]), { qos: 0, properties: { contentType: 't', correlationData } }],
    ],
  ])('are answered with %s', async (_, answer, [topic, payload, options]) => {
    const { receive, sent, subscription } = await responding(answer, { qos: 2 });
    expect(subscription).toMatchObject({ filter: 'ask', qos: 2 });
    await receive(asking).done;
    expect(sent('publish')).toEqual([[topic, payload, { ...(options as object), timeout: 30_000 }]]);
  });

  test.each<[string, unknown, Given]>([
    ['without a response topic', 'x', { topic: 'ask' }],
    ['that the handler has no answer to', undefined, asking],
  ])('%s are handled and not answered', async (_, answer, given) => {
    const handler = vi.fn(() => answer);
    const { receive, sent } = await responding(handler);
    await receive(given).done;
    expect(handler).toHaveBeenCalledTimes(1);
    expect(sent('publish')).toEqual([]);
  });

  test('whose handler throws, or answers with what is none, are reported', async () => {
    const reported: unknown[] = [];
    vi.stubGlobal('reportError', (error: unknown) => reported.push(error));
    const answers = [() => Promise.reject('thrown'), () => 7, () => null, () => ({ payload: 'x', qos: 3 })];
    const { receive, sent, errors } = await responding(() => answers.shift()?.());
    await receive(asking, asking, asking, asking).done;
    expect(reported).toHaveLength(4);
    expect(reported).toEqual(
      expect.arrayContaining([
        'thrown',
        expect.objectContaining({ field: 'payload' }),
        expect.objectContaining({ field: 'qos' }),
      ]),
    );
    expect([sent('publish'), errors]).toEqual([[], []]);
  });

  test('whose answer cannot be sent are an error event', async () => {
    const lost = new MqttError('not-connected', 'no');
    const { client, receive } = await connected({ publish: () => Promise.reject(lost) });
    const errors: MqttError[] = [];
    client.on('error', (error) => errors.push(error));
    await client.respond('ask', () => 'x');
    await receive(asking).done;
    await receive({ topic: 'ask', properties: { responseTopic: 'a/#' } }).done;
    expect(errors).toEqual([lost, expect.objectContaining({ code: 'bad-option', field: 'topic' })]);
  });

  test('need a handler to respond', async () => {
    const { client } = await connected();
    const respond = client.respond as (...args: unknown[]) => Promise<unknown>;
    await expect(respond('a')).rejects.toMatchObject({ code: 'bad-option', field: 'handler' });
  });
});

describe('functions among the options', () => {
  const down = new Error('the token server is down');
  const credentials = (): never => {
    throw down;
  };
  const info = { url: 'ws://broker.test/mqtt', attempt: 0 };

  test('give the reason why connecting failed', async () => {
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

  test('give the reason of an error event', async () => {
    const { client, sink } = await connected({}, { credentials });
    const causes: unknown[] = [];
    client.on('error', ({ cause }) => causes.push(cause));
    const error = { code: 'aborted', message: 'm', field: 'credentials' };
    sink().onEvent({ type: 'error', error });
    await expect(sink().onAttempt?.(info)).rejects.toMatchObject({ cause: down });
    sink().onEvent({ type: 'error', error });
    expect(causes).toEqual([undefined, down]);
  });

  test('give the reason why authenticating again failed', async () => {
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

test('reconnect wakes the engine, reauthenticate makes it authenticate, while there is a client', async () => {
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

test('ping gives the milliseconds, setPacketEvents turns the events on, while there is a client', async () => {
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

test('what only a handler asked for reaches no listener, until somebody else asks too', async () => {
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
  await own.unsubscribe();
  receive({ topic: '$SYS/b' });
  expect(seen).toEqual(['batch $SYS/b', 'message $SYS/b']);
  await expect(client.subscribe('a', options)).rejects.toMatchObject({ field: 'handlerOnly' });
});

describe('the page', () => {
  const page = () => ({
    window: new EventTarget(),
    document: Object.assign(new EventTarget(), { visibilityState: 'visible' as const }),
  });
  const persisted = () => Object.assign(new Event('pageshow'), { persisted: true });
  const names = (calls: unknown[][]) => calls.map(([name]) => name);

  test('offline is an event, and a reason to look at the connection', async () => {
    const where = page();
    const { client, calls } = await connected({}, {}, where);
    const seen: string[] = [];
    client.on('offline', () => seen.push(client.state));
    where.window.dispatchEvent(new Event('offline'));
    expect(seen).toEqual(['connected']);
    expect(names(calls)).toEqual(['wake']);
  });

  test('a connection given up for the back-forward cache is disconnected until the page is back', async () => {
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

  test('an attempt given up for it is not one any more', async () => {
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

  test('a call that fails then is told by events alone', async () => {
    const where = page();
    const { calls } = await connected({ wake: () => Promise.reject(new Error('no')) }, {}, where);
    where.window.dispatchEvent(new Event('online'));
    await settled();
    expect(names(calls)).toEqual(['wake']);
  });

  test('a shared connection is looked at too, and goes on without the page', async () => {
    const where = page();
    const { calls } = await connected({}, { shared: true }, where);
    where.window.dispatchEvent(new Event('online'));
    where.document.dispatchEvent(new Event('visibilitychange'));
    expect(names(calls)).toEqual(['wake', 'wake']);
    where.window.dispatchEvent(new Event('pagehide'));
    expect(names(calls)).toEqual(['wake', 'wake']);
    where.window.dispatchEvent(persisted());
    expect(names(calls)).toEqual(['wake', 'wake', 'wake']);
  });

  test('a client that has ended does not follow it', async () => {
    const where = page();
    const { client, calls } = await connected({}, {}, where);
    await client.end();
    calls.length = 0;
    for (const type of ['offline', 'online', 'pagehide']) where.window.dispatchEvent(new Event(type));
    expect(calls).toEqual([]);
  });
});

describe('ending', () => {
  test('sends DISCONNECT once, emits close and end once, and refuses what comes later', async () => {
    const { client, sent, sink } = await connected();
    const seen: unknown[] = [];
    client.on('close', (error) => seen.push(['close', error]));
    client.on('end', (error) => seen.push(['end', error, client.state]));
    const properties = { sessionExpiryInterval: 5 };
    await Promise.all([client.end(false, { reasonCode: 4, properties }), client.end()]);
    sink().onEvent({ type: 'close' });
    sink().onEvent({ type: 'end' });
    await client.end();
    expect(sent('disconnect')).toEqual([
      [{ reasonCode: 4, sessionExpiryInterval: 5, force: false, timeout: 30_000 }],
    ]);
    expect(seen).toEqual([
      ['close', undefined],
      ['end', undefined, 'disconnected'],
    ]);
    for (const call of [client.publish('a', 'x'), client.subscribe('a'), client.unsubscribe('a')]) {
      await expect(call).rejects.toMatchObject({ code: 'not-connected' });
    }
  });

  test('a bad option leaves the client as it was', async () => {
    const bad = new MqttError('bad-option', 'no', { field: 'sessionExpiryInterval' });
    const { client } = await connected({ disconnect: () => Promise.reject(bad) });
    await expect(client.end(false, { reasonCode: 999 })).rejects.toMatchObject({ field: 'reasonCode' });
    await expect(client.end()).rejects.toBe(bad);
    expect(client.connected).toBe(true);
    await client.publish('a', 'x');
  });

  test('impatience overtakes patience', async () => {
    const { client, sent } = await connected({
      disconnect: (options) => (options?.force ? Promise.resolve() : new Promise(() => {})),
    });
    void client.end();
    await client.end(true);
    expect(client.state).toBe('disconnected');
    expect(sent('disconnect')).toHaveLength(2);
  });

  test('no time to end well: it ends all the same, and says so', async () => {
    const timeout = new MqttError('timeout', 'packets in flight');
    const { client, sent } = await connected({
      disconnect: (options) => (options?.force ? Promise.resolve() : Promise.reject(timeout)),
    });
    await expect(client.end()).rejects.toBe(timeout);
    expect(client.state).toBe('disconnected');
    expect(sent('disconnect')[1]).toEqual([{ force: true }]);
  });

  test('a crash ends the client, and later calls name it as the cause', async () => {
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
