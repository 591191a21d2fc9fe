/** Writes what arrives to a recording, a few times a second. */

import { signal } from '@preact/signals';
import { limits } from '../core/limits';
import { directionOf, type Entry } from '../log/entry';
import { chunksOf } from './chunk';
import type { Change, Counts, Database, Recording } from './database';
import { explain } from './error';

/** Milliseconds between two writes. */
const period = 250;
/** Messages that may wait for the disk; more are lost, and counted. */
const mostWaiting = 100_000;
const mostBytes = 64 * 1024 * 1024;

export interface Dependencies {
  database: Pick<Database, 'append'>;
  /** Calls back once. */
  after(milliseconds: number, call: () => void): void;
  /** Milliseconds since 1970. */
  now(): number;
}

const fields = { received: 'received', sent: 'sent', 'not sent': 'unsent' } as const;
export const none: Counts = { received: 0, sent: 0, unsent: 0 };

const sum = (a: Counts, b: Counts): Counts => ({
  received: a.received + b.received,
  sent: a.sent + b.sent,
  unsent: a.unsent + b.unsent,
});

/** Counts the messages in. */
export function counting(entries: readonly Entry[]): Change {
  const counts = new Map<string, Counts>();
  let bytes = 0;
  for (const entry of entries) {
    const own = counts.get(entry.via.name) ?? { ...none };
    own[fields[directionOf(entry)]]++;
    counts.set(entry.via.name, own);
    bytes += entry.message.size;
  }
  return (recording) => {
    const connections = new Map(recording.connections);
    for (const [name, own] of counts) {
      const before = connections.get(name);
      if (before || connections.size < limits.connections) connections.set(name, sum(before ?? none, own));
    }
    const all = [...counts.values()].reduce(sum, recording);
    return { ...recording, ...all, connections, bytes: recording.bytes + bytes };
  };
}

export type Recorder = ReturnType<typeof createRecorder>;

/** `failed` is called once with the reason why nothing more is written; it need not be stopped then. */
export function createRecorder(
  deps: Dependencies,
  recording: Recording,
  failed: (reason: Error) => void,
  bounds = { messages: mostWaiting, bytes: mostBytes },
) {
  /** As it stands on the disk. */
  const written = signal(recording);
  let waiting: Entry[] = [];
  let bytes = 0;
  let lost = 0;
  let planned = false;
  let closed = false;
  let broken = false;
  let writing = Promise.resolve();

  async function writeWaiting(last: boolean): Promise<void> {
    const entries = waiting;
    const missed = lost;
    waiting = [];
    bytes = 0;
    if (broken || (entries.length === 0 && !last && missed === written.value.lost)) return;
    // Counted late, since it becomes known only after publishing that a message was not sent.
    const count = counting(entries);
    try {
      written.value = await deps.database.append(recording.id, chunksOf(entries), (before) => ({
        ...count(before),
        lost: missed,
        end: deps.now(),
        done: last,
      }));
    } catch (error) {
      closed = true;
      broken = true;
      written.value = { ...written.value, lost: missed + entries.length + waiting.length };
      waiting = [];
      failed(explain(error));
    }
  }

  function write(last = false): Promise<void> {
    writing = writing.then(() => writeWaiting(last));
    return writing;
  }

  return {
    written,
    /** Never blocks, and never throws. */
    take(entry: Entry): void {
      if (closed) return;
      if (waiting.length === bounds.messages || bytes + entry.size > bounds.bytes) lost++;
      else {
        waiting.push(entry);
        bytes += entry.size;
      }
      if (planned) return;
      planned = true;
      deps.after(period, () => {
        planned = false;
        void write();
      });
    },
    /** Writes what waits at once, as when the page goes. */
    flush: (): Promise<void> => write(),
    /** Resolves when everything taken is written, or `failed` was called. */
    stop(): Promise<void> {
      if (closed) return writing;
      closed = true;
      return write(true);
    },
  };
}
