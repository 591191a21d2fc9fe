import { expect, test } from 'vitest';
import { connect, pubacks, publish, subscribe, walk } from './packets';

function joined(...parts: Uint8Array[]): Uint8Array {
  return Uint8Array.from(parts.flatMap((part) => [...part]));
}

function walked(bytes: Uint8Array) {
  const packets: number[][] = [];
  const read = walk(bytes, (...packet) => packets.push(packet));
  return { packets, read };
}

test('CONNECT, SUBSCRIBE, PUBLISH and PUBACK are as the specification has them', () => {
  expect([...connect()]).toEqual([0x10, 13, 0, 4, 0x4d, 0x51, 0x54, 0x54, 5, 2, 0, 0, 0, 0, 0]);
  expect([...subscribe('a/#', 1)]).toEqual([0x82, 9, 0, 1, 0, 0, 3, 0x61, 0x2f, 0x23, 1]);
  expect([...publish('t', 'p', 0, 0)]).toEqual([0x30, 5, 0, 1, 0x74, 0, 0x70]);
  expect([...publish('t', 'p', 2, 0x102)]).toEqual([0x34, 7, 0, 1, 0x74, 1, 2, 0, 0x70]);
  expect([...pubacks([1, 0x203])]).toEqual([0x40, 2, 0, 1, 0x40, 2, 2, 3]);
});

test('walk finds each packet of a frame', () => {
  const long = publish('t', 'x'.repeat(300), 0, 0);
  const bytes = joined(publish('t', 'p', 0, 0), long, pubacks([7]));
  expect(walked(bytes)).toEqual({
    packets: [
      [0x30, 2, 7],
      [0x30, 10, 7 + long.length],
      [0x40, 9 + long.length, bytes.length],
    ],
    read: bytes.length,
  });
});

test('walk stops before a packet that is not whole, wherever it is cut', () => {
  const first = publish('t', 'p', 0, 0);
  const long = publish('t', 'x'.repeat(300), 0, 0);
  const bytes = joined(first, long);
  for (let end = first.length; end < bytes.length; end++) {
    const { packets, read } = walked(bytes.subarray(0, end));
    expect([packets.length, read]).toEqual([1, first.length]);
  }
});
