/** Everything that arrived and was sent, as far as it is kept. */

import { type ReadonlySignal, signal } from '@preact/signals';
import type { Message } from '../../client';
import { limits } from '../core/limits';
import { keep, readKept } from '../core/storage';
import { pageTiming, rateSeconds, type Timing } from '../core/timing';
import type { Choices } from '../payload/choices';
import { isOpaque } from '../payload/preview';
import type { Texts } from './decoded';
import { type Entry, entryFor, type Via } from './entry';
import { noFilter, selectionOf } from './filter';
import type { Haystack, Pattern } from './find';
import type { Finder } from './finder';
import { createLog } from './log';
import { createMarks } from './marks';
import type { Search } from './matches';

/** Browsers can't lay out an element that is higher than this many rows. */
export const maxMessages = 300_000;

/** Bytes that the feed may take, to choose from; the choice is kept. */
export const budgets = [8, 16, 32, 64, 128, 256, 512].map((size) => size * 1024 * 1024);
const standardBudget = 32 * 1024 * 1024;
const budgetKey = 'mqttwasm.feed.bytes';

export interface Dependencies {
  choices: Choices;
  finder: Finder;
  /** Whether the messages are visible. */
  shown: ReadonlySignal<boolean>;
  timing?: Timing;
}

export type Feed = ReturnType<typeof createFeed>;

export function createFeed(
  { choices, finder, shown, timing = pageTiming }: Dependencies,
  most = maxMessages,
) {
  const kept = readKept(budgetKey);
  /** Bytes. */
  const budget = signal(budgets.find((bytes) => bytes === kept) ?? standardBudget);
  /**
   * Names of the connections of the messages, in the order in which they were added; and whether
   * there are more.
   */
  const names = signal<string[]>([]);
  const moreNames = signal(false);
  const known = new Set<string>();
  /** Counts how often the list was emptied. */
  const emptied = signal(0);
  /** Messages a second; and the count of all at the same time. */
  const rate = signal(0);
  const total = signal(0);

  let received = 0;
  let sent = 0;
  /** Dropped by the client because this page was too slow. */
  let dropped = 0;
  let watcher: ((entry: Entry) => void) | undefined;
  let searched: Pattern | undefined;

  let decoded: Texts | undefined;
  async function decodedOf(entries: Entry[], dropped: () => boolean): Promise<string[]> {
    // If it can't be loaded, the bytes are searched.
    const loaded = await import('./decoded').catch(() => undefined);
    decoded ??= loaded?.createTexts(timing.now, choices.recall);
    return decoded?.of(entries, dropped) ?? [];
  }

  function searchFor(pattern: Pattern): Search<Entry> {
    let dropped = false;
    return {
      async find(entries) {
        const texts = entries.some(({ message }) => isOpaque(message))
          ? await decodedOf(entries, () => dropped)
          : [];
        return finder.find(pattern, haystackOf(entries, texts));
      },
      drop() {
        dropped = true;
        finder.drop();
      },
    };
  }

  const log = createLog({
    most,
    bytes: budget.value,
    filter: noFilter,
    select(filter) {
      let pattern: Pattern | undefined;
      const selected = selectionOf(filter, (given) => {
        pattern = given;
        return searchFor(given);
      });
      if ('selection' in selected) searched = pattern;
      return selected;
    },
    counts: () => ({ received, dropped }),
    shown,
    timing,
  });
  const marks = createMarks(finder, choices.recall, () => searched);

  // Counts of the last seconds, the newest last; empty while nothing arrives.
  let counts: number[] = [];

  function measure(): void {
    counts = [...counts, received - total.value].slice(-rateSeconds);
    const sum = counts.reduce((all, count) => all + count, 0);
    total.value = received;
    rate.value = sum / counts.length;
    log.show();
    if (sum > 0) timing.after(1000, measure);
    else counts = [];
  }

  function list(all: Iterable<string>, most: number): void {
    const fresh: string[] = [];
    for (const name of all) {
      if (known.has(name)) continue;
      if (known.size >= most) {
        moreNames.value = true;
        break;
      }
      known.add(name);
      fresh.push(name);
    }
    if (fresh.length > 0) names.value = [...names.peek(), ...fresh];
  }

  /** To be called with each new client, so that there is a name to filter by. */
  function join(via: Via): Via {
    // The names of a recording may fill only half of the list.
    list([via.name], 2 * limits.connections);
    return via;
  }

  function add(entry: Entry): void {
    log.push(entry);
    watcher?.(entry);
  }

  /** `lost` messages were dropped on the way to this batch. */
  function push(messages: Message[], lost: number, via: Via): void {
    if (counts.length === 0 && total.peek() === received && messages.length > 0) timing.after(1000, measure);
    for (const message of messages) add(entryFor(message, received++, via));
    dropped += lost;
    log.show();
  }

  /** Adds what this page publishes. Returns a function to call if it was not sent after all. */
  function enter(message: Message, via: Via): () => void {
    const entry = entryFor(message, sent++, via, true);
    add(entry);
    log.show();
    return () => {
      entry.unsent = true;
      log.show();
    };
  }

  /** Adds entries of a recording, which are not counted. */
  function replay(entries: readonly Entry[]): void {
    const theirs = new Set<string>();
    for (const entry of entries) {
      log.push(entry);
      if (entry.via.name !== '') theirs.add(entry.via.name);
    }
    list(theirs, limits.connections);
    log.show();
  }

  /** Calls `call` with everything that is received and sent from now on. */
  function watch(call: ((entry: Entry) => void) | undefined): void {
    watcher = call;
  }

  /** Empties the list; the counts stay. */
  function clear(): void {
    emptied.value++;
    log.clear();
  }

  function resize(bytes: number): void {
    keep(budgetKey, bytes);
    budget.value = bytes;
    log.resize(bytes);
  }

  return {
    ...log,
    rate,
    total,
    emptied,
    budget,
    names,
    moreNames,
    join,
    push,
    enter,
    replay,
    watch,
    clear,
    resize,
    marks: marks.of,
    /** How its payloads are read. */
    choices,
  };
}

function haystackOf(entries: Entry[], texts: readonly string[]): Haystack {
  const payloads = entries.map(({ message }) => message.payload);
  const bytes = new Uint8Array(payloads.reduce((sum, { length }) => sum + length, 0));
  let end = 0;
  const ends = payloads.map((payload) => {
    bytes.set(payload, end);
    end += payload.length;
    return end;
  });
  return { topics: entries.map(({ message }) => message.topic), bytes, ends, texts };
}
