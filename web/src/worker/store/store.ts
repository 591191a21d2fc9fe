import { nextTask } from '../../platform/next-task';
import type { BoundaryStore } from '../../protocol/boundary';
import { openDatabase, storageError } from './database';
import { lock } from './lock';

/** Milliseconds for which the lock is waited for after `pause`. */
const patienceOnReturn = 1000;

type Changes = Parameters<BoundaryStore['apply']>[0];

interface Call {
  changes: Changes;
  resolve(): void;
  reject(error: unknown): void;
}

export interface Store extends BoundaryStore {
  /**
   * Lets another client open the store: the page is in the back/forward cache, and may stay there.
   * Works at once, since after that nothing may run.
   */
  pause(): void;
  /** Rejects with `in-use` when another client has it, or has had it. */
  resume(): Promise<void>;
}

/** Those of this worker, by name. */
export const openStores = new Map<string, Store>();

/**
 * Opens the durable store of that name, an IndexedDB database, for this client
 * alone. Rejects with `in-use` when another keeps it for longer than `patience`
 * milliseconds, and with `storage` when the browser refuses.
 *
 * Durable means that it survives a crash. A browser short of space may still
 * delete it, unless the origin's storage is persistent (the page may ask for
 * that with `navigator.storage.persist()`), and so may the user.
 */
export async function openStore(name: string, patience = 5000): Promise<Store> {
  // A reloaded page's former worker can outlive it for a moment, with the lock.
  let release = await lock(name, patience);
  const database = await openDatabase(name).catch((error) => {
    release();
    throw error;
  });
  let closed = false;
  let paused = false;
  let waiting: Call[] = [];
  let writing: Promise<void> | undefined;

  // A durable transaction costs a flush of the disk, so one takes everything that waits: the calls
  // of one task, and those made during the last transaction.
  async function writeWaiting(): Promise<void> {
    while (waiting.length > 0) {
      await new Promise<void>(nextTask);
      const calls = waiting;
      waiting = [];
      await write(calls);
    }
    writing = undefined;
  }

  async function write(calls: Call[]): Promise<void> {
    try {
      // Of several changes to one key the last counts.
      await database.write(new Map(calls.flatMap(({ changes }) => changes)));
      for (const { resolve } of calls) resolve();
    } catch {
      // Try again one by one: so only what does not fit fails, and a database that the browser has
      // closed is opened again.
      for (const { changes, resolve, reject } of calls) {
        await database.write(new Map(changes)).then(resolve, reject);
      }
    }
  }

  const store: Store = {
    load: async () => {
      await writing;
      if (closed) throw isClosed();
      return database.read();
    },
    apply: (changes) =>
      new Promise((resolve, reject) => {
        if (closed) throw isClosed();
        waiting.push({ changes, resolve, reject });
        writing ??= writeWaiting();
      }),
    pause() {
      paused = true;
      release();
    },
    async resume() {
      if (!paused) return;
      release = await lock(name, patienceOnReturn);
      paused = false;
      await database.write(new Map()).catch((error) => {
        release();
        throw error;
      });
    },
    close: async () => {
      if (closed) return;
      closed = true;
      if (openStores.get(name) === store) openStores.delete(name);
      await writing;
      database.close();
      release();
    },
  };
  openStores.set(name, store);
  return store;
}

const isClosed = () => storageError('the session store is closed');
