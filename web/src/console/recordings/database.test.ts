import 'fake-indexeddb/auto';
import { deleteDB } from 'idb';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { recordOf } from '../log/record';
import { chunkOf, chunksOf } from './chunk';
import { createDatabase, type Recording } from './database';
import { StorageError } from './error';
import { counting } from './recorder';
import { entry, everyProperty } from './testing';
import { entriesIn, exported, imported } from './transfer';

const empty: Omit<Recording, 'id'> = {
  name: 'n',
  broker: '',
  filter: '',
  begin: 0,
  end: 0,
  received: 0,
  sent: 0,
  unsent: 0,
  bytes: 0,
  lost: 0,
  chunks: 0,
  done: false,
};

let count = 0;
let name: string;
let database: ReturnType<typeof createDatabase>;
beforeEach(() => {
  name = `test-${count++}`;
  database = createDatabase(name);
});

afterEach(() => vi.restoreAllMocks());

const same = (recording: Recording) => recording;

it('stores recordings and their chunks, newest first', async () => {
  const first = await database.create(empty);
  const second = await database.create({ ...empty, name: 'second' });
  const chunk = chunkOf([entry('x', { properties: everyProperty })]);
  const grown = await database.append(first.id, [chunk, chunk], (before) => ({ ...before, name: 'renamed' }));
  expect(grown).toEqual({ ...first, name: 'renamed', chunks: 2 });
  expect(await database.append(first.id, [chunk], same)).toMatchObject({ chunks: 3 });
  expect(await database.list()).toEqual([second, { ...grown, chunks: 3 }]);
  expect(await database.chunk(first.id, 2)).toEqual(chunk);

  await database.append(second.id, [chunk], same);
  await database.remove(first.id);
  expect(await database.list()).toMatchObject([{ name: 'second' }]);
  await expect(database.chunk(first.id, 0)).rejects.toThrow('has been deleted');
  expect(await database.chunk(second.id, 0)).toEqual(chunk);
});

it('does not recreate a deleted recording', async () => {
  const { id } = await database.create(empty);
  await database.remove(id);
  await expect(database.append(id, [chunkOf([entry('x')])], same)).rejects.toThrow(StorageError);
  expect(await database.list()).toEqual([]);
});

it('writes everything in a call or nothing', async () => {
  const { id } = await database.create(empty);
  const put = IDBObjectStore.prototype.put;
  let puts = 0;
  vi.spyOn(IDBObjectStore.prototype, 'put').mockImplementation(function (this: IDBObjectStore, ...call) {
    if (++puts === 3) throw new DOMException('full', 'QuotaExceededError');
    return put.apply(this, call);
  });
  const chunk = chunkOf([entry('x')]);
  await expect(database.append(id, [chunk, chunk], same)).rejects.toThrow(/^no room is left/);
  vi.restoreAllMocks();
  expect(await database.list()).toMatchObject([{ chunks: 0 }]);
  await expect(database.chunk(id, 0)).rejects.toThrow(StorageError);
});

it('continues after the browser has closed it', async () => {
  const { id } = await database.create(empty);
  await deleteDB(name); // closes the connection
  expect(await database.list()).toEqual([]);
  await expect(database.append(id, [], same)).rejects.toThrow('has been deleted');
});

it('exports and imports the same messages', async () => {
  const given = [
    ...Array.from({ length: 4500 }, (_, n) => entry(`number ${n}`, { receivedAt: 1000 + n })),
    entry(Uint8Array.of(0xff), { qos: 2, properties: everyProperty }, 'sent'),
    entry('', { retain: true }, 'not sent'),
  ];
  const made = await database.create(empty);
  const recording = await database.append(made.id, chunksOf(given), counting(given));
  expect(recording).toMatchObject({ received: 4500, sent: 1, unsent: 1, chunks: 3 });

  const done: number[] = [];
  const never = new AbortController().signal;
  const file = await exported(entriesIn(database, recording), (count) => done.push(count), never);
  expect(done).toEqual([2000, 4000, 4502]);
  expect((await file.text()).trim().split('\n')).toEqual(given.map((one) => JSON.stringify(recordOf(one))));

  const result = await imported(database, await database.create(empty), file.stream(), () => {}, never);
  expect(result).toMatchObject({
    wrong: 0,
    mistakes: [],
    recording: { received: 4500, sent: 1, unsent: 1, bytes: recording.bytes, begin: 1000, done: true },
  });
  const again = await exported(entriesIn(database, result.recording), () => {}, never);
  expect(await again.text()).toBe(await file.text());
});

it('reports broken lines, up to a limit', async () => {
  const good = JSON.stringify(recordOf(entry('x')));
  const text = `${good}\n${'oops\n'.repeat(150)}${good}`;
  const stream = new Blob([text]).stream();
  const never = new AbortController().signal;
  const result = await imported(database, await database.create(empty), stream, () => {}, never);
  expect(result.recording).toMatchObject({ received: 2, done: true });
  expect(result.wrong).toBe(150);
  expect(result.mistakes).toHaveLength(100);
  expect(result.mistakes[0]?.()).toBe('Line 2: not JSON');
});

it('an aborted import keeps what was read, marked as cut short', async () => {
  const good = `${JSON.stringify(recordOf(entry('x')))}\n`;
  const stop = new AbortController();
  async function* file(): AsyncGenerator<Uint8Array> {
    yield new TextEncoder().encode(good.repeat(2000));
    stop.abort();
    yield new TextEncoder().encode(good);
  }
  const made = await database.create(empty);
  await expect(imported(database, made, file(), () => {}, stop.signal)).rejects.toThrow('abort');
  expect(await database.list()).toMatchObject([{ received: 2000, done: false }]);
});
