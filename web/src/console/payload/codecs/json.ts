/**
 * Reads JSON (RFC 8259) as it is written. `JSON.parse` would round numbers, keep
 * one of several equal keys, and move those that look like integers to the front.
 */

import { t, type Words } from '../../core/i18n/i18n';
import { decodeUtf8, visible } from '../../core/text';
import { PayloadError } from '../error';
import type { Sink } from '../sink';
import { encode as bytesOf } from './text';

const closers = { '{': '}', '[': ']' } as const;
type Bracket = keyof typeof closers;

const number = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y;
const escaped = /\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})/y;
const words = ['true', 'false', 'null'];

function isSpace(code: number): boolean {
  return code === 0x20 || code === 0x0a || code === 0x0d || code === 0x09;
}

/** Gives the sink every value, until it is full. Throws PayloadError. */
export function scanJson(text: string, sink: Sink): void {
  const open: Bracket[] = [];
  let at = 0;

  function fail(expected: Words, where = at): never {
    const before = text.slice(0, where);
    const line = before.split('\n').length;
    const column = where - before.lastIndexOf('\n');
    const char = text.codePointAt(where);
    const found = () => (char === undefined ? t('the end') : `“${visible(String.fromCodePoint(char))}”`);
    throw new PayloadError(() =>
      t('line {line}, column {column}: expected {expected}, found {found}', {
        line,
        column,
        expected: expected(),
        found: found(),
      }),
    );
  }

  function space(): void {
    while (isSpace(text.charCodeAt(at))) at++;
  }

  /** By hand: a regular expression would keep a backtracking step for each of a million characters. */
  function string(): string {
    const start = at++;
    for (;;) {
      const code = text.charCodeAt(at);
      if (code === 0x22) return text.slice(start, ++at);
      if (code === 0x5c) {
        escaped.lastIndex = at;
        if (!escaped.test(text))
          fail(() => t('an escape such as \\n or \\u000a after the backslash'), at + 1);
        at = escaped.lastIndex;
      } else if (code >= 0x20) at++;
      else
        fail(() => t(Number.isNaN(code) ? 'the closing quote' : 'an escape in place of a control character'));
    }
  }

  function key(): string {
    space();
    if (text[at] !== '"') fail(() => t('a key in quotes'));
    const name = string();
    space();
    if (text[at] !== ':') fail(() => t('a colon'));
    at++;
    return name;
  }

  function scalar(name: string | undefined): void {
    if (text[at] === '"') {
      sink.leaf('string', string(), name);
      return;
    }
    const word = words.find((candidate) => text.startsWith(candidate, at));
    number.lastIndex = at;
    const written = word ?? number.exec(text)?.[0];
    if (written === undefined) fail(() => t('a value'));
    at += written.length;
    sink.leaf(word ? 'word' : 'number', written, name);
  }

  let name: string | undefined;
  while (!sink.full) {
    space();
    const bracket = text[at];
    if (bracket === '{' || bracket === '[') {
      sink.open(bracket, name);
      name = undefined;
      at++;
      space();
      if (text[at] !== closers[bracket]) {
        open.push(bracket);
        if (bracket === '{') name = key();
        continue;
      }
      at++;
      sink.close();
    } else {
      scalar(name);
      name = undefined;
    }

    // What ends with this value, and whether another one follows.
    for (;;) {
      space();
      const inside = open.at(-1);
      if (!inside) {
        if (at < text.length) fail(() => t('nothing more'));
        return;
      }
      if (text[at] === ',') {
        at++;
        if (inside === '{') name = key();
        break;
      }
      if (text[at] !== closers[inside]) fail(() => t('a comma or {bracket}', { bracket: closers[inside] }));
      at++;
      open.pop();
      sink.close();
    }
  }
}

/** Throws PayloadError. */
export function decode(payload: Uint8Array, out: Sink): void {
  const text = decodeUtf8(payload);
  if (text === undefined) throw new PayloadError(() => t('not UTF-8'));
  scanJson(text.replace(/^\ufeff/, ''), out);
}

/** As it is typed, once it is found to be JSON. */
export function encode(text: string): Uint8Array {
  scanJson(text, { full: false, open() {}, leaf() {}, close() {} });
  return bytesOf(text);
}
