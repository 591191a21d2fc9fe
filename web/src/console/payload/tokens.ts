/** One line as parts with a kind each, for its colours. */

import { limits } from '../core/limits';
import { splitTopic } from '../core/text';

export type Kind = 'plain' | 'key' | 'string' | 'number' | 'word' | 'bytes' | 'head' | 'tail';

export type Token = readonly [kind: Kind, text: string];

const values = /("(?:[^"\\]|\\.)*"?)(\s*:)?|(-?\d[\d.eE+-]*)|\b(?:true|false|null)\b/g;

/** Of JSON, which may be cut anywhere. Only the first parts: the rest is not visible. */
export function tokensOf(text: string): Token[] {
  const tokens: Token[] = [];
  let at = 0;
  for (const { 0: all, 1: string, 2: colon, 3: number, index } of text.matchAll(values)) {
    if (tokens.length >= limits.row.tokens) break;
    if (index > at) tokens.push(['plain', text.slice(at, index)]);
    const own = string ?? all;
    tokens.push([string ? (colon ? 'key' : 'string') : number ? 'number' : 'word', own]);
    at = index + own.length;
  }
  if (at < text.length) tokens.push(['plain', text.slice(at)]);
  return tokens;
}

/** A topic as the levels before its last one, and the last one. */
export function levelsOf(topic: string): Token[] {
  const [head, tail] = splitTopic(topic);
  return head
    ? [
        ['head', head],
        ['tail', tail],
      ]
    : [['tail', tail]];
}
