import { signal } from '@preact/signals';
import { expect, it, vi } from 'vitest';
import { type Client, MqttError } from '../../client';
import { limits } from '../core/limits';
import type { Entry } from '../log/entry';
import { recordOf } from '../log/record';
import { type Chunk, chunksOf } from './chunk';
import type { Database, Recording } from './database';
import { explain, gone } from './error';
import { countFor, createJobs, namesIn } from './jobs';
import { createLibrary } from './library';
import { counting } from './recorder';
import { deferred, entry } from './testing';

/** In memory, with the guarantees of the browser's database. */
function fakeDatabase(): Database {
  const recordings = new Map<number, Recording>();
  const chunks = new Map<number, Chunk[]>();
  const find = (id: number): Recording => {
    const found = recordings.get(id);
    if (!found) throw gone();
    return found;
  };
  let ids = 0;
  return {
    list: async () => [...recordings.values()].reverse(),
    async create(recording) {
      const made = { ...recording, id: ++ids };
      recordings.set(made.id, made);
      chunks.set(made.id, []);
      return made;
    },
    async append(id, added, change) {
      const before = find(id);
      const after = { ...change(before), id, chunks: before.chunks + added.length };
      recordings.set(id, after);
      chunks.get(id)?.push(...added);
      return after;
    },
    async remove(id) {
      recordings.delete(id);
      chunks.delete(id);
    },
    async chunk(id, number) {
      const chunk = chunks.get(id)?.[number];
      if (!chunk) throw gone();
      return chunk;
    },
  };
}

/** Each message is due as soon as the previous one was delivered. */
const clock = { now: () => 0, after: () => () => {} };
const atOnce = Number.POSITIVE_INFINITY;

function made(client?: Partial<Client>) {
  const database = fakeDatabase();
  const held = new Set<string>();
  const locks = {
    query: async () => ({ held: [...held].map((name) => ({ name })) }),
    async request(name: string, work: () => Promise<void>) {
      held.add(name);
      await work();
      held.delete(name);
    },
  } as unknown as LockManager;
  const library = createLibrary({ database, now: () => 7, storage: undefined, locks });
  const replayed: Entry[] = [];
  const files: { name: string; text: Promise<string> }[] = [];
  const session = { client: signal(client as Client | undefined) };
  const jobs = createJobs({
    library,
    database,
    feed: { replay: (entries) => void replayed.push(...entries) },
    clock,
    save: (name, file) => void files.push({ name, text: file.text() }),
  });
  async function record(entries: Entry[], name = 'kept'): Promise<Recording> {
    const { recording, release } = await library.create(name, { done: true });
    release();
    return database.append(recording.id, chunksOf(entries), counting(entries));
  }
  const ended = async () => {
    await jobs.job.value?.player.over;
    return jobs.job.value?.player.playing.value;
  };
  return { database, library, jobs, replayed, files, session, record, ended, held };
}

const three = () => [
  entry('in', { topic: 'a' }),
  entry('out', { topic: 'b', qos: 1 }, 'sent'),
  entry('kept back', { topic: 'c' }, 'not sent'),
];

/** Streamed in as many pieces as there are texts. */
function fileOf(texts: string | string[], name = 'file.ndjson'): File {
  const pieces = [texts].flat();
  const stream = () =>
    new ReadableStream<Uint8Array>({
      start(controller) {
        for (const piece of pieces) controller.enqueue(new TextEncoder().encode(piece));
        controller.close();
      },
    });
  return Object.assign(new File(pieces, name), { stream }) as File;
}

const line = `${JSON.stringify(recordOf(entry('x')))}\n`;
const topics = (entries: Entry[]) => entries.map(({ message }) => message.topic);
const full = () => explain(new DOMException('full', 'QuotaExceededError'));

it('exports a recording to a file, and imports it unchanged', async () => {
  const { jobs, library, files, record, database, held } = made();
  await jobs.exportFile(await record(three(), 'A & B: one/two'));
  expect(files[0]?.name).toBe('A-B-one-two.ndjson');
  expect(library.said.value).toBe('Exported 3 messages of “A & B: one/two”.');
  expect(jobs.transfer.value).toBeUndefined();

  await jobs.importFile(fileOf((await files[0]?.text) ?? '', 'back.ndjson'));
  expect(library.said.value).toBe('Imported 3 messages of “back.ndjson”.');
  expect(await database.list()).toMatchObject([
    { name: 'back', received: 1, sent: 1, unsent: 1, done: true },
    { name: 'A & B: one/two' },
  ]);
  expect(held.size).toBe(0);
});

