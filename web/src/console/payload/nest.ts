/** Puts keys, values and ends in their places for formats that announce counts. */

import { t } from '../core/i18n/i18n';
import { PayloadError } from './error';
import type { Leaf } from './scalars';
import type { Sink } from './sink';

interface Frame {
  map: boolean;
  /** Keys and values to come; infinite until `end` where the format has no count. */
  left: number;
  /** Of the value that comes next in a map. */
  key: string | undefined;
}

export function createNest(out: Sink) {
  const frames: Frame[] = [];
  let done = false;

  function finish(): void {
    while (frames.at(-1)?.left === 0) {
      frames.pop();
      out.close();
    }
    done = frames.length === 0;
  }

  return {
    /** The outermost value is complete. */
    get done() {
      return done;
    },
    leaf([kind, text, note]: Leaf): void {
      const frame = frames.at(-1);
      if (frame) frame.left--;
      if (frame?.map && frame.key === undefined) {
        frame.key = note && kind !== 'bytes' ? `${text} (${note})` : text;
        return;
      }
      out.leaf(kind, text, frame?.key, note);
      if (frame) frame.key = undefined;
      finish();
    },
    /** `count` is of entries: a map has twice as many keys and values. */
    begin(map: boolean, count: number, note?: string): void {
      const frame = frames.at(-1);
      if (frame) frame.left--;
      const asKey = frame?.map && frame.key === undefined;
      out.open(map ? '{' : '[', asKey ? t('(key)') : frame?.key, note);
      if (frame) frame.key = asKey ? t('(its value)') : undefined;
      frames.push({ map, left: map ? 2 * count : count, key: undefined });
      finish();
    },
    /** Of what has no count. */
    end(): void {
      const frame = frames.at(-1);
      if (frame?.left !== Number.POSITIVE_INFINITY || frame.key !== undefined) {
        throw new PayloadError(() => t('a break where a value was expected'));
      }
      frame.left = 0;
      finish();
    },
  };
}
