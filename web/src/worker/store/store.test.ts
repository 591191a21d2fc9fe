import 'fake-indexeddb/auto';
import { forceCloseDatabase } from 'fake-indexeddb';
import fc from 'fast-check';
import { deleteDB, openDB } from 'idb';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { openStore } from './store';

const bytes = (...values: number[]): Uint8Array => new Uint8Array(values);

interface Begun {
  transaction: IDBTransaction;
  durability: string | undefined;
}

/** Records every write transaction from now on. */
function watchWrites(begins: (begun: Begun) => void = () => {}): Begun[] {
  const begun: Begun[] = [];
  const original = IDBDatabase.prototype.transaction;
  vi.spyOn(IDBDatabase.prototype, 'transaction').mockImplementation(function (this: IDBDatabase, ...all) {
    const transaction = original.apply(this, all);
    if (all[1] === 'readwrite') {
      begun.push({ transaction, durability: all[2]?.durability });
      begins({ transaction, durability: all[2]?.durability });
    }
    return transaction;
  });
  return begun;
}

/** Aborts a transaction with this error, as the browser does; null is like `abort()`. */
const abort = (transaction: IDBTransaction, name: string | null): void =>
  (transaction as unknown as { _abort(name: string | null): void })._abort(name);

/** The part of `navigator.locks` that is used. */
function fakeLocks() {
  const free = new Map<string, Promise<unknown>>();
  let asked = (): void => {};
  return {
    request(name: string, { signal }: { signal: AbortSignal }, callback: () => Promise<void>) {
      if (name.startsWith('-')) return Promise.reject(new DOMException('a "-"', 'NotSupportedError'));
      const before = free.get(name) ?? Promise.resolve();
      const refused = new Promise<never>((_, reject) => {
        signal.addEventListener('abort', () => reject(signal.reason));
      });
      const released = Promise.race([before, refused]).then(callback);
      free.set(
        name,
        released.catch(() => before),
      );
      asked();
      return released;
    },
    /** Resolves at the next request. */
    asking: () =>
      new Promise<void>((resolve) => {
        asked = resolve;
      }),
  };
}

let locks: ReturnType<typeof fakeLocks>;

beforeEach(() => {
  locks = fakeLocks();
  vi.stubGlobal('indexedDB', new IDBFactory());
  vi.stubGlobal('navigator', { locks });
});
afterEach(() => {
  vi.restoreAllMocks();
  vi.unstubAllGlobals();
});

test('changes are there after reopening, in key order', async () => {
  const first = await openStore('s');
  await first.apply([
    ['b', bytes(2)],
    ['a/10', bytes()],
  ]);
  await first.apply([['a/1', bytes(1)]]);
  first.close();
  const second = await openStore('s');
  expect(await second.load()).toEqual([
    ['a/1', bytes(1)],
    ['a/10', bytes()],
    ['b', bytes(2)],
  ]);
});

test('a new store is empty', async () => {
  expect(await (await openStore('s')).load()).toEqual([]);
});

test('a call that changes nothing resolves', async () => {
  await (await openStore('s')).apply([]);
});

test('calls in one task share a strictly durable transaction', async () => {
  const store = await openStore('s');
  const begun = watchWrites();
  await Promise.all([
    store.apply([['a', bytes(1)]]),
    Promise.resolve().then(() => store.apply([['b', bytes(2)]])),
    store.apply([['a', bytes(3)]]),
  ]);
  expect(begun.map(({ durability }) => durability)).toEqual(['strict']);
  expect(await store.load()).toEqual([
    ['a', bytes(3)],
    ['b', bytes(2)],
  ]);
});

test('calls made during a transaction share the next one', async () => {
  const store = await openStore('s');
  let begins = (): void => {};
  const beginning = new Promise<void>((resolve) => {
    begins = resolve;
  });
  const begun = watchWrites(() => begins());
  const first = store.apply([['a', bytes(1)]]);
  await beginning;
  const rest = [store.apply([['a', bytes(2)]]), store.apply([['a', null]]), store.apply([['b', bytes(1)]])];
  await Promise.all([first, ...rest]);
  expect(begun).toHaveLength(2);
  expect(await store.load()).toEqual([['b', bytes(1)]]);
});

test('a call resolves once its transaction is complete', async () => {
  const store = await openStore('s');
  const seen: string[] = [];
  watchWrites(({ transaction }) => transaction.addEventListener('complete', () => seen.push('complete')));
  await store.apply([['a', bytes(1)]]).then(() => seen.push('resolved'));
  expect(seen).toEqual(['complete', 'resolved']);
});

test('load waits for earlier changes', async () => {
  const store = await openStore('s');
  void store.apply([['a', bytes(1)]]);
  expect(await store.load()).toEqual([['a', bytes(1)]]);
});

