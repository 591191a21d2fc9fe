import { describe, expect, test, vi } from 'vitest';
import type { BoundarySink, ClientEvent } from '../../protocol/boundary';
import type { Method, ToWorker } from '../../protocol/messages';
import { MqttError } from '../errors';
import { createCalls } from './calls';

const options = { url: 'ws://broker.test/mqtt' };
const silent: BoundarySink = { onBatch: () => undefined, onEvent: () => {} };

/** The page's side; the test plays the worker that it posts to. */
function page() {
  const posted: ToWorker[] = [];
  const transferred: Transferable[][] = [];
  const failed = vi.fn();
  const rpc = createCalls((message, transfer = []) => {
    posted.push(message);
    transferred.push(transfer);
  }, failed);
  const last = <T extends ToWorker['type']>(type: T) =>
    posted.findLast((message) => message.type === type) as Extract<ToWorker, { type: T }>;
  const called = (method: Method) =>
    posted.findLast((message) => message.type === 'call' && message.method === method) as Extract<
      ToWorker,
      { type: 'call' }
    >;
  async function connected(sink: Partial<BoundarySink> = {}) {
    const connecting = rpc.boundary.connect({ ...options, ...silent, ...sink });
    rpc.receive({ type: 'result', id: last('connect').id, value: undefined });
    return { link: await connecting, client: last('connect').client };
  }
  return { ...rpc, posted, transferred, failed, last, called, connected };
}

test('calls are posted with their id, options and payload, and resolve with their results', async () => {
  const { posted, transferred, receive, called, connected } = page();
  const { link, client } = await connected();
  const payload = new Uint8Array(20_000);
  const properties = { contentType: 'c' };
  const first = link.publish('a', payload, { qos: 1, properties, timeout: 5 });
  const second = link.subscribe([{ topic: 'b', qos: 0 }]);
  expect(posted.slice(1)).toEqual([
    {
      type: 'call',
      id: 2,
      client,
      method: 'publish',
      args: ['a', payload, { qos: 1, properties }],
      timeout: 5,
      abortable: false,
    },
    {
      type: 'call',
      id: 3,
      client,
      method: 'subscribe',
      args: [[{ topic: 'b', qos: 0 }], {}],
      abortable: false,
    },
  ]);
  expect(transferred[1]).toEqual([payload.buffer]);
  receive({ type: 'result', id: called('subscribe').id, value: { reasonCodes: [0] } });
  receive({ type: 'result', id: called('publish').id, value: { reasonCode: 16 } });
  expect(await first).toEqual({ reasonCode: 16 });
  expect(await second).toEqual({ reasonCodes: [0] });
});

/** For each publish of a batch: its id and the fields of its record, properties in hex. */
function recordsOf({ id, count, records }: Extract<ToWorker, { type: 'publishes' }>) {
  const view = new DataView(records.buffer);
  const list: unknown[] = [];
  for (let at = 0, n = 0; n < count; n++) {
    const end = at + 4 + view.getUint32(at, true);
    const topicEnd = at + 11 + view.getUint16(at + 9);
    const text = (from: number, to: number) => new TextDecoder().decode(records.subarray(from, to));
    const flags = view.getUint8(at + 4);
    const payloadAt = flags & 16 ? topicEnd + 4 + view.getUint32(topicEnd, true) : topicEnd;
    const properties =
      flags & 16 ? [Buffer.from(records.subarray(topicEnd + 4, payloadAt)).toString('hex')] : [];
    const limit = view.getUint32(at + 5, true);
    list.push([id + n, text(at + 11, topicEnd), text(payloadAt, end), flags, limit, ...properties]);
    at = end;
  }
  return list;
}

/** Encodes acks as the Go program does. */
function acksOf(...settled: [id: number, reasonCode: number][]): ArrayBuffer {
  const view = new DataView(new ArrayBuffer(settled.length * 9));
  for (const [n, [id, reasonCode]] of settled.entries()) {
    view.setFloat64(n * 9, id, true);
    view.setUint8(n * 9 + 8, reasonCode);
  }
  return view.buffer;
}

