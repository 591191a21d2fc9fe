/** Recordings as files of NDJSON, and back, with a bounded part of them in memory. */

import { t, type Words } from '../core/i18n/i18n';
import type { Entry } from '../log/entry';
import { fileOf } from '../log/export';
import { chunksOf, entriesOf, mostBytes, mostMessages } from './chunk';
import type { Database, Recording } from './database';
import { entryFrom, LineError, linesIn } from './ndjson';
import { counting } from './recorder';

/** Its messages, oldest first, a chunk at a time. */
export async function* entriesIn(
  database: Pick<Database, 'chunk'>,
  { id, chunks }: Pick<Recording, 'id' | 'chunks'>,
): AsyncGenerator<Entry[]> {
  let ordinal = 0;
  for (let number = 0; number < chunks; number++) {
    const entries = entriesOf(await database.chunk(id, number), ordinal);
    ordinal += entries.length;
    yield entries;
  }
}

/** Iterates over a stream, which Safari's streams don't support. */
export async function* piecesOf(stream: ReadableStream<Uint8Array>): AsyncGenerator<Uint8Array> {
  const reader = stream.getReader();
  try {
    for (let next = await reader.read(); !next.done; next = await reader.read()) yield next.value;
  } finally {
    void reader.cancel();
  }
}

/** `told` is called with the number of messages done. Throws the signal's reason. */
export async function exported(
  parts: AsyncIterable<Entry[]>,
  told: (done: number) => void,
  signal: AbortSignal,
): Promise<Blob> {
  const files: Blob[] = [];
  let done = 0;
  for await (const entries of parts) {
    signal.throwIfAborted();
    files.push(await fileOf(entries, 'NDJSON'));
    done += entries.length;
    told(done);
  }
  return new Blob(files, { type: 'application/x-ndjson' });
}

/** Lines whose mistakes are reported. */
const mostTold = 100;

export interface Imported {
  recording: Recording;
  /** Lines that were left out. */
  wrong: number;
  /** Of the first of them: what is wrong, with the number of the line. */
  mistakes: Words[];
}

/**
 * Fills a recording with a file's messages; `told` is called with the number of bytes read. Rejects
 * with `StorageError`, or the signal's reason; what was read until then stays, as a recording cut
 * short.
 */
export async function imported(
  database: Pick<Database, 'append'>,
  empty: Recording,
  stream: AsyncIterable<Uint8Array>,
  told: (bytes: number) => void,
  signal: AbortSignal,
): Promise<Imported> {
  let recording = empty;
  let entries: Entry[] = [];
  let bytes = 0;
  let read = 0;
  let begin = Number.POSITIVE_INFINITY;
  let end = Number.NEGATIVE_INFINITY;
  let wrong = 0;
  const mistakes: Words[] = [];

  async function write(done: boolean): Promise<void> {
    const count = counting(entries);
    const time = begin <= end ? { begin, end } : {};
    recording = await database.append(empty.id, chunksOf(entries), (before) => ({
      ...count(before),
      ...time,
      done,
    }));
    entries = [];
    bytes = 0;
    told(read);
  }

  async function* counted(): AsyncGenerator<Uint8Array> {
    for await (const piece of stream) {
      signal.throwIfAborted();
      read += piece.length;
      yield piece;
    }
  }

  for await (const line of linesIn(counted())) {
    try {
      const entry = entryFrom(line);
      entries.push(entry);
      bytes += entry.size;
      begin = Math.min(begin, entry.message.receivedAt);
      end = Math.max(end, entry.message.receivedAt);
    } catch (error) {
      if (!(error instanceof LineError)) throw error;
      wrong++;
      if (mistakes.length < mostTold) {
        mistakes.push(() => t('Line {number}: {reason}', { number: line.number, reason: error.message }));
      }
    }
    if (entries.length === mostMessages || bytes > mostBytes) await write(false);
  }
  await write(true);
  return { recording, wrong, mistakes };
}
