/** What the page keeps in this browser from one visit to the next, in step with its other tabs. */

import { type ReadonlySignal, signal } from '@preact/signals';

type Box = Pick<Storage, 'getItem' | 'setItem'>;

/** The tab's part of the storage. */
export interface Tab {
  storage(): Box;
  /** Calls back with each key that another tab has written; null when that one cleared them all. */
  onWritten(call: (key: string | null) => void): void;
}

// Read at each use, since a browser may forbid it.
const lasting = (): Box => localStorage;

const thisTab: Tab = {
  storage: lasting,
  // Not in a worker, nor in Node.
  onWritten: (call) => globalThis.addEventListener?.('storage', ({ key }) => call(key)),
};

/** Undefined if there is nothing, or it can't be read. */
export function readKept(key: string, storage = lasting): unknown {
  try {
    return JSON.parse(storage().getItem(key) ?? '');
  } catch {
    return undefined;
  }
}

/** Whether it was kept. */
export function keep(key: string, value: unknown, storage = lasting): boolean {
  try {
    storage().setItem(key, JSON.stringify(value));
    return true;
  } catch {
    // Full, or forbidden in the browser's settings.
    return false;
  }
}

export type Outcome = 'kept' | 'too many' | 'no room';

export interface KeptList<E> {
  entries: ReadonlySignal<readonly E[]>;
  /** As they are stored now, even if other tabs' events have not arrived yet. */
  latest(): readonly E[];
  /** With `hold`, what can't be kept is still an entry for as long as the page is open. */
  change(put: readonly E[], dropped?: readonly string[], hold?: boolean): Outcome;
}

interface ListOptions<E> {
  key: string;
  /** An entry from foreign JSON; undefined if it is not valid. */
  read(value: unknown): E | undefined;
  nameOf(entry: E): string;
  most: number;
  /** Beyond `most` the oldest are dropped. Otherwise no more are accepted. */
  oldestGo?: boolean;
}

/** By the name of the entry; undefined: deleted. */
type Changes<E> = Map<string, E | undefined>;

/** Tabs whose writes are counted in a list. */
const mostTabs = 20;

/** A stored list holds, beside its entries, how many writes of each tab it has in it. */
function writesIn(value: unknown): [tab: string, count: number][] {
  if (!isRecord(value) || !isRecord(value.writes)) return [];
  return Object.entries(value.writes).filter((pair): pair is [string, number] => typeof pair[1] === 'number');
}

const isCount = (value: unknown): boolean => isRecord(value) && 'writes' in value;

/**
 * A list with one entry to a name. A change is made to the list as it is stored
 * then, so that it takes nothing from what other tabs have changed meanwhile.
 * Two tabs may still write before they hear of each other. The first of them
 * then finds its write missing in the count, and makes its change again. What
 * this version of the page can't read stays as it is.
 */
export function keptList<E>(
  { key, read, nameOf, most, oldestGo = false }: ListOptions<E>,
  tab: Tab = thisTab,
): KeptList<E> {
  const own = Math.random().toString(36).slice(2);
  let writes = 0;
  /** Changes that were kept, with the number of the write. */
  const mine = new Map<string, { entry: E | undefined; write: number }>();
  /** Changes that could not be kept. */
  const held: Changes<E> = new Map();

  function stored(): unknown[] {
    const value = readKept(key, tab.storage);
    return Array.isArray(value) ? value : [];
  }

  function apply(changes: Changes<E>, list: unknown[]): unknown[] {
    const others = list.filter((value) => {
      const entry = read(value);
      return !isCount(value) && (entry === undefined || !changes.has(nameOf(entry)));
    });
    const all = [...others, ...[...changes.values()].filter((entry) => entry !== undefined)];
    return oldestGo ? all.slice(-most) : all;
  }

  function entriesOf(list: unknown[]): E[] {
    const named = list.flatMap((value): [string, E][] => {
      const entry = isCount(value) ? undefined : read(value);
      return entry === undefined ? [] : [[nameOf(entry), entry]];
    });
    return [...new Map(named).values()];
  }

  const entries = signal<readonly E[]>(entriesOf(stored()));

  function latest(): readonly E[] {
    entries.value = entriesOf(apply(held, stored()));
    return entries.value;
  }

  function write(given: Changes<E>, hold: boolean): Outcome {
    const changes = new Map(held);
    for (const [name, entry] of given) {
      changes.delete(name); // the newest is the last
      changes.set(name, entry);
    }
    const before = stored();
    const after = apply(changes, before);
    if (after.length > most && after.length > apply(new Map(), before).length) return 'too many';
    const others = before.flatMap(writesIn).filter(([writer]) => writer !== own);
    const count = Object.fromEntries([...others, [own, writes + 1]].slice(-mostTabs));
    const kept = keep(key, [...after, { writes: count }], tab.storage);
    if (!kept && !hold) return 'no room';
    held.clear();
    if (kept) {
      writes++;
      for (const [name, entry] of changes) mine.set(name, { entry, write: writes });
    } else {
      for (const [name, entry] of [...changes].slice(-most)) held.set(name, entry);
    }
    entries.value = entriesOf(after);
    return kept ? 'kept' : 'no room';
  }

  /** Once, so that two tabs do not contradict each other for ever. */
  function restoreOverwritten(): void {
    const list = stored();
    const counts = list.flatMap(writesIn);
    if (counts.length === 0) return; // written by another version of the page, which does not count
    const counted = new Map(counts).get(own) ?? 0;
    const names = new Set(entriesOf(list).map(nameOf));
    const lost: Changes<E> = new Map();
    for (const [name, { entry, write }] of mine) {
      if (write > counted && names.has(name) !== (entry !== undefined)) lost.set(name, entry);
    }
    mine.clear();
    if (lost.size === 0) return;
    write(lost, false);
    mine.clear();
  }

  tab.onWritten((written) => {
    if (written === key) restoreOverwritten();
    if (written === key || written === null) latest();
  });

  function change(put: readonly E[], dropped: readonly string[] = [], hold = false): Outcome {
    const changes: Changes<E> = new Map(dropped.map((name) => [name, undefined]));
    for (const entry of put) changes.set(nameOf(entry), entry);
    return write(changes, hold);
  }

  return { entries, latest, change };
}

export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

export function pairsIn(value: unknown): [string, string][] {
  if (!Array.isArray(value)) return [];
  return value.flatMap((pair: unknown): [string, string][] => {
    if (!Array.isArray(pair)) return [];
    const [name, text]: unknown[] = pair;
    return typeof name === 'string' && typeof text === 'string' ? [[name, text]] : [];
  });
}

/**
 * Foreign JSON in the shape of `model`: a field of the same type is used, any other is the model's,
 * and unknown fields are dropped. Lists are pairs of strings.
 */
export function inShapeOf<T extends object>(model: T, value: unknown): T {
  if (!isRecord(value)) return model;
  const fields = Object.entries(model).map(([key, own]: [string, unknown]): [string, unknown] => {
    const given = Object.hasOwn(value, key) ? value[key] : undefined;
    if (Array.isArray(own)) return [key, pairsIn(given)];
    if (isRecord(own)) return [key, inShapeOf(own, given)];
    return [key, typeof given === typeof own ? given : own];
  });
  return Object.fromEntries(fields) as T;
}
