/** Recordings in IndexedDB. Everything rejects with `StorageError`. */

import { type DBSchema, type IDBPDatabase, type IDBPTransaction, openDB, unwrap } from 'idb';
import { saying, t } from '../core/i18n/i18n';
import type { Chunk } from './chunk';
import { explain, gone, nameOf, StorageError } from './error';

/** Messages by their direction. */
export interface Counts {
  received: number;
  sent: number;
  /** Published here, and known not to have left. */
  unsent: number;
}

export interface Recording extends Counts {
  id: number;
  name: string;
  /** The broker's URL without what lets somebody in; empty where it is not known. */
  broker: string;
  /** The topics that were recorded; empty for all. */
  filter: string;
  /** Milliseconds since 1970. */
  begin: number;
  end: number;
  /**
   * By the name of the connection, which is empty where it is not known. Missing in what an
   * earlier version of the page wrote; of more than a hundred names the others are left out.
   */
  connections?: ReadonlyMap<string, Counts>;
  /** Of topics, properties and payloads. */
  bytes: number;
  /** Messages that came faster than they could be written. */
  lost: number;
  chunks: number;
  /** False while it is recorded, and for ever when the page went before its end. */
  done: boolean;
}

export type Change = (recording: Recording) => Recording;

interface Schema extends DBSchema {
  recordings: { key: number; value: Omit<Recording, 'id'> & { id?: number } };
  chunks: { key: [recording: number, chunk: number]; value: Chunk };
}

const stores = ['recordings', 'chunks'] as const;
type Stores = (typeof stores)[number][];
type Writing = IDBPTransaction<Schema, Stores, 'readwrite'>;

export type Database = ReturnType<typeof createDatabase>;

/** Opened at the first call, and again when the browser has closed it. */
export function createDatabase(name = 'mqttwasm-recordings') {
  let opened: Promise<IDBPDatabase<Schema>> | undefined;

  function lose(): void {
    opened?.then(
      (database) => database.close(),
      () => {},
    );
    opened = undefined;
  }

  function open(): Promise<IDBPDatabase<Schema>> {
    if (typeof indexedDB === 'undefined')
      throw saying(new StorageError(), () => t('this browser has no IndexedDB'));
    opened ??= openDB<Schema>(name, 1, {
      upgrade(database) {
        database.createObjectStore('recordings', { keyPath: 'id', autoIncrement: true });
        database.createObjectStore('chunks');
      },
      blocking: lose, // or deleting the data of the site would hang
      terminated: lose,
    });
    return opened;
  }

  async function using<T>(use: (database: IDBPDatabase<Schema>) => Promise<T>): Promise<T> {
    try {
      return await use(await open());
    } catch (error) {
      // A connection can die without an event, so after a failure it is not trusted.
      if (nameOf(error) !== 'QuotaExceededError' && !(error instanceof StorageError)) lose();
      throw explain(error);
    }
  }

  /** In one transaction, which has happened when it resolves, or not at all when it rejects. */
  function writing<T>(work: (transaction: Writing) => Promise<T>): Promise<T> {
    return using(async (database) => {
      const transaction = database.transaction([...stores], 'readwrite');
      const raw = unwrap(transaction);
      // Not idb's `done`: it is over at the first error, before the cause is known.
      transaction.done.catch(() => {});
      const committed = new Promise<void>((resolve, reject) => {
        raw.addEventListener('complete', () => resolve());
        raw.addEventListener('abort', () => reject(raw.error ?? new DOMException('aborted', 'AbortError')));
      });
      committed.catch(() => {});
      try {
        const result = await work(transaction);
        await committed;
        return result;
      } catch (error) {
        // Where a quota ends the transaction, its requests tell of the abort only.
        if (nameOf(error) === 'AbortError') await committed;
        abort(raw);
        throw error;
      }
    });
  }

  async function current(transaction: Writing, id: number): Promise<Recording> {
    const found = await transaction.objectStore('recordings').get(id);
    if (!found) throw gone();
    return { ...found, id };
  }

  return {
    /** The newest first. */
    list: (): Promise<Recording[]> =>
      using(async (database) => ((await database.getAll('recordings')) as Recording[]).reverse()),

    create: (recording: Omit<Recording, 'id'>): Promise<Recording> =>
      writing(async (transaction) => {
        const id = await transaction.objectStore('recordings').add(recording);
        return { ...recording, id };
      }),

    /** Puts the chunks at its end, and changes what is known of it, in one. */
    append: (id: number, chunks: readonly Chunk[], change: Change): Promise<Recording> =>
      writing(async (transaction) => {
        const before = await current(transaction, id);
        const after = { ...change(before), id, chunks: before.chunks + chunks.length };
        const store = bare(transaction, 'chunks');
        for (const [index, chunk] of chunks.entries()) store.put(chunk, [id, before.chunks + index]);
        bare(transaction, 'recordings').put(after);
        return after;
      }),

    remove: (id: number): Promise<void> =>
      writing(async (transaction) => {
        bare(transaction, 'chunks').delete(IDBKeyRange.bound([id], [id, []]));
        bare(transaction, 'recordings').delete(id);
      }),

    chunk: (id: number, number: number): Promise<Chunk> =>
      using(async (database) => {
        const chunk = await database.get('chunks', [id, number]);
        if (!chunk) throw gone();
        return chunk;
      }),
  };
}

/** Without promises: the transaction tells of its requests' failures. */
function bare(transaction: Writing, name: Stores[number]): IDBObjectStore {
  return unwrap(transaction.objectStore(name));
}

function abort(transaction: IDBTransaction): void {
  try {
    transaction.abort(); // or it would commit what went before
  } catch {
    // It has ended by itself.
  }
}
