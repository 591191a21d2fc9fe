import fc from 'fast-check';
import { expect, it } from 'vitest';
import { createRing } from './ring';

const items = (...sizes: number[]) => sizes.map((size) => ({ size }));

it('keeps the newest items with their numbers', () => {
  const ring = createRing(3, 100);
  const all = items(1, 2, 3, 4, 5);
  for (const item of all) ring.push(item);
  expect([ring.first, ring.end, ring.bytes]).toEqual([2, 5, 12]);
  expect([1, 2, 4, 5].map(ring.get)).toEqual([undefined, all[2], all[4], undefined]);
});

it('drops items to make room for bytes', () => {
  const ring = createRing(10, 100);
  for (const item of items(40, 40, 30)) ring.push(item);
  expect([ring.first, ring.bytes]).toEqual([1, 70]);
});

it('keeps the newest item even if it exceeds the limit', () => {
  const ring = createRing(10, 100);
  for (const item of items(10, 500)) ring.push(item);
  expect([ring.first, ring.end, ring.bytes]).toEqual([1, 2, 500]);
  ring.push({ size: 1 });
  expect([ring.first, ring.bytes]).toEqual([2, 1]);
});

it('continues its numbering after being cleared', () => {
  const ring = createRing(4, 100);
  for (const item of items(1, 2)) ring.push(item);
  ring.clear();
  expect([ring.first, ring.end, ring.bytes, ring.get(1)]).toEqual([2, 2, 0, undefined]);
  const next = { size: 3 };
  ring.push(next);
  expect(ring.get(2)).toBe(next);
});

it('always holds a suffix of what was pushed, within both limits', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 6 }),
      fc.integer({ min: 1, max: 50 }),
      fc.array(fc.nat(30)),
      (max, cap, sizes) => {
        const ring = createRing(max, cap);
        sizes.forEach((size, index) => {
          ring.push({ size });
          const tail = sizes.slice(0, index + 1).slice(ring.first);
          const sum = tail.reduce((total, each) => total + each, 0);
          expect(ring.end - ring.first).toBe(tail.length);
          expect(ring.bytes).toBe(sum);
          expect(tail.length === 1 || (tail.length <= max && sum <= cap)).toBe(true);
        });
      },
    ),
  );
});

it('can be resized while in use', () => {
  const ring = createRing(10, 100);
  for (let i = 0; i < 10; i++) ring.push({ size: 10 });
  ring.resize(35);
  expect([ring.first, ring.end, ring.bytes]).toEqual([7, 10, 30]);
  ring.resize(60);
  for (let i = 0; i < 10; i++) ring.push({ size: 10 });
  expect([ring.first, ring.end, ring.bytes]).toEqual([14, 20, 60]);
});
