/** Who may write into a store: the client that opened it last. */

import 'fake-indexeddb/auto';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { scriptedLocks } from '../../platform/testing-locks';
import { openStore } from './store';

const bytes = (...values: number[]): Uint8Array => new Uint8Array(values);

beforeEach(() => {
  vi.stubGlobal('indexedDB', new IDBFactory());
  vi.stubGlobal('navigator', { locks: scriptedLocks().locks });
});
afterEach(() => {
  vi.restoreAllMocks();
  vi.unstubAllGlobals();
});

test('a paused store lets another client in; after that its own writes nothing, and does not resume', async () => {
  const first = await openStore('s');
  await first.apply([['a', bytes(1)]]);
  first.pause();
  const late = first.apply([['late', bytes(1)]]); // still its own
  await late;
  const second = await openStore('s', 1);
  expect((await second.load()).map(([key]) => key)).toEqual(['a', 'late']);
  await expect(first.apply([['b', bytes(2)]])).rejects.toMatchObject({ code: 'in-use' });
  await second.apply([['c', bytes(3)]]);
  await second.close();
  await expect(first.resume()).rejects.toMatchObject({ code: 'in-use' });
  const third = await openStore('s', 1); // it gave the lock back
  expect((await third.load()).map(([key]) => key)).toEqual(['a', 'c', 'late']);
});

test('a paused store that another client has open does not resume', async () => {
  const first = await openStore('s');
  first.pause();
  await openStore('s', 1);
  await expect(first.resume()).rejects.toMatchObject({ code: 'in-use' });
});

test('a paused store that nobody has opened resumes', async () => {
  const store = await openStore('s');
  store.pause();
  await store.resume();
  await store.apply([['a', bytes(1)]]);
  expect(await store.load()).toEqual([['a', bytes(1)]]);
  await expect(openStore('s', 1)).rejects.toMatchObject({ code: 'in-use' });
});

test('a store without room for its owner opens all the same, and deletes', async () => {
  const first = await openStore('s');
  await first.apply([['a', bytes(1)]]);
  await first.close();
  const put = vi.spyOn(IDBObjectStore.prototype, 'put').mockImplementation(() => {
    throw new DOMException('full', 'QuotaExceededError');
  });
  const store = await openStore('s', 1);
  expect(await store.load()).toEqual([['a', bytes(1)]]);
  await store.apply([['a', null]]);
  put.mockRestore();
  expect(await store.load()).toEqual([]);
});

test('without locks, too, only who opened it last writes', async () => {
  vi.stubGlobal('navigator', {});
  const first = await openStore('s');
  const second = await openStore('s');
  await expect(first.apply([['a', bytes(1)]])).rejects.toMatchObject({ code: 'in-use' });
  await second.apply([['b', bytes(2)]]);
  expect(await second.load()).toEqual([['b', bytes(2)]]);
});
