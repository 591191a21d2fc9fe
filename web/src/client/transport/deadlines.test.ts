import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { createDeadlines } from './deadlines';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => {
  vi.restoreAllMocks();
  vi.useRealTimers();
});

test('calls end at their deadline, and not before', () => {
  const { watch } = createDeadlines(50);
  const late: string[] = [];
  watch(100, () => late.push('first'));
  vi.advanceTimersByTime(60);
  watch(100, () => late.push('second'));
  watch(20, () => late.push('short'));
  vi.advanceTimersByTime(70);
  expect(late).toEqual(['short']);
  vi.advanceTimersByTime(20);
  expect(late).toEqual(['short', 'first']);
  vi.advanceTimersByTime(59);
  expect(late).toEqual(['short', 'first']);
  vi.advanceTimersByTime(1);
  expect(late).toEqual(['short', 'first', 'second']);
});

test('a settled call does not time out, and later ones keep their deadlines', () => {
  const { watch } = createDeadlines(0);
  const late: number[] = [];
  const settle = Array.from({ length: 10 }, (_, n) => watch(100, () => late.push(n)));
  for (const n of [0, 1, 2, 5, 9]) settle[n]?.();
  vi.advanceTimersByTime(100);
  expect(late).toEqual([3, 4, 6, 7, 8]);
  expect(vi.getTimerCount()).toBe(0);
});

test('the longest timeout is not shortened by the grace period', () => {
  const { watch } = createDeadlines(50);
  const set = vi.spyOn(globalThis, 'setTimeout');
  const settle = watch(0x7fff_ffff, () => expect.unreachable());
  expect(set.mock.calls.map(([, time]) => time)).toEqual([0x7fff_ffff]);
  vi.advanceTimersByTime(1000);
  expect(set).toHaveBeenCalledTimes(1);
  settle();
  set.mockRestore();
});

test('nothing is left when all calls have settled, however many there were', () => {
  const { watch } = createDeadlines(0);
  for (let round = 0; round < 1000; round++) {
    const settle = Array.from({ length: 100 }, () => watch(30_000, () => expect.unreachable()));
    for (const done of settle) done();
  }
  expect(vi.getTimerCount()).toBe(0);
});

test('0 means no timeout', () => {
  const { watch } = createDeadlines(0);
  watch(0, () => expect.unreachable());
  vi.advanceTimersByTime(1e9);
  expect(vi.getTimerCount()).toBe(0);
});

test('calls with the same deadline all end, even as others settle', () => {
  const { watch } = createDeadlines(0);
  const late: number[] = [];
  for (let n = 0; n < 10; n++) {
    const done = watch(100, () => {
      done();
      late.push(n);
    });
  }
  vi.advanceTimersByTime(100);
  expect(late).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
});

test('answers that arrived while the page was blocked come before a deadline that passed meanwhile', () => {
  const { watch } = createDeadlines(50);
  const late: string[] = [];
  const settle = watch(100, () => late.push('answered'));
  watch(100, () => late.push('unanswered'));
  // A dialog, or a breakpoint. Browsers may run the timer first.
  const now = performance.now();
  vi.spyOn(performance, 'now').mockReturnValue(now + 60_000);
  vi.runOnlyPendingTimers();
  expect(late).toEqual([]);
  settle();
  vi.runOnlyPendingTimers();
  expect(late).toEqual(['unanswered']);
  expect(vi.getTimerCount()).toBe(0);
});
