/** Everything that arrived and was sent, as far as it is kept. */

import { batch, signal } from '@preact/signals';
import type { Message } from '../../client';
import { t } from '../core/i18n/i18n';
import { limits } from '../core/limits';
import type { Paint } from '../core/paint';
import { loadBudget, saveBudget } from './budget';
import { type Entry, entryFor, type Via } from './entry';
import { type Filter, type FilterErrors, noFilter, selectionOf } from './filter';
import { type Finder, TooSlow } from './finder';
import { createMarks } from './marks';
import { createMatches } from './matches';
import { createRing } from './ring';

/** Browsers lay out no element that is higher than this many rows. */
export const maxMessages = 300_000;

/** Seconds over which the rate is taken. */
const span = 3;

/** What the list shows; a new one with each paint that has news. */
export interface View {
  /** Positions, among the messages that the filter selects, of the oldest kept and of the next to come. */
  first: number;
  end: number;
  /** Another one after each change of the filter; positions begin anew then. */
  generation: number;
  /** How far the filter has got, from 0 to 1. */
  looked: number;
  kept: number;
  bytes: number;
  received: number;
  /** Messages a second. */
  rate: number;
  /** Arrived since the list was paused. */
  waiting: number;
  /** By the client, because this page was too slow. */
  dropped: number;
  /** Shown, and gone again to stay within the caps. */
  evicted: number;
}

export interface Dependencies {
  /** For the list. */
  paint: Paint;
  /** Runs `call` with the next frame. */
  frame(call: () => void): void;
  /** Calls back once, a second later. */
  second(call: () => void): void;
  /** Milliseconds. */
  now(): number;
  finder: Finder;
}

export type Feed = ReturnType<typeof createFeed>;

