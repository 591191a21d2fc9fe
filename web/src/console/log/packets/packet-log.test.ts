import { expect, test } from 'vitest';
import { fileOf } from './export';
import { createPacketLog } from './packet-log';
import { packet, sized } from './testing';

const publish = (id: number, at = 0, topic = 'a') => packet(0x32, [...sized(topic), 0, id, 0], at);
const puback = (id: number, at = 0) => packet(0x40, [0, id], at);

function log(most?: number, bytes?: number) {
  const frames: (() => void)[] = [];
  const made = createPacketLog((call) => frames.push(call), most, bytes);
  return {
    ...made,
    draw: () => {
      for (const call of frames.splice(0)) call();
    },
    shown: () => made.listed().map(({ packet: { cmd }, identifier }) => `${cmd} ${identifier ?? ''}`.trim()),
  };
}

test('packets are listed in order with their identifiers and the time between', () => {
  const { push, draw, shown, view, at } = log();
  push(true, packet(0xc0, [], 100));
  push(true, publish(5, 112));
  push(false, puback(5, 130));
  draw();
  expect(shown()).toEqual(['pingreq', 'publish 5', 'puback 5']);
  expect([0, 1, 2].map((position) => at(position)?.gap)).toEqual([undefined, 12, 18]);
  expect(view.value).toMatchObject({ first: 0, end: 3, kept: 3, evicted: 0 });
});

test('an answer is found by kind, identifier and direction', () => {
  const { push, get } = log();
  push(true, publish(5, 10));
  push(false, publish(5, 20)); // the broker's own 5
  push(true, puback(5, 21));
  push(false, puback(5, 40));
  expect(get(3)).toMatchObject({ request: 0, took: 30 });
  expect(get(0)).toMatchObject({ answer: 3, took: 30 });
  expect(get(2)).toMatchObject({ request: 1, took: 1 });
  push(false, puback(5, 50)); // answers nothing
  expect(get(4)?.request).toBeUndefined();
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

test('a repeated PUBLISH is what its answer is for', () => {
  const { push, get } = log();
  push(true, publish(5, 0));
  push(true, publish(5, 100));
  push(false, puback(5, 130));
  push(true, publish(5, 200));
  push(false, puback(5, 210));
  expect(get(2)).toMatchObject({ request: 1, took: 30 });
  expect(get(4)).toMatchObject({ request: 3, took: 10 });
});

test('filters by type, direction and text; what comes later is filtered too', () => {
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
  edit({ type: '', direction: '', text: 'House' });
  expect(shown()).toEqual(['publish 2', 'publish 3', 'publish 4']);
  expect(view.value).toMatchObject({ kept: 5, first: 0, end: 3 });
});

test('the oldest make room, by count and by bytes', () => {
  const few = log(2);
  for (const id of [1, 2, 3]) few.push(true, publish(id));
  few.draw();
  expect(few.shown()).toEqual(['publish 2', 'publish 3']);
  expect(few.view.value).toMatchObject({ first: 1, end: 3, evicted: 1 });
  expect(few.at(0)).toBeUndefined();
  expect(few.at(1)?.identifier).toBe(2);

  const small = log(100, 600);
  for (const id of [1, 2, 3]) small.push(true, publish(id));
  small.draw();
  expect(small.shown()).toEqual(['publish 2', 'publish 3']);
});

test('what is cleared was not dropped, and answers to it find nothing', () => {
  const { push, clear, view, get } = log();
  push(true, publish(1));
  clear();
  push(false, puback(1));
  expect(view.value).toMatchObject({ kept: 0, evicted: 0 });
  expect(get(1)?.request).toBeUndefined();
});

test('a file has what the filter selects', async () => {
  const { push, edit, listed } = log();
  push(true, publish(1, 5));
  push(false, puback(1, 9));
  push(true, packet(0xc0));
  edit({ text: '1' });
  const lines = (await fileOf(listed(), 'NDJSON').text()).trim().split('\n');
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
  expect(JSON.parse(await fileOf(listed(), 'JSON').text())).toHaveLength(2);
});
