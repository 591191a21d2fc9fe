import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { Message, MessageProperties } from '../../client';
import { base64 } from '../payload/codecs/base64';
import { type Entry, entryFor } from './entry';
import { cell, fileOf } from './export';
import { json, recordOf } from './record';

function entry(payload: string | Uint8Array, rest: Partial<Message> = {}, sent = false): Entry {
  const bytes = typeof payload === 'string' ? new TextEncoder().encode(payload) : payload;
  const message = {
    topic: 'a/b',
    payload: bytes,
    qos: 0,
    retain: false,
    dup: false,
    receivedAt: Date.UTC(2026, 0, 2, 3, 4, 5, 678),
    properties: {},
    size: 10,
    ...rest,
  } as Message;
  return entryFor(message, 0, { id: 1, name: 'broker.example:8083' }, sent);
}

let rests = 0;
const rest = async () => {
  rests++;
};

/** Parses RFC 4180 with every field quoted. */
function parseCsv(text: string): string[][] {
  expect(text.endsWith('\r\n')).toBe(true);
  const rows: string[][] = [[]];
  const field = /"((?:[^"]|"")*)"(,|\r\n)/gy;
  for (const [, value = '', end] of text.matchAll(field)) {
    rows.at(-1)?.push(value.replaceAll('""', '"'));
    if (end !== ',') rows.push([]);
  }
  expect(field.lastIndex).toBe(0);
  rows.pop();
  return rows;
}

const properties: MessageProperties = {
  payloadFormatIndicator: true,
  contentType: 'text/plain',
  messageExpiryInterval: 60,
  responseTopic: 'answers',
  correlationData: Uint8Array.of(0xff),
  subscriptionIdentifier: 3,
  userProperties: [
    ['__proto__', '1'],
    ['__proto__', '2'],
  ],
};

it('contains every field of a message', () => {
  const one = entry('21 °C', { qos: 1, retain: true, properties });
  expect(recordOf(one)).toEqual({
    time: '2026-01-02T03:04:05.678Z',
    connection: 'broker.example:8083',
    direction: 'received',
    topic: 'a/b',
    payload: '21 °C',
    payloadEncoding: 'utf-8',
    qos: 1,
    retain: true,
    dup: false,
    properties: {
      ...properties,
      correlationData: '/w==',
      correlationDataEncoding: 'base64',
      subscriptionIdentifier: [3],
    },
  });
  expect(JSON.parse(json(one))).toEqual(recordOf(one));
});

it('gives the encoding of a payload', () => {
  expect(recordOf(entry(Uint8Array.of(0xff, 0)))).toMatchObject({
    payload: '/wA=',
    payloadEncoding: 'base64',
  });
  expect(recordOf(entry(''))).toMatchObject({ payload: '', payloadEncoding: 'utf-8' });
  expect(recordOf({ ...entry('', {}, true), unsent: true })).toMatchObject({ direction: 'not sent' });
});

it('base64 matches Node’s', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
      expect(base64(bytes)).toBe(Buffer.from(bytes).toString('base64'));
    }),
  );
  const long = new Uint8Array(100_001).map((_, index) => index * 7);
  expect(base64(long)).toBe(Buffer.from(long).toString('base64'));
});

it.each([
  ['plain', '"plain"'],
  ['say "hi",\r\n', '"say ""hi"",\r\n"'],
  [undefined, '""'],
  [false, '"false"'],
  ['-21.5', '"-21.5"'],
  ['+1e6', '"+1e6"'],
  ['=HYPERLINK("http://x")', '"\'=HYPERLINK(""http://x"")"'],
  ['+1+cmd|', '"\'+1+cmd|"'],
  ['-1\n=2', '"\'-1\n=2"'],
  ['@SUM(A1)', '"\'@SUM(A1)"'],
  ['\t=1', '"\'\t=1"'],
])('the cell of %j is %s', (value, expected) => expect(cell(value)).toBe(expected));

it('any messages survive export and import in each format', async () => {
  const any = fc.array(
    fc.record({
      topic: fc.string({ unit: 'binary' }),
      payload: fc.oneof(fc.uint8Array(), fc.string()),
      sent: fc.boolean(),
    }),
  );
  await fc.assert(
    fc.asyncProperty(any, async (given) => {
      const entries = given.map(({ topic, payload, sent }) => entry(payload, { topic, properties }, sent));
      const records = JSON.parse(JSON.stringify(entries.map(recordOf)));
      const text = async (format: 'JSON' | 'NDJSON' | 'CSV') =>
        (await fileOf(entries, format, undefined, rest)).text();

      expect(JSON.parse(await text('JSON'))).toEqual(records);
      const lines = (await text('NDJSON')).split('\n');
      expect(lines.pop()).toBe('');
      expect(lines.map((line) => JSON.parse(line))).toEqual(records);

      const [head = [], ...rows] = parseCsv(await text('CSV'));
      expect(rows).toHaveLength(entries.length);
      const at = head.indexOf('payload');
      const by = head.indexOf('connection');
      for (const [index, row] of rows.entries()) {
        expect(row).toHaveLength(head.length);
        expect(row[by]).toBe('broker.example:8083');
        expect(`"${(row[at] ?? '').replaceAll('"', '""')}"`).toBe(cell(records[index].payload));
      }
    }),
    { numRuns: 50 },
  );
});

it('yields to the page, and reports its progress', async () => {
  rests = 0;
  const told: number[] = [];
  const entries = Array.from({ length: 30_000 }, () => entry('x'.repeat(100)));
  const file = await fileOf(entries, 'NDJSON', (done) => told.push(done), rest);
  expect((await file.text()).split('\n')).toHaveLength(30_001);
  expect(rests).toBeGreaterThan(1);
  expect(told).toHaveLength(rests);
  expect(told).toEqual([...told].sort((a, b) => a - b));
});