const bytes = (text: string) => new TextEncoder().encode(text);

test('publishes of one task are posted in one message at its end, and settle separately', async () => {
  const { posted, transferred, receive, last, connected } = page();
  const { link } = await connected();
  const calls = [
    link.publish('a', bytes('x')),
    link.publish('a', bytes(''), { qos: 1, retain: true, timeout: 0 }),
    Promise.resolve().then(() =>
      link.publish('\u00e9', bytes('yz'), { qos: 2, waitFor: 'stored', timeout: 7 }),
    ),
    link.publish('b', bytes('4'), { qos: 1 }),
  ];
  expect(posted).toHaveLength(1);
  await new Promise((resolve) => setImmediate(resolve));
  expect(posted.slice(1).map(({ type }) => type)).toEqual(['publishes', 'publishes']);
  const [first, second] = posted.slice(1) as Extract<ToWorker, { type: 'publishes' }>[];
  expect(recordsOf(first as typeof second & object)).toEqual([
    [2, 'a', 'x', 0, 30_000],
    [3, 'a', '', 3, 0],
    [4, 'b', '4', 2, 30_000],
  ]);
  expect(recordsOf(last('publishes'))).toEqual([[5, '\u00e9', 'yz', 12, 7]]);
  expect(transferred.at(-1)).toEqual([last('publishes').records.buffer]);
  const error = { code: 'timeout', message: 'late' };
  receive({
    type: 'published',
    acks: acksOf([5, 0], [3, 16]),
    others: [
      { id: 2, error },
      { id: 4, ack: { reasonCode: 0, reasonString: 'r' } },
    ],
  });
  expect(await Promise.allSettled(calls)).toEqual([
    { status: 'rejected', reason: expect.objectContaining({ name: 'MqttError', ...error }) },
    { status: 'fulfilled', value: { reasonCode: 16 } },
    { status: 'fulfilled', value: { reasonCode: 0 } },
    { status: 'fulfilled', value: { reasonCode: 0, reasonString: 'r' } },
  ]);
});

test('publishes with properties are posted in order with the others', async () => {
  const { posted, last, connected } = page();
  const { link } = await connected();
  void link.publish('a', bytes('1'));
  void link.publish('b', bytes('2'), {
    qos: 1,
    properties: {
      payloadFormatIndicator: true,
      messageExpiryInterval: 0x0102_0304,
      topicAlias: 0x0506,
      responseTopic: 'r',
      correlationData: new Uint8Array([7]),
      userProperties: [
        ['k', 'v'],
        ['k', ''],
      ],
      contentType: '\u00e9',
    },
  });
  void link.publish('c', bytes('3'), { properties: {} });
  void link.publish('d', bytes('4'));
  await new Promise((resolve) => setImmediate(resolve));
  expect(posted.slice(1).map(({ type }) => type)).toEqual(['publishes']);
  const properties = '0101 0201020304 030002c3a9 08000172 09000107 230506 2600016b000176 2600016b0000';
  expect(recordsOf(last('publishes'))).toEqual([
    [2, 'a', '1', 0, 30_000],
    [3, 'b', '2', 18, 30_000, properties.replaceAll(' ', '')],
    [4, 'c', '3', 16, 30_000, ''],
    [5, 'd', '4', 0, 30_000],
  ]);
});

test('text is posted as UTF-8, a lone surrogate as U+FFFD, in a batch and on its own', async () => {
  const { called, last, connected } = page();
  const { link } = await connected();
  const text = 'a\u00e9\u4e2d😀\ud800';
  void link.publish('a', text);
  void link.publish('b', text.repeat(10_000));
  await new Promise((resolve) => setImmediate(resolve));
  expect(recordsOf(last('publishes'))).toEqual([[2, 'a', 'a\u00e9\u4e2d😀\ufffd', 0, 30_000]]);
  expect(called('publish').args[1]).toEqual(bytes(text.repeat(10_000)));
});

