import fc from 'fast-check';
import { expect, test } from 'vitest';
import { ticks } from './ticks';

test.each([
  [0, 10, 5, [0, 2, 4, 6, 8, 10]],
  [20.1, 20.4, 3, [20.1, 20.2, 20.3, 20.4]],
  [-3, 7, 2, [-5, 0, 5, 10]],
  [5, 5, 2, [0, 5, 10]],
  [0, 0, 2, [-0.5, 0, 0.5]],
])('from %d to %d in about %d', (low, high, about, expected) => {
  expect(ticks(low, high, about)).toEqual(expected);
});

test('they enclose any numbers, ascend, and are few', () => {
  const number = fc.double({ noNaN: true, min: -1e100, max: 1e100 });
  fc.assert(
    fc.property(number, number, fc.integer({ min: 2, max: 20 }), (a, b, about) => {
      const [low, high] = [Math.min(a, b), Math.max(a, b)];
      const marks = ticks(low, high, about);
      expect(marks.length).toBeGreaterThanOrEqual(2);
      expect(marks.length).toBeLessThanOrEqual(102);
      expect(marks.every((mark, n) => n === 0 || mark >= (marks[n - 1] as number))).toBe(true);
      expect(marks.every(Number.isFinite)).toBe(true);
      const slack = Math.max(Math.abs(low), Math.abs(high)) * 1e-12;
      expect(marks.at(0)).toBeLessThanOrEqual(low + slack);
      expect(marks.at(-1)).toBeGreaterThanOrEqual(high - slack);
    }),
  );
});