it('imports the valid lines of a file, and reports the others', async () => {
  const { jobs, library } = made();
  await jobs.importFile(fileOf(`${line}nonsense\n${line}`));
  expect(library.said.value).toBe(
    'Imported 2 messages of “file.ndjson”, leaving out 1 line that held no message.',
  );
  expect(jobs.mistakes.value.wrong).toBe(1);
  expect(jobs.mistakes.value.first.map((words) => words())).toEqual([expect.stringMatching(/^Line 2: /)]);
});

it('keeps nothing of a file without messages', async () => {
  const { jobs, library, database } = made();
  await jobs.importFile(fileOf('nonsense'));
  expect(library.problem.value).toMatch(/^Not imported, .*: no line of the file is a message/);
  expect(await database.list()).toEqual([]);
});

it('aborts an export at the current chunk, and saves nothing', async () => {
  const { jobs, library, database, files, record } = made();
  const recording = await record(Array.from({ length: 2001 }, () => entry('x')));
  const second = deferred();
  const { chunk } = database;
  database.chunk = async (id, number) => {
    if (number === 1) await second.promise;
    return chunk(id, number);
  };
  const exporting = jobs.exportFile(recording);
  await vi.waitFor(() => expect(jobs.transfer.value?.part).toBeCloseTo(2000 / 2001));
  jobs.stopTransfer();
  second.resolve();
  await exporting;
  expect(library.said.value).toBe('Exporting “kept” was stopped.');
  expect(library.problem.value).toBe('');
  expect(files).toEqual([]);
});

it('aborts an import, keeps what was read as cut short, and starts no second one meanwhile', async () => {
  const { jobs, library, database, held } = made();
  const written = deferred();
  const { append } = database;
  database.append = vi.fn(async (...args: Parameters<typeof append>) => {
    await written.promise;
    return append(...args);
  });
  const importing = jobs.importFile(fileOf([line.repeat(2000), line.repeat(1000)]));
  await vi.waitFor(() => expect(database.append).toHaveBeenCalled());
  expect(held.size).toBe(1);
  await jobs.importFile(fileOf(line, 'second.ndjson'));
  jobs.stopTransfer();
  written.resolve();
  await importing;
  expect(library.said.value).toBe('Importing “file.ndjson” was stopped.');
  expect(library.problem.value).toBe('');
  expect(await database.list()).toMatchObject([{ name: 'file', received: 2000, done: false }]);
  expect(held.size).toBe(0);
});

it('a full disk ends an import with a message, and releases the recording', async () => {
  const { jobs, library, database, held } = made();
  database.append = async () => {
    throw full();
  };
  await jobs.importFile(fileOf(line));
  expect(library.problem.value).toMatch(/^Not imported, or not all of it: no room is left/);
  expect(library.said.value).toBe('');
  expect(held.size).toBe(0);
  expect(jobs.transfer.value).toBeUndefined();
});

it('replays a recording in the feed, and another one replaces it', async () => {
  const { jobs, record, replayed, ended } = made();
  const [first, second] = [await record(three()), await record([entry('', { topic: 'd' })])];
  jobs.show(first, atOnce);
  const { player } = jobs.job.value ?? {};
  expect(await ended()).toMatchObject({ phase: 'ended', done: 3 });
  expect(jobs.job.value?.total).toBe(3);
  expect(topics(replayed)).toEqual(['a', 'b', 'c']);
  expect(replayed.every(({ replayed }) => replayed)).toBe(true);

  jobs.show(first, 0.001);
  const slow = jobs.job.value?.player;
  jobs.show(second, atOnce);
  expect(slow?.playing.value.phase).toBe('stopped');
  expect(player?.playing.value.phase).toBe('ended');
  expect(await ended()).toMatchObject({ done: 1 });
  jobs.dismiss();
  expect(jobs.job.value).toBeUndefined();
});

it('deleting a recording during its replay ends it with a message', async () => {
  const { jobs, library, record, ended, replayed, database } = made();
  const recording = await record(three());
  await library.remove(recording);
  expect(library.said.value).toBe('Deleted “kept”.');
  expect(await database.list()).toEqual([]);
  jobs.show(recording, atOnce);
  expect(await ended()).toMatchObject({
    phase: 'failed',
    problem: expect.stringMatching(/has been deleted/),
  });
  expect(replayed).toEqual([]);
});

it('publishes the selected messages again, except those that were never sent', async () => {
  const publish = vi.fn(async (_topic: string) => ({ reasonCode: 0 }));
  const { jobs, record, ended, session } = made({
    url: 'ws://me:pa55@broker/mqtt?token=x',
    publish,
  } as unknown as Client);
  const recording = await record(three());
  for (const [which, expected] of [
    ['received', ['a']],
    ['sent', ['b']],
    ['both', ['a', 'b']],
  ] as const) {
    publish.mockClear();
    jobs.publish(recording, session, which, atOnce);
    expect(await ended()).toMatchObject({ phase: 'ended', done: expected.length });
    expect(publish.mock.calls.map(([topic]) => topic)).toEqual(expected);
    expect(jobs.job.value).toMatchObject({ total: countFor(recording, which) });
  }
  await vi.waitFor(() => expect(jobs.job.value?.again?.outcome.value).toMatchObject({ published: 2 }));
  expect(jobs.job.value?.again?.broker).toBe('ws://broker/mqtt');
});