test('publishes too large for one message are posted in several, in order', async () => {
  const { posted, connected } = page();
  const { link } = await connected();
  const longest = 'e'.repeat(65_535);
  const given = Array.from({ length: 300 }, (_, n): [topic: string, payload: string] => [
    n % 50 === 0 ? longest : `t/${n}`,
    '\u4e2d'.repeat(n % 3 === 0 ? 16 << 10 : n),
  ]);
  for (const [topic, payload] of given) void link.publish(topic, payload);
  await new Promise((resolve) => setImmediate(resolve));
  const batches = posted.filter((message) => message.type === 'publishes');
  expect(batches.flatMap(recordsOf)).toEqual(
    given.map(([topic, payload], n) => [n + 2, topic, payload, 0, 30_000]),
  );
  expect(batches.length).toBeGreaterThan(5);
  for (const { records } of batches) expect(records.length).toBeLessThan(384 << 10);
});

test('nothing overtakes a publish, not even of another client', async () => {
  const { posted, connected } = page();
  const [one, other] = [await connected(), await connected()];
  const before = posted.length;
  void one.link.publish('a', bytes('1'));
  void other.link.publish('a', bytes('2'));
  void one.link.publish('a', bytes('3'));
  void one.link.publish('a', bytes('4'), { properties: { contentType: 'c'.repeat(20_000) } });
  void one.link.publish('a', bytes('5'));
  void one.link.publish('a', bytes('6'), { signal: new AbortController().signal });
  void one.link.publish('a', bytes('7'));
  void one.link.publish('a', new Uint8Array(20_000));
  void one.link.publish('a', bytes('8'));
  void one.link.disconnect();
  const crossed = posted
    .slice(before)
    .map((message) => [
      message.type === 'call' ? message.method : message.type,
      'client' in message && message.client,
    ]);
  expect(crossed).toEqual([
    ['publishes', one.client],
    ['publishes', other.client],
    ['publishes', one.client],
    ['publish', one.client],
    ['publishes', one.client],
    ['publish', one.client],
    ['publishes', one.client],
    ['publish', one.client],
    ['publishes', one.client],
    ['disconnect', one.client],
  ]);
});

test('publishes still unposted when the program ends are rejected, and not posted', async () => {
  const { posted, receive, connected } = page();
  const { link } = await connected();
  const call = link.publish('a', bytes('1'));
  receive({ type: 'fatal', error: { code: 'crashed', message: 'it ended' } });
  await expect(call).rejects.toMatchObject({ code: 'crashed' });
  expect(posted).toHaveLength(1);
});

test('a rejection becomes an MqttError', async () => {
  const { receive, called, connected } = page();
  const { link } = await connected();
  const call = link.unsubscribe(['a']);
  receive({
    type: 'rejected',
    id: called('unsubscribe').id,
    error: { code: 'timeout', message: 'no answer', field: 'f' },
  });
  await expect(call).rejects.toMatchObject({ name: 'MqttError', code: 'timeout', field: 'f' });
});

test('neither callbacks nor the signal are posted', async () => {
  const { boundary, last, receive } = page();
  const { signal } = new AbortController();
  const environment = { WebSocket: class {}, openStore: () => Promise.reject(new Error('not here')) };
  const connecting = boundary.connect({ ...options, ...silent, signal, ...environment });
  const sent = last('connect');
  expect(() => structuredClone(sent)).not.toThrow();
  expect(sent).toMatchObject({ options, abortable: true });
  receive({ type: 'result', id: sent.id, value: undefined });
  await connecting;
});

test('a request transfers its payload, and resolves with the bytes of the response', async () => {
  const { transferred, receive, called, connected } = page();
  const { link, client } = await connected();
  const payload = new Uint8Array([1]);
  const call = link.request('a', payload, { qos: 1, timeout: 5 });
  const { id, ...sent } = called('request');
  expect(sent).toEqual({
    type: 'call',
    client,
    method: 'request',
    args: ['a', payload, { qos: 1 }],
    timeout: 5,
    abortable: false,
  });
  expect(transferred.at(-1)).toEqual([payload.buffer]);
  const value = new ArrayBuffer(4);
  receive({ type: 'result', id, value });
  expect(await call).toBe(value);
});

