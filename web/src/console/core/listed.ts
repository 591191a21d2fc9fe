/** What a list shows. */

import type { ReadonlySignal, Signal } from '@preact/signals';

/** An entry by its number, which never changes. */
export interface Numbered<Entry> {
  number: number;
  entry: Entry;
}

export interface Listed<Entry> {
  /** Positions of the oldest that is kept and of the next to come. */
  readonly view: ReadonlySignal<{ first: number; end: number }>;
  readonly open: ReadonlySignal<Numbered<Entry> | undefined>;
  /** Whether the newest is kept in view. */
  readonly following: Signal<boolean>;
  at(position: number): Numbered<Entry> | undefined;
  select(number: number | undefined): void;
}
