/** Finds things by a few letters of their names. */

const begins = /[\p{L}\p{N}]/u;

/**
 * How far a text is from what is typed: 0 if it begins with it, undefined if it does not match. It
 * must contain every word typed, in any order and case; if `loose`, a word's letters in their order
 * are enough.
 */
export function distance(text: string, typed: string, loose = false): number | undefined {
  const low = text.toLowerCase();
  let sum = 0;
  for (const word of typed.toLowerCase().split(' ')) {
    const at = low.indexOf(word);
    if (at === 0) continue;
    if (at > 0) {
      // The beginning of a word or a level is what people type.
      sum += begins.test(low[at - 1] ?? '') ? 100 : 10;
      continue;
    }
    if (!loose) return undefined;
    let end = 0;
    for (const letter of word) {
      end = low.indexOf(letter, end) + 1;
      if (end === 0) return undefined;
    }
    sum += 1000 + end;
  }
  return sum;
}

export interface Match<T> {
  item: T;
  distance: number;
}

/** Puts a match among the `most` nearest, which are in order; of two alike the one before stays first. */
export function enter<T>(nearest: Match<T>[], match: Match<T>, most: number): boolean {
  const last = nearest.at(-1);
  if (last && nearest.length === most && match.distance >= last.distance) return false;
  const at = nearest.findIndex((other) => other.distance > match.distance);
  nearest.splice(at < 0 ? nearest.length : at, 0, match);
  nearest.length = Math.min(nearest.length, most);
  return true;
}
