import { expect, test } from 'vitest';
import type { Message } from '../client/index';
import { parsePath } from './path';
import { createReading, maxPayload, shortTopic, toNumber } from './reading';

const encoder = new TextEncoder();

function reading(payload: string | Uint8Array) {
  const bytes = typeof payload === 'string' ? encoder.encode(payload) : payload;
  return createReading({ topic: 'a', payload: bytes, retain: false, receivedAt: 1 } as Message, {});
}

test.each([
  ['21.5', '', 21.5],
  ['{"a":[1,2]}', 'a[1]', 2],
  ['"open"', '', 'open'],
  ['open', '', 'open'],
  ['open', 'a', undefined],
  ['007', '', '007'],
  ['123456789012345678', '', '123456789012345678'],
  ['1e999', '', '1e999'],
  ['21.038557204416303', '', 21.038557204416303],
  ['', '', ''],
  ['null', '', null],
])('the value of %s at "%s" is %j', (payload, path, value) => {
  expect(reading(payload).value(parsePath(path))).toEqual(value);
});

test('binary data shows its first bytes, and has no value', () => {
  const picture = reading(new Uint8Array([0xff, 0xd8, 0xff, ...new Array(100).fill(7)]));
  expect(picture.text()).toBeUndefined();
  expect(picture.value([])).toBeUndefined();
  expect(picture.preview(10)).toBe(`ff d8 ff${' 07'.repeat(13)}… (103 B)`);
  expect(reading(new Uint8Array([97, 98, 99, 0xff])).hex()).toBe('61 62 63 ff (4 B)');
});

test('a payload that is too large is counted, and not kept', () => {
  const large = reading(new Uint8Array(maxPayload + 1).fill(65));
  expect(large.text()).toBeUndefined();
  expect(large.preview(10)).toBe(`${maxPayload + 1} B`);
  expect(reading(new Uint8Array(maxPayload).fill(65)).text()).toHaveLength(maxPayload);
});

test('the bytes are a copy, so that a message does not retain its batch', () => {
  const batch = encoder.encode('before 21.5 behind');
  const kept = reading(batch.subarray(7, 11));
  batch.fill(0);
  expect(kept.text()).toBe('21.5');
});

test('a preview is truncated', () => {
  expect(reading('abcdef').preview(3)).toBe('abc…');
  expect(reading('abc').preview(3)).toBe('abc');
  expect(reading('番茄需要浇水了 🍅'.repeat(1000)).preview(9)).toBe('番茄需要浇水了 \ud83c…');
  expect(reading(new Uint8Array([...encoder.encode('ab'.repeat(50)), 0xff])).preview(3)).toBe('aba…');
  expect(reading(encoder.encode('🍅').subarray(0, 3)).preview(3)).toBe('f0 9f 8d (3 B)');
});

test.each<[unknown, number | undefined]>([
  [1.5, 1.5],
  ['1.5', 1.5],
  [true, 1],
  ['', undefined],
  [' ', undefined],
  ['1 m', undefined],
  [null, undefined],
  [[1], undefined],
  ['Infinity', undefined],
])('%j as a number is %s', (value, number) => {
  expect(toNumber(value)).toBe(number);
});

test.each([
  ['garden/north/temp', 'garden/+/temp', 'north/temp'],
  ['garden/north/temp', 'garden/#', 'north/temp'],
  ['garden/north/temp', '$share/a/garden/#', 'north/temp'],
  ['garden/north/temp', '#', 'garden/north/temp'],
  ['garden', 'garden/#', 'garden'],
  ['garden', 'garden', ''],
  ['x'.repeat(60_000), '#', `${'x'.repeat(200)}…`],
])('%s for watchers of %s is "%s"', (topic, filter, short) => {
  expect(shortTopic(topic, filter)).toBe(short);
});
