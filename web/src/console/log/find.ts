/** Finds text in messages. Runs in a worker, since an expression may take long. */

import { decodeUtf8, unescaped, visible } from '../core/text';

export interface Pattern {
  source: string;
  flags: string;
}

/** Marks in one text; more would be of no use. */
const maxMarks = 50;

const lenient = new TextDecoder();

/**
 * What is typed, as an expression; throws a SyntaxError if it is not valid. With the flag `u` if
 * possible, so that `.` matches a whole emoji.
 */
export function patternFor(typed: string, expression: boolean, matchCase: boolean): Pattern {
  const source = expression ? typed : typed.replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&');
  const flags = matchCase ? '' : 'i';
  try {
    new RegExp(source, `u${flags}`);
    return { source, flags: `u${flags}` };
  } catch {
    new RegExp(source, flags);
    return { source, flags };
  }
}

/** Topics, concatenated payloads with the end of each, and their decoded texts, if any. */
export interface Haystack {
  topics: string[];
  bytes: Uint8Array;
  ends: number[];
  texts: readonly string[];
}

/** Indexes of the messages in which the pattern is found. */
export function find({ source, flags }: Pattern, { topics, bytes, ends, texts }: Haystack): number[] {
  const expression = new RegExp(source, flags);
  return topics.flatMap((topic, index) => {
    const decoded = texts[index];
    if (expression.test(topic) || (decoded && expression.test(decoded))) return index;
    const payload = bytes.subarray(ends[index - 1] ?? 0, ends[index]);
    const text = decodeUtf8(payload) ?? lenient.decode(payload);
    return expression.test(text) || (text.includes('\\u') && expression.test(unescaped(text))) ? index : [];
  });
}

/** The text in parts, made visible; every second part is a match. */
export function split({ source, flags }: Pattern, text: string): string[] {
  const parts: string[] = [];
  let at = 0;
  for (const match of text.matchAll(new RegExp(source, `${flags}g`))) {
    if (match[0] === '') continue;
    parts.push(text.slice(at, match.index), match[0]);
    at = match.index + match[0].length;
    if (parts.length >= 2 * maxMarks) break;
  }
  return [...parts, text.slice(at)].map(visible);
}