export function createFeed(deps: Dependencies, most = maxMessages) {
  /** Bytes. */
  const budget = signal(loadBudget());
  const filter = signal<Filter>(noFilter);
  const filterErrors = signal<FilterErrors>({});
  const paused = signal(false);
  /** Names of the connections that messages may have come by, in the order of their coming; and whether there are more. */
  const names = signal<string[]>([]);
  const moreNames = signal(false);
  const known = new Set<string>();
  /** Counts how often the list was emptied. */
  const emptied = signal(0);

  const ring = createRing<Entry>(most, budget.value);
  let received = 0;
  let sent = 0;
  let watcher: ((entry: Entry) => void) | undefined;
  let dropped = 0;
  let cleared = 0;
  let asked = false;
  let framed = false;
  let pausedAt: number | undefined;

  const matches = createMatches(
    ring,
    {
      finder: deps.finder,
      now: deps.now,
      limit: () => pausedAt ?? ring.end,
      changed: goOn,
      failed(error) {
        const advice =
          error instanceof TooSlow ? t('Stopped: this expression takes too long') : String(error);
        filterErrors.value = { ...filterErrors.value, search: advice };
      },
    },
    selectionFor(noFilter),
  );
  const marks = createMarks(deps.finder, () => matches.pattern);

  /** Messages a second. */
  const rate = signal(0);
  /** Received so far, of the last second perhaps not all: for those who show no list. */
  const heard = signal(0);

  function look(): View {
    const { first, end, bytes } = ring;
    const limit = pausedAt ?? end;
    const behind = Math.max(0, limit - Math.max(first, matches.looked));
    return {
      first: matches.first,
      end: matches.end,
      generation: matches.generation,
      looked: behind === 0 ? 1 : 1 - behind / (limit - first),
      kept: end - first,
      bytes,
      received,
      rate: rate.peek(),
      waiting: end - Math.max(first, limit),
      dropped,
      evicted: first - cleared,
    };
  }

  const view = signal<View>(look());
  /** The message whose details are open: kept here, also when the feed has moved on. */
  const open = signal<{ number: number; entry: Entry } | undefined>(undefined);

  function showNow(): void {
    matches.look();
    view.value = look();
  }

  function show(): void {
    if (asked) return;
    asked = true;
    deps.paint(() => {
      asked = false;
      showNow();
    });
  }

  /** With a search that has more to do, which need not wait for the next paint. */
  function goOn(): void {
    if (framed) return;
    framed = true;
    deps.frame(() => {
      framed = false;
      matches.look();
      show();
    });
  }

  // Counts of the last seconds, the newest last; empty while nothing arrives.
  let counts: number[] = [];
  let counted = 0;

  function measure(): void {
    counts = [...counts, received - counted].slice(-span);
    counted = received;
    const sum = counts.reduce((total, count) => total + count, 0);
    rate.value = sum / counts.length;
    heard.value = received;
    show();
    if (sum > 0) deps.second(measure);
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
    // Those of a recording leave room.
    list([via.name], 2 * limits.connections);
    return via;
  }

  function add(entry: Entry): void {
    ring.push(entry);
    watcher?.(entry);
  }

  /** `lost` messages were dropped on the way to this batch. */
  function push(messages: Message[], lost: number, via: Via): void {
    const first = counts.length === 0 && counted === received && messages.length > 0;
    if (first) deps.second(measure);
    for (const message of messages) add(entryFor(message, received++, via));
    if (first) heard.value = received;
    dropped += lost;
    show();
  }

  /** What this page publishes. Gives back what to call when it has not left. */
  function enter(message: Message, via: Via): () => void {
    const entry = entryFor(message, sent++, via, true);
    add(entry);
    show();
    return () => {
      entry.unsent = true;
      show();
    };
  }

  /** Entries of a recording, which count for nothing. */
  function replay(entries: readonly Entry[]): void {
    const theirs = new Set<string>();
    for (const entry of entries) {
      ring.push(entry);
      if (entry.via.name !== '') theirs.add(entry.via.name);
    }
    list(theirs, limits.connections);
    show();
  }

  /** Has `call` told of all that is received and sent from now on. */
  function watch(call: ((entry: Entry) => void) | undefined): void {
    watcher = call;
  }

  /** Empties the list; what was counted stays counted. */
  function clear(): void {
    // What is cleared was not evicted, what was evicted before still was.
    cleared += ring.end - ring.first;
    ring.clear();
    emptied.value++;
    if (paused.value) pausedAt = ring.end;
    showNow();
  }

  /** While paused the list stands still, and messages are kept for later. */
  function pause(on: boolean): void {
    pausedAt = on ? ring.end : undefined;
    batch(() => {
      paused.value = on;
      showNow();
    });
  }

  function resize(bytes: number): void {
    ring.resize(bytes);
    saveBudget(bytes);
    batch(() => {
      budget.value = bytes;
      showNow();
    });
  }

  /** With a mistake in it the list stays what it was. */
  function edit(changes: Partial<Filter>): void {
    const next = { ...filter.value, ...changes };
    const result = selectionOf(next);
    batch(() => {
      filter.value = next;
      filterErrors.value = 'errors' in result ? result.errors : {};
      if ('errors' in result) return;
      matches.select(result.selection);
      showNow();
    });
  }

  function select(number: number | undefined): void {
    const entry = number === undefined ? undefined : ring.get(number);
    open.value = number === undefined || !entry ? undefined : { number, entry };
  }

  return {
    view,
    rate,
    heard,
    emptied,
    open,
    budget,
    filter,
    filterErrors,
    paused,
    names,
    moreNames,
    join,
    push,
    enter,
    replay,
    watch,
    clear,
    pause,
    resize,
    edit,
    select,
    get: ring.get,
    /** The number of the message at a position. */
    at: matches.at,
    marks: marks.of,
    /** All that are kept, oldest first. */
    *kept(): Generator<Entry> {
      for (let number = ring.first; number < ring.end; number++) {
        const entry = ring.get(number);
        if (entry) yield entry;
      }
    },
    /** What the list shows, and what of it is out of sight. */
    listed: (): Entry[] => matches.numbers().flatMap((number) => ring.get(number) ?? []),
  };
}

function selectionFor(filter: Filter) {
  const result = selectionOf(filter);
  if ('errors' in result) throw new Error('a filter with a mistake in it');
  return result.selection;
}
