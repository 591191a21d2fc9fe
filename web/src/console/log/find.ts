/** Finding text in messages. Runs in a worker: an expression may take its time. */

import { decodeUtf8, visible } from '../core/text';

export interface Pattern {
  source: string;
  flags: string;
}

/** Marks in one text; a thousand would help nobody. */
const maxMarks = 50;

const lenient = new TextDecoder();

/**
 * What is typed, as an expression; throws a SyntaxError where it is none. With
 * `u` where it allows that, so that `.` is a whole emoji.
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

/** Topics, payloads one behind the other with the end of each, and what was decoded of them, where any was. */
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
    const text = texts[index];
    if (expression.test(topic) || (text && expression.test(text))) return index;
    const payload = bytes.subarray(ends[index - 1] ?? 0, ends[index]);
    return expression.test(decodeUtf8(payload) ?? lenient.decode(payload)) ? index : [];
  });
}

/** The text in parts, made visible; every other one, beginning with the second, is a match. */
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
