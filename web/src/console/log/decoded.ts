/**
 * What rows show of payloads that are not text, for the search. Loaded with the first search that
 * needs it.
 */

import { nextTask } from '../../platform/next-task';
import { limits } from '../core/limits';
import type { Recall } from '../payload/choices';
import type { Readable } from '../payload/guess';
import { type Decoded, inRow } from '../payload/in-row';
import { isOpaque } from '../payload/preview';
import type { Entry } from './entry';

/** Milliseconds of decoding in one go, and of waiting for what scripts make of the newest messages. */
const slice = 5;
const patience = 100;

interface Known {
  text: string;
  /** What it was made with, and whether to make another one. */
  decoded: Readable['decoded'];
  stale(): boolean;
}

export type Texts = ReturnType<typeof createTexts>;

export function createTexts(now: () => number, recall: Recall) {
  let known = new WeakMap<Entry, Known>();
  let characters = 0;

  function textOf(entry: Entry): string | Promise<string> {
    const { via } = entry;
    const message: Entry['message'] & Readable = entry.message;
    const before = known.get(entry);
    if (before && before.decoded === message.decoded && !before.stale()) return before.text;
    const { decoded } = message;
    const { found, stale } = inRow(message, recall, () => via.births?.before(message));
    function keep(of?: Decoded): string {
      const text = of?.tokens.map(([, part]) => part).join('') ?? '';
      characters += text.length;
      if (characters > limits.searched) {
        known = new WeakMap();
        characters = text.length;
      }
      known.set(entry, { text, decoded, stale });
      return text;
    }
    return found instanceof Promise ? found.then(keep, () => keep()) : keep(found);
  }

  /** The decoded text of each entry; empty if its bytes are text. Rejects as soon as `dropped`. */
  async function of(entries: readonly Entry[], dropped: () => boolean): Promise<string[]> {
    const pending = entries.flatMap(({ message }: { message: Readable }) =>
      message.pending && !message.decoded ? [message.pending] : [],
    );
    if (pending.length > 0) {
      const late = new Promise((resolve) => setTimeout(resolve, patience));
      await Promise.race([Promise.all(pending), late]);
    }
    const texts: string[] = [];
    let until = now() + slice;
    for (const entry of entries) {
      if (now() > until) {
        await new Promise<void>(nextTask);
        until = now() + slice;
      }
      if (dropped()) throw new Error('dropped');
      const text = isOpaque(entry.message) ? textOf(entry) : '';
      texts.push(typeof text === 'string' ? text : await text);
    }
    return texts;
  }

  return { of };
}
