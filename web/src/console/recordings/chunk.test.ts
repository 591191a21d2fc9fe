import { expect, it } from 'vitest';
import { recordOf } from '../log/record';
import { chunkOf, chunksOf, entriesOf } from './chunk';
import { entry, everyProperty } from './testing';

const given = [
  entry('one', { qos: 2, retain: true, dup: true, properties: everyProperty }),
  entry('', { topic: '' }, 'sent'),
  entry(Uint8Array.of(0xff, 0), { qos: 1, receivedAt: 0.5 }, 'not sent'),
];

it('keeps every field of a message', () => {
  const back = entriesOf(structuredClone(chunkOf(given)), 7);
  expect(back.map(recordOf)).toEqual(given.map(recordOf));
  expect(back.map(({ ordinal }) => ordinal)).toEqual([7, 8, 9]);
  expect(back.map(({ size }) => size)).toEqual(given.map(({ size }) => size));
  expect(back.every(({ replayed }) => replayed)).toBe(true);
});

it('does not retain the buffer that correlation data is a view of', () => {
  const correlationData = new Uint8Array(1000).subarray(10, 12);
  const { properties } = chunkOf([entry('x', { properties: { correlationData } })]);
  expect(properties.get(0)?.correlationData?.buffer.byteLength).toBe(2);
});

it('is limited in messages and in bytes', () => {
  const sizes = (entries: Parameters<typeof chunksOf>[0]) =>
    chunksOf(entries).map(({ topics }) => topics.length);
  expect(sizes([])).toEqual([]);
  expect(sizes(Array.from({ length: 4500 }, () => entry('x')))).toEqual([2000, 2000, 500]);
  expect(sizes(Array.from({ length: 5 }, () => entry(new Uint8Array(400_000))))).toEqual([2, 2, 1]);
  expect(sizes([entry(new Uint8Array(4_000_000)), entry('x')])).toEqual([1, 1]);
});
