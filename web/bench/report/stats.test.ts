import { describe, expect, test } from 'vitest';
import { median, percentile, spread } from './stats';

describe('percentile', () => {
  const hundred = Array.from({ length: 100 }, (_, index) => index + 1);

  test.each([
    [50, 50],
    [99, 99],
    [99.9, 100],
    [100, 100],
    [0, 1],
  ])('%d of 1 to 100 is %d', (percent, expected) => {
    expect(percentile(hundred, percent)).toBe(expected);
  });

  test('of nothing is not a number', () => {
    expect(percentile([], 50)).toBeNaN();
  });
});

test.each([
  [[3], 3],
  [[9, 1, 5], 5],
  [[10, 9, 1, 2], 5.5], // numeric, not lexical, order
])('the median of %j is %d', (values, expected) => {
  expect(median(values)).toBe(expected);
});

test('the median leaves its argument in order', () => {
  const values = [3, 1, 2];
  median(values);
  expect(values).toEqual([3, 1, 2]);
});

test('the spread is half the range as a share of the median', () => {
  expect(spread([90, 100, 120])).toBeCloseTo(0.15);
  expect(spread([7])).toBe(0);
  expect(spread([0, 0, 5])).toBe(0);
});
