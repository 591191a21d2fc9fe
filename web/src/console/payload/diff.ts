/** What changed from one value to the next: by lines, or by words within one line. */

import { diffArrays } from 'diff';
import { t } from '../core/i18n/i18n';
import { limits } from '../core/limits';
import { formatCount } from '../core/text';

export interface Piece {
  kind: 'same' | 'gone' | 'new';
  text: string;
}

export interface Change {
  byLines: boolean;
  /** Without what is far from any change. Empty if the values are the same. */
  pieces: Piece[];
}

/** Undefined when the texts differ in more than is compared. */
export function diffLines(before: string, after: string): Piece[] | undefined {
  return diff(before.split('\n'), after.split('\n'));
}

export function diffWords(before: string, after: string): Piece[] | undefined {
  const pieces = diff(words(before), words(after));
  return pieces && joined(pieces, '');
}

/** Words, numbers with their fractions, gaps, and other characters one by one. */
function words(text: string): string[] {
  return text.match(/\d+(?:\.\d+)?|[\p{L}\p{M}\p{N}_]+|\s+|./gsu) ?? [];
}

function diff(before: string[], after: string[]): Piece[] | undefined {
  // Its cost grows with the texts and with the square of the number of differences.
  const changes = diffArrays(before, after, { maxEditLength: limits.diff.edits });
  if (!changes) return undefined;
  const pieces: Piece[] = [];
  let fresh: Piece[] = [];
  function settle(): void {
    for (const piece of fresh) pieces.push(piece);
    fresh = [];
  }
  for (const { added, removed, value } of changes) {
    const kind = added ? 'new' : removed ? 'gone' : 'same';
    if (kind === 'same') settle();
    // At each place, removals come before additions.
    for (const text of value) (added ? fresh : pieces).push({ kind, text });
  }
  settle();
  return pieces;
}

/** Joins adjacent pieces of the same kind. */
function joined(pieces: readonly Piece[], between: string): Piece[] {
  const runs: { kind: Piece['kind']; texts: string[] }[] = [];
  for (const { kind, text } of pieces) {
    const last = runs.at(-1);
    if (last?.kind === kind) last.texts.push(text);
    else runs.push({ kind, texts: [text] });
  }
  return runs.map(({ kind, texts }) => ({ kind, text: texts.join(between) }));
}

/** Without the lines far from any change. */
function aroundLines(pieces: readonly Piece[]): Piece[] {
  const { lineContext } = limits.diff;
  const near = new Uint8Array(pieces.length);
  pieces.forEach(({ kind }, at) => {
    if (kind !== 'same') near.fill(1, Math.max(0, at - lineContext), at + lineContext + 1);
  });
  const out: Piece[] = [];
  let left = 0;
  function leave(): void {
    if (left > 0) out.push({ kind: 'same', text: t('⋯ {count} the same', { count: formatCount(left) }) });
    left = 0;
  }
  pieces.forEach((piece, at) => {
    if (!near[at]) {
      left++;
      return;
    }
    leave();
    out.push(piece);
  });
  leave();
  return joined(out, '\n');
}

/** Without the middle of a long text that is the same. */
function aroundWords(pieces: readonly Piece[]): Piece[] {
  const { context } = limits.diff;
  return pieces.map(({ kind, text }, at) => {
    if (kind !== 'same' || text.length <= 2 * context + 3) return { kind, text };
    const head = at === 0 ? '' : text.slice(0, context);
    const tail = at === pieces.length - 1 ? '' : text.slice(-context);
    return { kind, text: `${head} ⋯ ${tail}` };
  });
}

function cut({ kind, text }: Piece): Piece {
  const { change } = limits.diff;
  if (text.length <= change) return { kind, text };
  const more = t('… {count} more characters', { count: formatCount(text.length - change) });
  return { kind, text: `${text.slice(0, change)} ${more}` };
}

/** What to draw of two texts, or why there is nothing to draw. Undefined: one that is not there as a whole. */
export function changeOf(
  from: string | undefined,
  to: string | undefined,
): Change | 'too large' | 'too different' {
  if (from === undefined || to === undefined) return 'too large';
  const byLines = from.includes('\n') || to.includes('\n');
  const pieces = byLines ? diffLines(from, to) : diffWords(from, to);
  if (!pieces) return 'too different';
  if (pieces.every(({ kind }) => kind === 'same')) return { byLines, pieces: [] };
  return { byLines, pieces: (byLines ? aroundLines(pieces) : aroundWords(pieces)).map(cut) };
}
