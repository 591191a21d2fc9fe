import { expect, test } from 'vitest';
import type { ToWorker } from '../../protocol/messages';
import { page } from './testing-calls';

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
