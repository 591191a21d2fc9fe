/**
 * The numbers of the messages that a selection lets through, found in slices:
 * those that arrive and, after a change of the selection, those that are kept.
 * A match has a position, which never changes: the first one found has 0.
 */

import type { Entry } from './entry';
import type { Selection } from './filter';
import type { Finder } from './finder';
import type { Ring } from './ring';

export interface Dependencies {
  finder: Pick<Finder, 'find' | 'drop'>;
  /** Messages from this number on are not to be looked at. */
  limit(): number;
  /** Milliseconds. */
  now(): number;
  /** There is news, or more to do. */
  changed(): void;
  failed(error: unknown): void;
}

/** Milliseconds of one slice. */
const sliceTime = 5;
/** Messages looked at between two looks at the clock; topics of this many are quick to compare. */
const stride = 64;
/** What goes to the finder at once. */
const sliceMessages = 2048;
const sliceBytes = 1024 * 1024;

export function createMatches(ring: Ring<Entry>, deps: Dependencies, selection: Selection) {
  let chosen = selection;
  /** Messages up to here have been looked at. */
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

  /** Looks on for a few milliseconds. */
  function look(): void {
    trim();
    cursor = Math.max(cursor, ring.first);
    if (asking || stopped) return;
    const limit = deps.limit();
    const until = deps.now() + sliceTime;
    const { test, pattern } = chosen;
    const candidates: number[] = [];
    let bytes = 0;
    for (let looked = 1; cursor < limit; looked++) {
      const entry = ring.get(cursor);
      if (entry && test(entry)) {
        (pattern ? candidates : numbers).push(cursor);
        bytes += entry.size;
      }
      cursor++;
      if (pattern && (candidates.length === sliceMessages || bytes > sliceBytes)) break;
      if (looked % stride === 0 && deps.now() > until) break;
    }
    if (pattern && candidates.length > 0) void ask(candidates, pattern);
    else if (cursor < limit) deps.changed();
  }

  async function ask(candidates: number[], pattern: NonNullable<Selection['pattern']>): Promise<void> {
    const asked = generation;
    asking = true;
    let found: number[] = [];
    try {
      found = await deps.finder.find(pattern, haystackOf(candidates));
    } catch (error) {
      if (asked !== generation) return;
      stopped = true;
      deps.failed(error);
    }
    // The selection may have changed meanwhile.
    if (asked !== generation) return;
    asking = false;
    for (const index of found) numbers.push(candidates[index] as number);
    look();
    deps.changed();
  }

  function haystackOf(candidates: number[]) {
    const messages = candidates.flatMap((number) => ring.get(number)?.message ?? []);
    const payloads = messages.map(({ payload }) => payload);
    const bytes = new Uint8Array(payloads.reduce((sum, { length }) => sum + length, 0));
    let end = 0;
    const ends = payloads.map((payload) => {
      bytes.set(payload, end);
      end += payload.length;
      return end;
    });
    return { topics: messages.map(({ topic }) => topic), bytes, ends };
  }

  /** Begins again with another selection. */
  function select(selection: Selection): void {
    // What is asked for the old one, here or for its marks, would keep the new one waiting.
    deps.finder.drop();
    chosen = selection;
    cursor = ring.first;
    numbers = [];
    base = 0;
    head = 0;
    generation++;
    asking = false;
    stopped = false;
  }

  /** The number of the message at a position. */
  function at(position: number): number | undefined {
    return position < base + head ? undefined : numbers[position - base];
  }

  return {
    look,
    select,
    at,
    /** All that are kept, oldest first. */
    numbers: () => numbers.slice(head),
    get pattern() {
      return chosen.pattern;
    },
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
    /** The number up to which messages have been looked at, and answered for. */
    get looked() {
      return cursor;
    },
    get asking() {
      return asking;
    },
  };
}
