import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { within } from './deferred';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => {
  vi.restoreAllMocks();
  vi.useRealTimers();
});

const wait = (promise: Promise<string>): Promise<unknown> =>
  within(
    promise,
    { timeout: 100 },
    () => 'late',
    () => 'aborted',
  ).catch((error: unknown) => error);

test('a time limit that passed while nothing ran leaves time for what arrived meanwhile', async () => {
  const now = performance.now();
  let arrive = (_: string): void => {};
  const outcomes = [new Promise<string>((resolve) => (arrive = resolve)), new Promise<string>(() => {})].map(
    wait,
  );
  vi.spyOn(performance, 'now').mockReturnValue(now + 60_000);
  vi.runOnlyPendingTimers();
  arrive('arrived');
  await vi.runAllTimersAsync();
  expect(await Promise.all(outcomes)).toEqual(['arrived', 'late']);
});
