import { type DBSchema, type IDBPDatabase, openDB, unwrap } from 'idb';
import { deferred } from '../../platform/deferred';
import { randomHex } from '../../platform/random';
import type { WireError } from '../../protocol/boundary';
import { inUse } from './lock';

/** A database of keys and bytes. Everything rejects with code `storage`. */
export interface Database {
  /** All records in the order of the keys, by UTF-16 code units. */
  read(): Promise<[key: string, value: Uint8Array][]>;
  /**
   * One transaction: puts, or deletes if the value is null. Durable when it resolves. Rejects with
   * `in-use` when another one has opened the database since.
   */
  write(changes: Map<string, Uint8Array | null>): Promise<void>;
  close(): void;
}

const records = 'records';
/** The key under which the last one that opened the database has put its name. */
const owner = 'owner';

interface Schema extends DBSchema {
  [records]: { key: string; value: Uint8Array | string };
}

/**
 * Opens the IndexedDB database of that name, and makes it this one's own: who had it open before
 * writes nothing more.
 *
 * The browser may close it at any time: because the user deletes the site's data, or because its
 * storage failed. It is opened again for the next call, but never created again: a session whose
 * beginning is lost must not continue.
 */
export async function openDatabase(name: string): Promise<Database> {
  let own: string | undefined = randomHex(16);
  let current: Promise<IDBPDatabase<Schema>> | undefined;

  function connection(create = false): Promise<IDBPDatabase<Schema>> {
    current ??= connect(name, create, lose).catch((error) => {
      current = undefined;
      throw error;
    });
    return current;
  }

  function lose(): void {
    current?.then(
      (database) => database.close(),
      () => {},
    );
    current = undefined;
  }

  async function using<T>(use: (database: IDBPDatabase<Schema>) => Promise<T>): Promise<T> {
    const database = await connection();
    const { promise: used, resolve, reject } = deferred<T>();
    // Chromium closes a database without ending its transactions.
    const closed = (): void => reject(new DOMException('the database was closed', 'AbortError'));
    database.addEventListener('close', closed);
    use(database).then(resolve, reject);
    try {
      return await used;
    } catch (error) {
      // A connection can die without an event, so after a failure it is not trusted.
      if (nameOf(error) !== 'QuotaExceededError') lose();
      throw explain(error);
    } finally {
      database.removeEventListener('close', closed);
    }
  }

  await connection(true);
  const claim = using(async (database) => void (await database.put(records, own as string, owner)));
  // Where there is no room even for that, what is stored can still be sent, and deleted.
  await claim.catch(() => {
    own = undefined;
  });
  return {
    read: () => using(readAll),
    write: (changes) => using((database) => writeAll(database, changes, own)),
    close: lose,
  };
}

async function connect(name: string, create: boolean, lost: () => void): Promise<IDBPDatabase<Schema>> {
  if (typeof indexedDB === 'undefined') throw storageError('this environment has no IndexedDB');
  let missing = false;
  try {
    return await openDB<Schema>(name, 1, {
      upgrade(database, _from, _to, transaction) {
        if (create) {
          database.createObjectStore(records);
          return;
        }
        missing = true;
        transaction.done.catch(() => {}); // openDB rejects too
        transaction.abort();
      },
      blocking: lost, // otherwise deleting the database would hang
      terminated: lost,
    });
  } catch (error) {
    throw missing ? deleted() : unopened(error);
  }
}

async function readAll(database: IDBPDatabase<Schema>): Promise<[string, Uint8Array][]> {
  const { store, done } = database.transaction(records);
  const [keys, values] = await Promise.all([store.getAllKeys(), store.getAll(), done]);
  // Another program's values would crash Go. Without their bytes it reports and deletes them.
  return keys
    .map((key, index): [string, Uint8Array] => [key, bytesOrNone(values[index])])
    .filter(([key]) => key !== owner);
}

const bytesOrNone = (value: unknown): Uint8Array => (value instanceof Uint8Array ? value : new Uint8Array());

function writeAll(
  database: IDBPDatabase<Schema>,
  changes: Map<string, Uint8Array | null>,
  own: string | undefined,
): Promise<void> {
  return new Promise((resolve, reject) => {
    // Not idb's transaction: its `done` rejects at the first error, before the cause is known.
    const transaction = unwrap(database).transaction(records, 'readwrite', { durability: 'strict' });
    transaction.oncomplete = () => resolve();
    // Not the requests' errors: if the quota is exceeded they report only the abort.
    transaction.onabort = () => reject(transaction.error ?? new DOMException('aborted', 'AbortError'));
    const store = transaction.objectStore(records);
    const has = store.get(owner);
    has.onsuccess = () => {
      try {
        if (own !== undefined && has.result !== own) throw inUse(database.name);
        for (const [key, value] of changes) {
          if (value === null) store.delete(key);
          else store.put(value, key);
        }
        transaction.commit();
      } catch (error) {
        reject(error);
        transaction.abort(); // otherwise it would commit the changes before
      }
    };
  });
}

const nameOf = (error: unknown): string => (error instanceof Error ? error.name : '');

export const storageError = (message: string): WireError => ({ code: 'storage', message });

const deleted = (): WireError =>
  storageError(
    'the stored session was deleted, with the data of this site: end this client and connect again',
  );

function unopened(error: unknown): WireError {
  const instead = 'Leave `store` out to keep the session in memory';
  switch (nameOf(error)) {
    case 'SecurityError':
    case 'InvalidStateError':
      return storageError(
        `the browser does not let this page store anything (${error}): a private window, ` +
          `blocked cookies, or a sandboxed frame. ${instead}`,
      );
    case 'VersionError':
      return storageError(
        'the stored session was written by a newer version of mqttwasm: reload the page to get that version',
      );
    case 'QuotaExceededError':
      return explain(error);
    default:
      return storageError(`the database of the session could not be opened: ${error}. ${instead}`);
  }
}

function explain(error: unknown): WireError {
  if ((error as WireError | undefined)?.code === 'in-use') return error as WireError;
  switch (nameOf(error)) {
    case 'QuotaExceededError':
      return storageError(
        "no room is left for the session: the browser's limit for this site is reached, or the disk is full. " +
          'Delete other data of the site, or publish when fewer messages wait',
      );
    case 'AbortError':
      return storageError('the browser aborted storing, and nothing of this call is stored: try again');
    case 'InvalidStateError':
      return storageError(
        'the browser has closed the database of the session: end this client and connect again',
      );
    default:
      return storageError(`the session could not be stored: ${error}`);
  }
}
