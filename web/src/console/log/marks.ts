/** Where the search matches in the visible rows. */

import { signal } from '@preact/signals';
import type { Recall } from '../payload/choices';
import { headsOf, previewOf } from '../payload/preview';
import type { Entry } from './entry';
import type { Pattern } from './find';
import type { Finder } from './finder';

/** Parts of what a row shows; every second part is a match. */
export interface Marks {
  topic: string[];
  text: string[];
}

/** Rows requested at once: more are not visible. */
const most = 100;

export function createMarks(
  finder: Pick<Finder, 'split'>,
  recall: Recall,
  pattern: () => Pattern | undefined,
) {
  /** Counts answers, so that rows are drawn again. */
  const answers = signal(0);
  let asked: Pattern | undefined;
  let known = new WeakMap<Entry, Marks | undefined>();
  let wanted: Entry[] = [];
  let asking = false;

  /** Undefined until they are known, and without a search. */
  function of(entry: Entry): Marks | undefined {
    const now = pattern();
    if (now !== asked) {
      asked = now;
      known = new WeakMap();
      wanted = [];
    }
    if (!now) return undefined;
    answers.value;
    if (!known.has(entry)) {
      known.set(entry, undefined);
      wanted.push(entry);
      if (!asking) {
        asking = true;
        queueMicrotask(ask);
      }
    }
    return known.get(entry);
  }

  async function ask(): Promise<void> {
    const entries = wanted.slice(-most);
    for (const entry of wanted.slice(0, -most)) known.delete(entry);
    wanted = [];
    const into = known;
    const by = asked;
    try {
      if (!by) return;
      // Waits until the rows have been decoded.
      await Promise.all(entries.map(({ message }) => previewOf(message, recall).ready));
      const parts = await finder.split(
        by,
        entries.flatMap(({ message }) => headsOf(message, recall)),
      );
      for (const [index, entry] of entries.entries()) {
        into.set(entry, { topic: parts[2 * index] ?? [], text: parts[2 * index + 1] ?? [] });
      }
      answers.value++;
    } catch {
      // Rows without marks: the search was given up, or has changed.
    } finally {
      asking = wanted.length > 0;
      if (asking) queueMicrotask(ask);
    }
  }

  return { of };
}