test.each(['reauthenticate', 'suspend', 'resume', 'wake'] as const)(
  '%s is posted with its limits',
  async (type) => {
    const { receive, called, connected } = page();
    const { link, client } = await connected();
    const call = link[type]({ timeout: 5 });
    const { id, ...sent } = called(type);
    expect(sent).toEqual({ type: 'call', client, method: type, args: [{}], timeout: 5, abortable: false });
    receive({ type: 'result', id, value: undefined });
    expect(await call).toBeUndefined();
  },
);

test('ping and tellPackets are posted', async () => {
  const { receive, called, connected } = page();
  const { link, client } = await connected();
  const ping = link.ping({ timeout: 5 });
  const { id, ...sent } = called('ping');
  expect(sent).toEqual({ type: 'call', client, method: 'ping', args: [{}], timeout: 5, abortable: false });
  receive({ type: 'result', id, value: 1.5 });
  expect(await ping).toBe(1.5);
  const telling = link.tellPackets({ on: true });
  const { id: second, ...told } = called('tellPackets');
  expect(told).toEqual({
    type: 'call',
    client,
    method: 'tellPackets',
    args: [{ on: true }],
    abortable: false,
  });
  receive({ type: 'result', id: second, value: undefined });
  expect(await telling).toBeUndefined();
});

describe('callbacks', () => {
  const info = { url: options.url, attempt: 1 };
  const step = { phase: 'start', method: 'm' } as const;

  test('are announced if the client has them', async () => {
    const { last, connected } = page();
    await connected();
    expect(last('connect').asks).toEqual([]);
    await connected({ onAttempt: async () => undefined, onAuthenticate: async () => undefined });
    expect(last('connect').asks).toEqual(['attempt', 'authenticate']);
  });

  test("get the client's result", async () => {
    const onAttempt = vi.fn(async () => ({ url: 'ws://other.test/' }));
    const onAuthenticate = vi.fn(async () => undefined);
    const { receive, posted, connected } = page();
    const { client } = await connected({ onAttempt, onAuthenticate });
    receive({ type: 'ask', id: 7, client, question: { kind: 'attempt', info } });
    receive({ type: 'ask', id: 8, client, question: { kind: 'authenticate', step } });
    await vi.waitFor(() =>
      expect(posted.slice(1)).toEqual([
        { type: 'answer', id: 7, value: { url: 'ws://other.test/' } },
        { type: 'answer', id: 8 },
      ]),
    );
    expect(onAttempt).toHaveBeenCalledWith(info);
    expect(onAuthenticate).toHaveBeenCalledWith(step);
  });

  test.each([
    [
      new MqttError('bad-option', 'credentials: no', { field: 'credentials', cause: 'not to cross' }),
      { code: 'bad-option', message: 'credentials: no', field: 'credentials' },
    ],
    ['what', { code: 'aborted', message: 'what' }],
  ])('that fail return the error as plain data (%s)', async (thrown, error) => {
    const { receive, last, connected } = page();
    const { client } = await connected({ onAttempt: () => Promise.reject(thrown) });
    receive({ type: 'ask', id: 7, client, question: { kind: 'attempt', info } });
    await vi.waitFor(() => expect(last('answer')).toEqual({ type: 'answer', id: 7, error }));
  });

  test('reach a client while it connects', async () => {
    const { boundary, receive, last } = page();
    void boundary.connect({ ...options, ...silent, onAttempt: async () => ({ username: 'me' }) });
    const { client } = last('connect');
    receive({ type: 'ask', id: 1, client, question: { kind: 'attempt', info } });
    await vi.waitFor(() => expect(last('answer').value).toEqual({ username: 'me' }));
  });
});

