/** Recordings in IndexedDB. Everything rejects with `StorageError`. */

import { type DBSchema, type IDBPDatabase, type IDBPTransaction, openDB, unwrap } from 'idb';
import { t } from '../core/i18n/i18n';
import type { Chunk } from './chunk';
import { explain, gone, nameOf, StorageError } from './error';

/** Numbers of messages by direction. */
export interface Counts {
  received: number;
  sent: number;
  /** Published here, but not sent. */
  unsent: number;
}

export interface Recording extends Counts {
  id: number;
  name: string;
  /** The broker's URL without credentials; empty if it is not known. */
  broker: string;
  /** The topics that were recorded; empty for all. */
  filter: string;
  /** Milliseconds since 1970. */
  begin: number;
  end: number;
  /**
   * By the name of the connection, which is empty if unknown. Missing in recordings of
   * earlier versions of the page. No more than a hundred names are kept.
   */
  connections?: ReadonlyMap<string, Counts>;
  /** Of topics, properties and payloads. */
  bytes: number;
  /** Messages that arrived faster than they could be written. */
  lost: number;
  chunks: number;
  /** False while it is recorded, and for ever if the page was closed before its end. */
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
    if (typeof indexedDB === 'undefined') throw new StorageError(() => t('this browser has no IndexedDB'));
    opened ??= openDB<Schema>(name, 1, {
      upgrade(database) {
        database.createObjectStore('recordings', { keyPath: 'id', autoIncrement: true });
        database.createObjectStore('chunks');
      },
      blocking: lose, // otherwise deleting the site's data would hang
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

  /** In one transaction, which is complete when it resolves, and undone when it rejects. */
  function writing<T>(work: (transaction: Writing) => Promise<T>): Promise<T> {
    return using(async (database) => {
      const transaction = database.transaction([...stores], 'readwrite');
      const raw = unwrap(transaction);
      // Not idb's `done`: it rejects at the first error, before the cause is known.
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
        // If the quota is exceeded, the requests report only the abort.
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

/** Without promises: the transaction reports its requests' failures. */
function bare(transaction: Writing, name: Stores[number]): IDBObjectStore {
  return unwrap(transaction.objectStore(name));
}

function abort(transaction: IDBTransaction): void {
  try {
    transaction.abort(); // otherwise it would commit the changes before
  } catch {
    // It has ended by itself.
  }
}
