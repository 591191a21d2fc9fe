/** The newest entries within two bounds, and those of them that a filter selects. */

import { batch, effect, type ReadonlySignal, signal, untracked } from '@preact/signals';
import { createFieldErrors, type FieldErrors } from '../core/i18n/i18n';
import type { Numbered } from '../core/listed';
import { createPaint } from '../core/paint';
import { pageTiming, type Timing } from '../core/timing';
import { createMatches, type Selection } from './matches';
import { createRing, type Sized } from './ring';

export type Selected<Entry, Filter> =
  | { selection: Selection<Entry> }
  | { errors: FieldErrors<keyof Filter & string> };

export interface Options<Entry, Filter, Counts> {
  /** Entries, and bytes of them. */
  most: number;
  bytes: number;
  /** The filter at first. */
  filter: Filter;
  select(filter: Filter): Selected<Entry, Filter>;
  /** For the view. */
  counts(): Counts;
  /** Whether it is visible: while it is hidden it does nothing. */
  shown: ReadonlySignal<boolean>;
  timing?: Timing | undefined;
}

export function createLog<Entry extends Sized, Filter extends { search: string }, Counts extends object>({
  select: selected,
  counts,
  shown,
  timing: { frame, after, now } = pageTiming,
  ...options
}: Options<Entry, Filter, Counts>) {
  const filter = signal(options.filter);
  const filterErrors = createFieldErrors<keyof Filter & string>();
  const paused = signal(false);
  const following = signal(true);

  const ring = createRing<Entry>(options.most, options.bytes);
  let cleared = 0;
  let pausedAt: number | undefined;

  const first = selected(options.filter);
  if ('errors' in first) throw new Error('a filter with a mistake in it');
  const matches = createMatches(
    ring,
    {
      now,
      limit: () => pausedAt ?? ring.end,
      more: lookOn,
      changed: show,
      failed(error) {
        filterErrors.add({ search: () => error.message } as FieldErrors<keyof Filter & string>);
      },
    },
    first.selection,
  );

  /** How much has arrived and is kept now, also while the list is hidden. */
  function figures() {
    const { first, end, bytes } = ring;
    return {
      kept: end - first,
      bytes,
      /** Removed to stay within the bounds. */
      evicted: first - cleared,
      ...counts(),
    };
  }

  /** What the list shows. */
  function look() {
    const { first, end } = ring;
    const limit = pausedAt ?? end;
    const behind = Math.max(0, limit - Math.max(first, matches.looked));
    return {
      /** Positions, among the entries that match the filter, of the oldest kept and of the next to come. */
      first: matches.first,
      end: matches.end,
      /** Changes with each change of the filter, which renumbers the positions. */
      generation: matches.generation,
      /** How far the filter has got, from 0 to 1. */
      looked: behind === 0 ? 1 : 1 - behind / (limit - first),
      /** Arrived since the list was paused. */
      waiting: end - Math.max(first, limit),
      ...figures(),
    };
  }

  const view = signal(look());
  /** The entry whose details are open: kept here, also when the log has moved on. */
  const open = signal<Numbered<Entry> | undefined>(undefined);

  const paint = createPaint({ frame, after, now, shown });
  let looking = false;

  function showNow(): void {
    matches.look();
    view.value = look();
  }

  /** Updates the list; while hidden, once it is visible again. */
  function show(): void {
    if (shown.peek()) paint(showNow);
  }

  function lookOn(): void {
    if (looking || !shown.peek()) return;
    looking = true;
    frame(() => {
      looking = false;
      matches.look();
      show();
    });
  }

  const stopWatching = effect(() => {
    if (shown.value) untracked(showNow);
  });

  function clear(): void {
    // What is cleared does not count as evicted.
    cleared += ring.end - ring.first;
    ring.clear();
    if (paused.value) pausedAt = ring.end;
    showNow();
  }

  /** While paused the list stands still, and entries are kept for later. */
  function pause(on: boolean): void {
    pausedAt = on ? ring.end : undefined;
    batch(() => {
      paused.value = on;
      showNow();
    });
  }

  function resize(bytes: number): void {
    ring.resize(bytes);
    showNow();
  }

  /** With an invalid filter the list stays unchanged. */
  function edit(changes: Partial<Filter>): void {
    const next = { ...filter.value, ...changes };
    const result = selected(next);
    batch(() => {
      filter.value = next;
      filterErrors.set('errors' in result ? result.errors : {});
      if ('errors' in result) return;
      matches.select(result.selection);
      showNow();
    });
  }

  function numbered(number: number | undefined): Numbered<Entry> | undefined {
    const entry = number === undefined ? undefined : ring.get(number);
    return number === undefined || !entry ? undefined : { number, entry };
  }

  /** Opens an entry's details. */
  function select(number: number | undefined): void {
    open.value = numbered(number);
  }

  return {
    view,
    figures,
    open,
    filter,
    filterErrors,
    paused,
    following,
    /** To be followed by `show`. */
    push: ring.push,
    grow: ring.grow,
    show,
    clear,
    pause,
    resize,
    edit,
    select,
    get: ring.get,
    /** The number of the next to come. */
    next: () => ring.end,
    /** All that are kept, the oldest first. */
    *kept(): Generator<Entry> {
      for (let number = ring.first; number < ring.end; number++) {
        const entry = ring.get(number);
        if (entry) yield entry;
      }
    },
    at: (position: number) => numbered(matches.at(position)),
    /** What the list shows, including what is scrolled out of view. */
    listed: (): Entry[] => matches.numbers().flatMap((number) => ring.get(number) ?? []),
    dispose() {
      stopWatching();
      paint.dispose();
    },
  };
}