test('abort rejects at once, tells the worker, and ignores a late reply', async () => {
  const { receive, posted, last, connected, called } = page();
  const { link } = await connected();
  const controller = new AbortController();
  const call = link.publish('a', new Uint8Array(), { signal: controller.signal });
  const { id } = called('publish');
  controller.abort();
  await expect(call).rejects.toMatchObject({
    name: 'MqttError',
    code: 'aborted',
    cause: controller.signal.reason,
  });
  expect(last('abort').id).toBe(id);
  receive({ type: 'result', id, value: { reasonCode: 0 } });
  controller.abort();
  expect(posted.filter((message) => message.type === 'abort')).toHaveLength(1);
});

test.each([
  ['a word', 'enough'],
  ['an error', new Error('the user left')],
  ['nothing but null', null],
  ['what AbortSignal.timeout gives', new DOMException('late', 'TimeoutError')],
])('a custom abort reason rejects the call: %s', async (_, reason) => {
  const { connected } = page();
  const { link } = await connected();
  const controller = new AbortController();
  const call = link.publish('a', new Uint8Array(), { signal: controller.signal });
  controller.abort(reason);
  await expect(call).rejects.toBe(reason);
  await expect(link.ping({ signal: controller.signal })).rejects.toBe(reason);
});

test('a signal that has already fired rejects without posting', async () => {
  const { posted, connected } = page();
  const { link } = await connected();
  const before = posted.length;
  await expect(link.disconnect({ signal: AbortSignal.abort() })).rejects.toMatchObject({ code: 'aborted' });
  expect(posted).toHaveLength(before);
});

test('a settled call no longer listens to its signal', async () => {
  const { receive, posted, called, connected } = page();
  const { link } = await connected();
  const controller = new AbortController();
  const call = link.publish('a', new Uint8Array(), { signal: controller.signal });
  receive({ type: 'result', id: called('publish').id, value: { reasonCode: 0 } });
  await call;
  controller.abort();
  expect(posted.some((message) => message.type === 'abort')).toBe(false);
});

test('a connection made after its connect was aborted is closed', async () => {
  const { boundary, receive, last, called } = page();
  const controller = new AbortController();
  const call = boundary.connect({ ...options, ...silent, signal: controller.signal });
  const { id, client } = last('connect');
  controller.abort();
  await expect(call).rejects.toMatchObject({ code: 'aborted' });
  receive({ type: 'result', id, value: undefined });
  expect(called('disconnect')).toMatchObject({ client, args: [{ force: true }] });
});

test('a batch is acknowledged when the client has consumed it', async () => {
  let done = (): void => {};
  const onBatch = vi.fn(
    () =>
      new Promise<void>((resolve) => {
        done = resolve;
      }),
  );
  const { receive, posted, last, connected } = page();
  const { client } = await connected({ onBatch });
  const buffer = new ArrayBuffer(1);
  receive({ type: 'batch', client, buffer, count: 1, dropped: 2 });
  expect(onBatch).toHaveBeenCalledWith(buffer, 1, 2, undefined);
  await Promise.resolve();
  expect(posted.some((message) => message.type === 'consumed')).toBe(false);
  done();
  await vi.waitFor(() => expect(last('consumed')).toEqual({ type: 'consumed', client }));
});

test('fatal rejects every call, ends every client, and rejects later calls', async () => {
  const events: ClientEvent[] = [];
  const { boundary, receive, failed, posted, connected } = page();
  const { link } = await connected({ onEvent: (event) => events.push(event) });
  await connected({ onEvent: (event) => events.push(event) });
  const connecting = boundary.connect({ ...options, ...silent });
  const calls = [connecting, link.publish('a', new Uint8Array()), link.disconnect()];
  const error = { code: 'crashed', message: 'the Go program ended with code 2' };
  receive({ type: 'fatal', error });
  for (const call of calls) await expect(call).rejects.toMatchObject(error);
  expect(events).toEqual([
    { type: 'end', error },
    { type: 'end', error },
  ]);
  const before = posted.length;
  await expect(link.publish('a', new Uint8Array())).rejects.toMatchObject(error);
  await expect(boundary.connect({ ...options, ...silent })).rejects.toMatchObject(error);
  receive({ type: 'fatal', error });
  expect(posted).toHaveLength(before);
  expect(failed).toHaveBeenCalledTimes(1);
});