it('publishes only to the broker it started with, and only while connected', async () => {
  const answer = deferred();
  const publish = vi.fn(() => answer.promise);
  const { jobs, record, ended, session } = made({ url: 'ws://one', publish } as unknown as Client);
  const recording = await record(Array.from({ length: 200 }, () => entry('x')));
  jobs.publish(recording, session, 'both', atOnce);
  await vi.waitFor(() => expect(publish).toHaveBeenCalledTimes(100));
  const other = vi.fn();
  session.client.value = { url: 'ws://two', publish: other } as unknown as Client;
  answer.resolve();
  expect(await ended()).toMatchObject({ phase: 'failed', problem: 'The connection has ended' });
  expect(other).not.toHaveBeenCalled();

  jobs.dismiss();
  session.client.value = undefined;
  jobs.publish(recording, session, 'both', atOnce);
  expect(jobs.job.value).toBeUndefined();
});

it('a lost connection stops it, and a refused message is counted', async () => {
  const publish = vi.fn(async (topic: string) => {
    if (topic === 'a') throw new MqttError('refused', 'not authorized', { reasonCode: 0x87 });
    throw new MqttError('not-connected', 'the connection is lost');
  });
  const { jobs, record, ended, session } = made({ url: 'ws://one', publish } as unknown as Client);
  jobs.publish(
    await record([entry('', { topic: 'a' }), ...Array.from({ length: 300 }, () => entry('x'))]),
    session,
    'both',
    1,
  );
  expect(await ended()).toMatchObject({ phase: 'failed', problem: 'the connection is lost' });
  expect(jobs.job.value?.again?.outcome.value.reason).toMatch(/not authorized/);
});

it('a failed export gives the reason', async () => {
  const { jobs, library, database, files, record } = made();
  const recording = await record(three());
  database.chunk = async () => {
    throw explain(new DOMException('closed', 'InvalidStateError'));
  };
  await jobs.exportFile(recording);
  expect(library.problem.value).toMatch(/^Not exported: the browser has closed its storage/);
  expect([files, jobs.transfer.value]).toEqual([[], undefined]);
});

it('publishes on the given session, whatever others exist', async () => {
  const { jobs, record, ended } = made();
  const publish = vi.fn(async () => ({ reasonCode: 0 }));
  const given = { client: signal({ url: 'ws://given', publish } as unknown as Client | undefined) };
  jobs.publish(await record(three()), given, 'both', atOnce);
  expect(await ended()).toMatchObject({ phase: 'ended' });
  expect(jobs.job.value?.again?.broker).toBe('ws://given/');
  expect(publish).toHaveBeenCalledTimes(2);
});

it('publishes the messages of one connection only', async () => {
  const publish = vi.fn(async (_topic: string) => ({ reasonCode: 0 }));
  const { jobs, record, ended, session } = made({ url: 'ws://broker', publish } as unknown as Client);
  const recording = await record([
    entry('', { topic: 'mine', connection: 'one' }),
    entry('', { topic: 'theirs', connection: 'two' }),
    entry('', { topic: 'nobody’s' }),
  ]);
  expect(namesIn(recording)).toEqual({ names: ['one', 'two', ''], single: false });
  for (const [from, expected] of [
    ['one', ['mine']],
    ['', ['nobody’s']],
    ['another', []],
    [undefined, ['mine', 'theirs', 'nobody’s']],
  ] as const) {
    publish.mockClear();
    jobs.publish(recording, session, 'both', atOnce, from);
    expect(await ended()).toMatchObject({ phase: 'ended', done: expected.length });
    expect(publish.mock.calls.map(([topic]) => topic)).toEqual(expected);
    expect(jobs.job.value).toMatchObject({ total: expected.length });
  }
});

it('knows whether a recording is from a single connection', async () => {
  const { record } = made();
  const one = await record([entry('', { connection: 'one' }), entry('', { connection: 'one' }, 'sent')]);
  expect(namesIn(one)).toEqual({ names: ['one'], single: true });
  // Recorded by an earlier version, which did not store connections.
  const { connections: _, ...old } = one;
  expect(namesIn(old)).toEqual({ names: [], single: false });
  const many = await record(Array.from({ length: 150 }, (_, n) => entry('', { connection: `c${n}` })));
  expect(namesIn(many).names).toHaveLength(limits.connections);
});
