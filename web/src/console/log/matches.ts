/**
 * The numbers of the entries that a selection lets through, found in slices:
 * those that arrive and, after a change of the selection, those that are kept.
 * A match has a position, which never changes: the first one found has 0.
 */

import type { Ring, Sized } from './ring';

export interface Selection<Entry> {
  test(entry: Entry): boolean;
  /** A further test, for entries that pass the first one, which may take too long for the page. */
  search?: Search<Entry> | undefined;
}

export interface Search<Entry> {
  /** Indexes of the entries that match. */
  find(entries: Entry[]): Promise<number[]>;
  /** Rejects pending requests. */
  drop(): void;
}

export interface Dependencies {
  /** Entries from this number on are not searched. */
  limit(): number;
  /** Milliseconds. */
  now(): number;
  /** The slice is over, with more to look at. */
  more(): void;
  /** The search has answered. */
  changed(): void;
  failed(error: Error): void;
}

/** Milliseconds of one slice. */
const sliceTime = 5;
/** Entries looked at between two looks at the clock; topics of this many are quick to compare. */
const stride = 64;
/** What is searched at once. */
const sliceEntries = 2048;
const sliceBytes = 1024 * 1024;

export function createMatches<Entry extends Sized>(
  ring: Ring<Entry>,
  deps: Dependencies,
  selection: Selection<Entry>,
) {
  let chosen = selection;
  /** Entries up to here have been looked at. */
  let cursor = ring.first;
  let numbers: number[] = [];
  /** The position of `numbers[0]`, and the index of the first that is still kept. */
  let base = 0;
  let head = 0;
  let generation = 0;
  let asking = false;
  let stopped = false;

  function trim(): void {
    while (head < numbers.length && (numbers[head] ?? 0) < ring.first) head++;
    if (head <= 4096 || head < numbers.length / 2) return;
    numbers = numbers.slice(head);
    base += head;
    head = 0;
  }

  /** Continues for a few milliseconds. */
  function look(): void {
    cursor = Math.max(cursor, ring.first);
    if (!asking && !stopped) lookOn();
    trim();
  }

  function lookOn(): void {
    const limit = deps.limit();
    const until = deps.now() + sliceTime;
    const { test, search } = chosen;
    const candidates: number[] = [];
    let bytes = 0;
    for (let looked = 1; cursor < limit; looked++) {
      const entry = ring.get(cursor);
      if (entry && test(entry)) {
        (search ? candidates : numbers).push(cursor);
        bytes += entry.size;
      }
      cursor++;
      if (search && (candidates.length === sliceEntries || bytes > sliceBytes)) break;
      if (looked % stride === 0 && deps.now() > until) break;
    }
    if (search && candidates.length > 0) void ask(candidates, search);
    else if (cursor < limit) deps.more();
  }

  async function ask(candidates: number[], search: Search<Entry>): Promise<void> {
    const asked = generation;
    asking = true;
    let found: number[] = [];
    try {
      found = await search.find(candidates.flatMap((number) => ring.get(number) ?? []));
    } catch (error) {
      if (asked !== generation) return;
      stopped = true;
      deps.failed(error as Error);
    }
    // The selection may have changed meanwhile.
    if (asked !== generation) return;
    asking = false;
    for (const index of found) numbers.push(candidates[index] as number);
    look();
    deps.changed();
  }

  /** Begins again with another selection. */
  function select(selection: Selection<Entry>): void {
    // Requests of the old selection would delay the new one.
    chosen.search?.drop();
    chosen = selection;
    cursor = ring.first;
    numbers = [];
    base = 0;
    head = 0;
    generation++;
    asking = false;
    stopped = false;
  }

  /** The number of the entry at a position. */
  function at(position: number): number | undefined {
    return position < base + head ? undefined : numbers[position - base];
  }

  return {
    look,
    select,
    at,
    /** All that are kept, oldest first. */
    numbers: () => numbers.slice(head),
    get generation() {
      return generation;
    },
    /** The position of the oldest match kept. */
    get first() {
      return base + head;
    },
    /** One more than the position of the newest. */
    get end() {
      return base + numbers.length;
    },
    /** The number up to which entries have been looked at, and answered for. */
    get looked() {
      return cursor;
    },
  };
}