test('a failed call leaves nothing behind, and does not affect others', async () => {
  const store = await openStore('s');
  const uncloneable = (() => {}) as unknown as Uint8Array;
  const results = await Promise.allSettled([
    store.apply([['before', bytes(1)]]),
    store.apply([
      ['before', null],
      ['half', bytes(2)],
      ['bad', uncloneable],
    ]),
    store.apply([['after', bytes(3)]]),
  ]);
  expect(results).toMatchObject([
    { status: 'fulfilled' },
    { status: 'rejected', reason: { code: 'storage', message: expect.stringContaining('DataCloneError') } },
    { status: 'fulfilled' },
  ]);
  expect(await store.load()).toEqual([
    ['after', bytes(3)],
    ['before', bytes(1)],
  ]);
});

/** Makes transactions that put more than `limit` fail at commit, as browsers do. */
function limitQuota(limit: number): void {
  const sizes = new WeakMap<IDBTransaction, number>();
  const { put } = IDBObjectStore.prototype;
  vi.spyOn(IDBObjectStore.prototype, 'put').mockImplementation(function (this: IDBObjectStore, value, key) {
    sizes.set(this.transaction, (sizes.get(this.transaction) ?? 0) + value.length);
    return put.call(this, value, key);
  });
  const { commit } = IDBTransaction.prototype;
  vi.spyOn(IDBTransaction.prototype, 'commit').mockImplementation(function (this: IDBTransaction) {
    if ((sizes.get(this) ?? 0) > limit) abort(this, 'QuotaExceededError');
    else commit.call(this);
  });
}

test('over the quota only the calls that do not fit fail', async () => {
  const store = await openStore('s');
  limitQuota(10);
  const results = await Promise.allSettled([
    store.apply([['a', new Uint8Array(8)]]),
    store.apply([
      ['b', new Uint8Array(2)],
      ['c', new Uint8Array(9)],
    ]),
    store.apply([['d', new Uint8Array(8)]]),
  ]);
  expect(results).toMatchObject([
    { status: 'fulfilled' },
    { status: 'rejected', reason: { code: 'storage', message: expect.stringContaining('no room is left') } },
    { status: 'fulfilled' },
  ]);
  expect((await store.load()).map(([key]) => key)).toEqual(['a', 'd']);
});

test('a transaction that the browser aborts is retried once', async () => {
  const store = await openStore('s');
  let aborts = 1;
  watchWrites(({ transaction }) => {
    if (aborts-- > 0) setImmediate(() => abort(transaction, null));
  });
  await store.apply([['a', bytes(1)]]);
  aborts = 2;
  await expect(store.apply([['b', bytes(2)]])).rejects.toMatchObject({
    code: 'storage',
    message: expect.stringContaining('nothing of this call is stored'),
  });
  expect(await store.load()).toEqual([['a', bytes(1)]]);
});

test.each<[string, (database: IDBDatabase) => void]>([
  ['with an event', (database) => forceCloseDatabase(database as never)],
  ['without one', (database) => database.close()],
])('a database that the browser closes %s is reopened', async (_, end) => {
  const store = await openStore('s');
  const begun = watchWrites();
  await store.apply([['a', bytes(1)]]);
  end((begun[0] as Begun).transaction.db);
  await store.apply([['b', bytes(2)]]);
  end((begun.at(-1) as Begun).transaction.db);
  await store.apply([['c', bytes(3)]]);
  expect((await store.load()).map(([key]) => key)).toEqual(['a', 'b', 'c']);
});

test('a write that never ends, because the browser has closed its database, is made again', async () => {
  const store = await openStore('s');
  let first = true;
  watchWrites(({ transaction }) => {
    if (!first) return;
    first = false;
    // As in Chromium when the user deletes the site's data: the transaction has no event.
    for (const event of ['oncomplete', 'onabort']) Object.defineProperty(transaction, event, { set() {} });
    setImmediate(() => forceCloseDatabase(transaction.db as never));
  });
  await store.apply([['a', bytes(1)]]);
  await store.close();
  expect(await (await openStore('s', 1)).load()).toEqual([['a', bytes(1)]]);
});

test('load, too, reopens a database that the browser has closed', async () => {
  const store = await openStore('s');
  const begun = watchWrites();
  await store.apply([['a', bytes(1)]]);
  const { db } = (begun[0] as Begun).transaction;
  const closed = new Promise((resolve) => db.addEventListener('close', resolve));
  forceCloseDatabase(db as never);
  await closed;
  expect(await store.load()).toEqual([['a', bytes(1)]]);
});

test('a database can be deleted while open, and is not recreated', async () => {
  const store = await openStore('s');
  await store.apply([['a', bytes(1)]]);
  await deleteDB('s');
  const error = { code: 'storage', message: expect.stringContaining('was deleted') };
  await expect(store.apply([['b', bytes(2)]])).rejects.toMatchObject(error);
  await expect(store.load()).rejects.toMatchObject(error);
  expect(await indexedDB.databases()).toEqual([]);
});

