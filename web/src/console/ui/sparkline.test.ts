import { expect, test } from 'vitest';
import { lineOf } from './sparkline';

test('a line spans from the lowest value at the bottom to the highest at the top', () => {
  const points = [
    [10, 5],
    [20, 15],
    [30, 10],
  ] as const;
  expect(lineOf(points)).toBe('0.00,30.00 50.00,0.00 100.00,15.00');
});

test('the largest numbers fit', () => {
  const points = [
    [0, -Number.MAX_VALUE],
    [1, 0],
    [2, Number.MAX_VALUE],
  ] as const;
  expect(lineOf(points)).toBe('0.00,30.00 50.00,15.00 100.00,0.00');
});

test('a flat line is in the middle', () => {
  const points = [
    [0, 7],
    [1, 7],
  ] as const;
  expect(lineOf(points)).toBe('0.00,15.00 100.00,15.00');
});
