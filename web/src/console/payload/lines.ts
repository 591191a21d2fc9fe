/** Decoded values as lines of JSON. */

import { t } from '../core/i18n/i18n';
import { limits } from '../core/limits';
import { formatCount, unescaped, visible } from '../core/text';
import { tooDeep } from './error';
import { meaningOf } from './meaning';
import { formatPath, type Place, stepTo } from './path';
import type { Scalar, Sink } from './sink';

export interface Line {
  depth: number;
  /** As written, quotes included. */
  key?: string;
  kind: Scalar | 'open' | 'close';
  text: string;
  /** What JSON cannot express. */
  note?: string;
  /** Another value follows. */
  comma: boolean;
  /** Of an opening line: where the closing one is. Missing while it has not been reached. */
  end?: number;
  /** Of an opening line: values directly inside. */
  count: number;
  /** Its place in the value that directly contains it; the outermost value has none. */
  place?: Place;
  inside?: Line;
}

export interface Lines extends Sink {
  readonly lines: Line[];
}

/** A megabyte in one line is not readable. */
function shorten(whole: string, widest: number): { text: string; note?: string } {
  const text = unescaped(whole);
  if (text.length <= widest) return { text: visible(text) };
  const more = t('… {count} more characters', { count: formatCount(text.length - widest) });
  return { text: visible(text.slice(0, widest)), note: more };
}

/** Is full with `limit` lines; what is open by then stays open. `widest` is of one key or text, in characters. */
export function createLines(limit: number, widest: number = limits.line): Lines {
  const lines: Line[] = [];
  const open: Line[] = [];
  /** The last line of the value before, by depth. */
  const before: (Line | undefined)[] = [undefined];

  function add(
    kind: Line['kind'],
    written: string,
    key?: string,
    noted?: string,
    step?: string | null,
  ): Line {
    const value = shorten(written, widest);
    const name = key === undefined ? undefined : shorten(key, widest);
    const notes = [name?.note, value.note, noted].filter((part) => part !== undefined).join(', ');
    const line: Line = { depth: open.length, kind, text: value.text, comma: false, count: 0 };
    if (name) line.key = name.text;
    if (notes) line.note = visible(notes);
    const sibling = before[open.length];
    if (sibling) sibling.comma = true;
    before[open.length] = line;
    const inside = open.at(-1);
    if (inside) {
      line.place = { key, step, index: inside.count++ };
      line.inside = inside;
    }
    lines.push(line);
    return line;
  }

  return {
    lines,
    get full() {
      return lines.length >= limit;
    },
    open(bracket, key, note, step) {
      if (open.length === limits.depth) throw tooDeep();
      open.push(add('open', bracket, key, note, step));
      before[open.length] = undefined;
    },
    leaf(kind, text, key, note, step) {
      add(kind, text, key, note ?? meaningOf(kind, text, key), step);
    },
    close() {
      const line = open.pop();
      if (!line) return;
      const bracket = line.text === '{' ? '}' : ']';
      if (line.count === 0) {
        line.kind = 'word';
        line.text += bracket;
        return;
      }
      const closing: Line = { depth: open.length, kind: 'close', text: bracket, comma: false, count: 0 };
      before[open.length] = closing;
      line.end = lines.push(closing) - 1;
    },
  };
}

/** The path to a line's value; undefined if it is too long to be useful. */
export function pathOf(line: Line): string | undefined {
  const steps: string[] = [];
  let length = 0;
  for (let at = line; at.place && at.inside; at = at.inside) {
    length += (at.place.key?.length ?? 0) + 2;
    if (length > limits.paths.length) return undefined;
    const step = stepTo(at.place);
    if (step !== null) steps.unshift(step);
  }
  return formatPath(steps);
}

/**
 * As `JSON.stringify` with an indentation of two spaces would write them, down to a
 * depth: without end, a few kilobytes of brackets become megabytes of spaces.
 */
export function written(lines: readonly Line[]): string {
  return lines
    .map(
      ({ depth, key, text, comma }) =>
        `${'  '.repeat(Math.min(depth, limits.indent))}${key ? `${key}: ` : ''}${text}${comma ? ',' : ''}`,
    )
    .join('\n');
}