test('values that are not bytes, which this program never wrote, load as none', async () => {
  const store = await openStore('s');
  await store.apply([['a', bytes(1)]]);
  const foreign = await openDB('s');
  for (const [n, value] of ['text', { length: 1 }, null, new Uint16Array(2)].entries())
    await foreign.put('records', value, `b${n}`);
  foreign.close();
  const loaded = await store.load();
  expect(loaded).toEqual([['a', bytes(1)], ...[0, 1, 2, 3].map((n) => [`b${n}`, bytes()])]);
});

test('a database upgraded by a newer version is left alone', async () => {
  const store = await openStore('s');
  const newer = await openDB('s', 2);
  const error = { code: 'storage', message: expect.stringContaining('newer version') };
  await expect(store.apply([['a', bytes(1)]])).rejects.toMatchObject(error);
  newer.close();
});

test.each<[string, unknown, string]>([
  ['no IndexedDB at all', undefined, 'this environment has no IndexedDB'],
  ['one that may not be used', refusing('SecurityError'), 'does not let this page store anything'],
  ['one of a private window', refusing('InvalidStateError'), 'does not let this page store anything'],
  ['a full disk', refusing('QuotaExceededError'), 'no room is left'],
  ['a broken one', refusing('UnknownError'), 'could not be opened: UnknownError: it says no'],
])('%s: is reported, and the name is free again', async (_, factory, told) => {
  const working = indexedDB;
  vi.stubGlobal('indexedDB', factory);
  await expect(openStore('s')).rejects.toMatchObject({
    code: 'storage',
    message: expect.stringContaining(told),
  });
  vi.stubGlobal('indexedDB', working);
  await openStore('s', 1);
});

function refusing(name: string) {
  return {
    open: () => {
      throw new DOMException('it says no', name);
    },
  };
}

test('opening waits for the current owner of the store, and takes over', async () => {
  const first = await openStore('s');
  const asking = locks.asking();
  const second = openStore('s');
  await asking;
  void first.apply([['a', bytes(1)]]);
  first.close();
  expect(await (await second).load()).toEqual([['a', bytes(1)]]);
});

test('a store that stays in use is refused, with advice', async () => {
  await openStore('s');
  await expect(openStore('s', 1)).rejects.toMatchObject({
    code: 'in-use',
    message: expect.stringMatching(/"s".*shared: true.*clientId/),
  });
});

test('stores of different names are separate, whatever the names', async () => {
  const one = await openStore('s');
  const other = await openStore('-s');
  await one.apply([['a', bytes(1)]]);
  expect(await other.load()).toEqual([]);
});

test('refused locks are reported', async () => {
  locks.request = () => Promise.reject(new DOMException('opaque origin', 'SecurityError'));
  await expect(openStore('s')).rejects.toMatchObject({
    code: 'storage',
    message: expect.stringContaining('SecurityError: opaque origin'),
  });
});

test('without Web Locks, as in insecure contexts, a store still opens', async () => {
  vi.stubGlobal('navigator', {});
  await openStore('s');
  await openStore('s');
});

test('after close, earlier changes are still written, and no later ones', async () => {
  const store = await openStore('s');
  const applied = store.apply([['a', bytes(1)]]);
  store.close();
  store.close();
  await applied;
  const error = { code: 'storage', message: 'the session store is closed' };
  await expect(store.apply([['b', bytes(2)]])).rejects.toEqual(error);
  await expect(store.load()).rejects.toEqual(error);
  expect(await (await openStore('s')).load()).toEqual([['a', bytes(1)]]);
});

const key = fc.constantFrom('a', 'b', 'c', 'd', 'ü', '\u{1f600}', '\uffff');
const change = fc.tuple(key, fc.option(fc.uint8Array({ maxLength: 4 }), { nil: null }));
const step = fc.oneof(
  { weight: 6, arbitrary: fc.record({ apply: fc.array(change, { maxLength: 4 }) }) },
  { weight: 2, arbitrary: fc.constant('wait' as const) },
  { weight: 1, arbitrary: fc.constant('load' as const) },
  { weight: 1, arbitrary: fc.constant('reopen' as const) },
);

test('any sequence of changes has the same result as on a Map', async () => {
  let run = 0;
  const scenario = fc.asyncProperty(fc.array(step, { maxLength: 20 }), async (steps) => {
    const name = `s${run++}`;
    let store = await openStore(name);
    const oracle = new Map<string, Uint8Array>();
    const expected = () => [...oracle].sort(([a], [b]) => (a < b ? -1 : 1));
    const applying: Promise<void>[] = [];
    for (const now of steps) {
      if (now === 'wait') await applying.at(-1);
      else if (now === 'load') expect(await store.load()).toEqual(expected());
      else if (now === 'reopen') {
        store.close();
        store = await openStore(name);
      } else {
        applying.push(store.apply(now.apply));
        for (const [key, value] of now.apply) {
          if (value) oracle.set(key, value);
          else oracle.delete(key);
        }
      }
    }
    await Promise.all(applying);
    expect(await store.load()).toEqual(expected());
    store.close();
  });
  await fc.assert(scenario, { numRuns: 60 });
});
