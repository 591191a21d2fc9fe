import { expect, test, vi } from 'vitest';
import { language } from '../../core/i18n/i18n';
import { fakeTiming } from '../testing';
import { summaryOf } from './describe';
import { fileOf } from './export';
import { createPacketLog } from './packet-log';
import { connectPacket, packet, sized } from './testing';

vi.mock('./describe', async (original) => {
  const { summaryOf, ...rest } = await original<typeof import('./describe')>();
  return { ...rest, summaryOf: vi.fn(summaryOf) };
});

const publish = (id: number, at = 0, topic = 'a') => packet(0x32, [...sized(topic), 0, id, 0], at);
const puback = (id: number, at = 0) => packet(0x40, [0, id], at);

function log(most?: number, bytes?: number) {
  const time = fakeTiming();
  const made = createPacketLog(time.shown, time.timing, most, bytes);
  return {
    ...time,
    ...made,
    draw: () => time.pass(250),
    shown: () => made.listed().map(({ packet: { cmd }, identifier }) => `${cmd} ${identifier ?? ''}`.trim()),
  };
}

test('packets are listed in order with their identifiers and intervals', () => {
  const { push, draw, shown, view, at } = log();
  push(true, packet(0xc0, [], 100));
  push(true, publish(5, 112));
  push(false, puback(5, 130));
  draw();
  expect(shown()).toEqual(['pingreq', 'publish 5', 'puback 5']);
  expect([0, 1, 2].map((position) => at(position)?.entry.gap)).toEqual([undefined, 12, 18]);
  expect(view.value).toMatchObject({ first: 0, end: 3, kept: 3, evicted: 0 });
});

test('an ack is matched by type, packet identifier and direction', () => {
  const { push, get } = log();
  push(true, publish(5, 10));
  push(false, publish(5, 20)); // the broker's own packet identifier 5
  push(true, puback(5, 21));
  push(false, puback(5, 40));
  expect(get(3)).toMatchObject({ request: 0, took: 30 });
  expect(get(0)).toMatchObject({ answer: 3, took: 30 });
  expect(get(2)).toMatchObject({ request: 1, took: 1 });
  push(false, puback(5, 50)); // acknowledges nothing
  expect(get(4)?.request).toBeUndefined();
});

test('a PINGRESP answers no PINGREQ of the connection before', () => {
  const { push, get } = log();
  push(true, connectPacket());
  push(true, packet(0xc0, [], 10)); // the connection is lost without an answer
  push(true, connectPacket());
  push(true, packet(0xc0, [], 90_000));
  push(false, packet(0xd0, [], 90_004));
  expect(get(4)).toMatchObject({ request: 3, took: 4 });
  expect(get(1)?.answer).toBeUndefined();
});

test('a message of QoS 2 is followed to its end, and PINGRESPs answer in order', () => {
  const { push, get } = log();
  push(true, packet(0x34, [...sized('a'), 0, 7, 0]));
  push(false, packet(0x50, [0, 7]));
  push(true, packet(0x62, [0, 7]));
  push(false, packet(0x70, [0, 7]));
  expect([1, 2, 3].map((number) => get(number)?.request)).toEqual([0, 1, 2]);
  push(true, packet(0xc0));
  push(true, packet(0xc0));
  push(false, packet(0xd0));
  push(false, packet(0xd0));
  expect([6, 7].map((number) => get(number)?.request)).toEqual([4, 5]);
});

test('an ack belongs to the latest of repeated PUBLISH packets', () => {
  const { push, get } = log();
  push(true, publish(5, 0));
  push(true, publish(5, 100));
  push(false, puback(5, 130));
  push(true, publish(5, 200));
  push(false, puback(5, 210));
  expect(get(2)).toMatchObject({ request: 1, took: 30 });
  expect(get(4)).toMatchObject({ request: 3, took: 10 });
});

test('filters by type, direction and text, also later packets', () => {
  const { push, edit, shown, draw, view } = log();
  push(true, publish(1, 0, 'garden'));
  push(false, publish(2, 0, 'house'));
  push(false, puback(1));
  edit({ type: 'publish' });
  expect(shown()).toEqual(['publish 1', 'publish 2']);
  edit({ direction: 'received' });
  expect(shown()).toEqual(['publish 2']);
  push(false, publish(3, 0, 'HOUSE'));
  push(true, publish(4, 0, 'house'));
  draw();
  expect(shown()).toEqual(['publish 2', 'publish 3']);
  edit({ type: '', direction: '', search: 'House' });
  expect(shown()).toEqual(['publish 2', 'publish 3', 'publish 4']);
  expect(view.value).toMatchObject({ kept: 5, first: 0, end: 3 });
});

