import { afterEach, expect, test, vi } from 'vitest';
import { createEmitter } from './emitter';

const emitter = () => createEmitter<{ a: [value: number]; b: [] }>();

afterEach(() => {
  vi.unstubAllGlobals();
});

test('listeners are called in order, and only those of the event', () => {
  const { add, emit, listens } = emitter();
  const seen: string[] = [];
  add('a', (value) => seen.push(`first ${value}`), false);
  add('a', (value) => seen.push(`second ${value}`), false);
  emit('a', 1);
  emit('b');
  expect(seen).toEqual(['first 1', 'second 1']);
  expect([listens('a'), listens('b')]).toEqual([true, false]);
});

test('once fires once, even if the listener emits again', () => {
  const { add, emit } = emitter();
  const seen: number[] = [];
  add(
    'a',
    (value) => {
      seen.push(value);
      emit('a', value + 1);
    },
    true,
  );
  emit('a', 1);
  emit('a', 5);
  expect(seen).toEqual([1]);
});

test('once fires once, even if an earlier listener emits again', () => {
  const { add, emit } = emitter();
  const seen: number[] = [];
  add('a', (value) => value === 1 && emit('a', 2), false);
  add('a', (value) => seen.push(value), true);
  emit('a', 1);
  expect(seen).toEqual([2]);
});

test.each([
  ['after', [false, true]],
  ['before', [true, false]],
])('the same function added by once %s on: once is used up, on stays', (_, added) => {
  const { add, remove, emit, listens } = emitter();
  const seen: number[] = [];
  const listener = (value: number): void => void seen.push(value);
  for (const once of added) add('a', listener, once);
  emit('a', 1);
  emit('a', 2);
  emit('a', 3);
  expect(seen).toEqual([1, 1, 2, 3]);
  remove('a', listener);
  expect(listens('a')).toBe(false);
});

test('a removed listener is not called; removing another does nothing', () => {
  const { add, remove, emit, listens } = emitter();
  const seen: number[] = [];
  const listener = (value: number): void => void seen.push(value);
  add('a', listener, false);
  add('a', listener, true);
  remove('a', () => {});
  emit('a', 1);
  remove('a', listener);
  emit('a', 2);
  expect(seen).toEqual([1, 1]);
  expect(listens('a')).toBe(false);
});

test('listeners added or removed during an event take effect with the next', () => {
  const { add, remove, emit } = emitter();
  const seen: string[] = [];
  const second = (): void => void seen.push('second');
  add(
    'b',
    () => {
      remove('b', second);
      add('b', () => seen.push('third'), false);
    },
    true,
  );
  add('b', second, false);
  emit('b');
  expect(seen).toEqual(['second']);
  emit('b');
  expect(seen).toEqual(['second', 'third']);
});

test('a listener that throws is reported, and the others still run', () => {
  const reported: unknown[] = [];
  vi.stubGlobal('reportError', (error: unknown) => reported.push(error));
  const { add, emit } = emitter();
  const seen: number[] = [];
  const failure = new Error('mine');
  add(
    'a',
    () => {
      throw failure;
    },
    false,
  );
  add('a', (value) => seen.push(value), false);
  emit('a', 1);
  expect(seen).toEqual([1]);
  expect(reported).toEqual([failure]);
});

test('without reportError the error is thrown in a microtask', async () => {
  vi.stubGlobal('reportError', undefined);
  const thrown = new Promise((resolve) => {
    vi.stubGlobal('queueMicrotask', (task: () => void) => {
      try {
        task();
      } catch (error) {
        resolve(error);
      }
    });
  });
  const { add, emit } = emitter();
  const failure = new Error('mine');
  add(
    'b',
    () => {
      throw failure;
    },
    false,
  );
  emit('b');
  expect(await thrown).toBe(failure);
});
