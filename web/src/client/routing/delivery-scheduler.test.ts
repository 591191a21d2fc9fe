import { describe, expect, test } from 'vitest';
import { openBatch } from '../message';
import { encodeBatch } from '../testing';
import { createDeliveryScheduler } from './delivery-scheduler';

/** Enough for two hundred tasks, at a tenth of a millisecond per message. */
const many = 16_000;

const batchOf = (count: number, from = 0): ArrayBuffer =>
  encodeBatch(Array.from({ length: count }, (_, index) => ({ topic: String(from + index) })));

/** A clock that advances with each message, and tasks that run on demand. */
function setUp() {
  const tasks: (() => void)[] = [];
  const seen: string[] = [];
  const lost: number[] = [];
  const failures: unknown[] = [];
  const state = {
    time: 0,
    heard: (_topic: string): void => {},
    busy: undefined as Promise<void> | undefined,
  };
  const handout = createDeliveryScheduler({
    deliver(messages, count) {
      lost.push(count);
      for (const { topic } of messages) {
        state.time += 0.1;
        seen.push(topic);
        state.heard(topic);
      }
      return state.busy;
    },
    failed: (error) => failures.push(error),
    nextTask: (task) => tasks.push(task),
    now: () => state.time,
  });
  /** Runs all tasks, and returns the milliseconds of the longest. */
  function runTasks(): number {
    let longest = 0;
    for (let task = tasks.shift(); task; task = tasks.shift()) {
      const begin = state.time;
      task();
      longest = Math.max(longest, state.time - begin);
    }
    return longest;
  }
  return { ...handout, state, seen, lost, failures, tasks, runTasks };
}

const numbers = (count: number): string[] => Array.from({ length: count }, (_, index) => String(index));

/** Whether a promise has settled after all pending microtasks have run. */
async function hasSettled(promise: Promise<void> | undefined): Promise<boolean> {
  let settled = false;
  void promise?.then(() => {
    settled = true;
  });
  await new Promise((resolve) => setImmediate(resolve));
  return settled;
}

describe('a batch', () => {
  test('that is short is delivered at once', () => {
    const { push, seen, lost, tasks } = setUp();
    expect(push(openBatch(batchOf(3), 3), 2)).toBeUndefined();
    expect(push(openBatch(batchOf(0), 0), 5)).toBeUndefined();
    expect(seen).toEqual(['0', '1', '2']);
    expect(lost).toEqual([2, 5]);
    expect(tasks).toEqual([]);
  });

  test('that is long is delivered in short tasks, in order and complete', async () => {
    const { push, state, seen, lost, runTasks } = setUp();
    const done = push(openBatch(batchOf(many), many), 7);
    // Eight milliseconds, plus at most one more portion.
    expect(state.time).toBeLessThan(8 + 13);
    expect(await hasSettled(done)).toBe(false);
    expect(runTasks()).toBeLessThan(8 + 13);
    expect(await hasSettled(done)).toBe(true);
    expect(seen).toEqual(numbers(many));
    expect(lost.reduce((sum, count) => sum + count)).toBe(7);
  });

  test('is done when the promises of all its parts have settled', async () => {
    const { push, state, runTasks } = setUp();
    let release = (): void => {};
    state.busy = new Promise<void>((resolve) => {
      release = resolve;
    });
    const done = push(openBatch(batchOf(many), many), 0);
    state.busy = undefined;
    runTasks();
    expect(await hasSettled(done)).toBe(false);
    release();
    expect(await hasSettled(done)).toBe(true);
  });

  test('that is malformed further on fails there, and is done', async () => {
    const { push, seen, failures, runTasks } = setUp();
    const done = push(openBatch(batchOf(many), many + 1), 0);
    runTasks();
    expect(failures).toEqual([expect.objectContaining({ code: 'protocol' })]);
    expect(await hasSettled(done)).toBe(true);
    const before = seen.length;
    push(openBatch(batchOf(1), 1), 0);
    expect(seen).toHaveLength(before + 1);
  });
});

describe('flushing', () => {
  test('delivers the rest, once', async () => {
    const { push, flush, seen, runTasks } = setUp();
    const done = push(openBatch(batchOf(many), many), 0);
    flush();
    expect(seen).toEqual(numbers(many));
    flush();
    runTasks();
    expect(seen).toHaveLength(many);
    expect(await hasSettled(done)).toBe(true);
  });

  test('from within a listener keeps the order', () => {
    const { push, flush, state, seen, runTasks } = setUp();
    state.heard = (topic) => topic === '5' && flush();
    push(openBatch(batchOf(many), many), 0);
    runTasks();
    expect(seen).toEqual(numbers(many));
  });

  test('happens before the next batch', () => {
    const { push, seen, runTasks } = setUp();
    push(openBatch(batchOf(many), many), 0);
    push(openBatch(batchOf(1, many), 1), 0);
    runTasks();
    expect(seen).toEqual(numbers(many + 1));
  });
});