test('each packet is decoded once for the search, whatever is typed', async () => {
  const { push, edit, settle, listed, view } = log();
  const decoded = () => vi.mocked(summaryOf).mock.calls.length;
  vi.mocked(summaryOf).mockClear();
  for (let id = 0; id < 200; id++) push(true, publish(id, 0, id % 2 ? 'garden' : 'house'));
  await settle();
  expect(decoded()).toBe(0);
  for (const search of ['g', 'ga', 'gar']) {
    edit({ search });
    await settle();
    expect([decoded(), listed().length]).toEqual([200, 100]);
  }
  push(true, publish(200, 0, 'garden'));
  await settle();
  expect([decoded(), listed().length]).toEqual([201, 101]);
  expect(view.value.looked).toBe(1);
});

test('searches in slices', async () => {
  const { push, edit, view, settle } = log();
  for (let count = 0; count < 2000; count++) push(true, publish(1));
  edit({ search: 'a' });
  expect(view.value.looked).toBeLessThan(1);
  await settle();
  expect(view.value).toMatchObject({ looked: 1, end: 2000 });
});

test('a packet’s search text counts as bytes, and its decoded fields are not kept', () => {
  const { push, edit, get, view, summary } = log();
  const held = publish(1, 0, 'x'.repeat(100));
  let asked = 0;
  push(true, {
    ...held,
    get fields() {
      asked++;
      return held.fields;
    },
  });
  edit({});
  const before = view.value.bytes;
  edit({ search: 'xxx' });
  const entry = get(0);
  if (!entry) throw new Error('no packet');
  expect(view.value.bytes - before).toBe(2 * summary(entry).length);
  expect(asked).toBe(0);
});

test('a summary is in the page’s language', () => {
  const { push, get, summary } = log();
  push(true, publish(1));
  const entry = get(0);
  if (!entry) throw new Error('no packet');
  vi.mocked(summaryOf).mockClear();
  summary(entry);
  try {
    language.value = 'zh';
    summary(entry);
    summary(entry);
    expect(summaryOf).toHaveBeenCalledTimes(2);
  } finally {
    language.value = 'en';
  }
});

test('the oldest packets are dropped, by count and by bytes', () => {
  const few = log(2);
  for (const id of [1, 2, 3]) {
    few.push(true, publish(id));
    few.draw();
  }
  expect(few.shown()).toEqual(['publish 2', 'publish 3']);
  expect(few.view.value).toMatchObject({ first: 1, end: 3, evicted: 1 });
  expect(few.at(0)).toBeUndefined();
  expect(few.at(1)?.entry.identifier).toBe(2);

  const small = log(100, 600);
  for (const id of [1, 2, 3]) small.push(true, publish(id));
  small.draw();
  expect(small.shown()).toEqual(['publish 2', 'publish 3']);
});

test('clearing does not count as dropping, and later acks have no match', () => {
  const { push, clear, view, get } = log();
  push(true, publish(1));
  clear();
  push(false, puback(1));
  expect(view.value).toMatchObject({ kept: 0, evicted: 0 });
  expect(get(1)?.request).toBeUndefined();
});

test('the export contains what the filter selects', async () => {
  const { push, edit, listed } = log();
  push(true, publish(1, 5));
  push(false, puback(1, 9));
  push(true, packet(0xc0));
  edit({ search: '1' });
  const lines = (await (await fileOf(listed(), 'NDJSON')).text()).trim().split('\n');
  expect(lines.map((line) => JSON.parse(line))).toMatchObject([
    {
      number: 1,
      direction: 'sent',
      packet: 'PUBLISH',
      packetIdentifier: 1,
      fields: { topic: 'a', payload: '' },
    },
    { number: 2, direction: 'received', packet: 'PUBACK', answers: 1, milliseconds: 4 },
  ]);
  expect(JSON.parse(await (await fileOf(listed(), 'JSON')).text())).toHaveLength(2);
});
