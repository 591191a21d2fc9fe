/** What changed from one text to the next: by lines, or by words within one line. */

export interface Piece {
  kind: 'same' | 'gone' | 'new';
  text: string;
}

/** Steps that a comparison may take; texts that differ in more are shown whole. */
const maxSteps = 400_000;

export function diffLines(before: string, after: string): Piece[] {
  return diff(before.split('\n'), after.split('\n'));
}

export function diffWords(before: string, after: string): Piece[] {
  return joined(diff(words(before), words(after)));
}

/** Words, numbers with their fractions, gaps, and other characters one by one. */
function words(text: string): string[] {
  return text.match(/\d+(?:\.\d+)?|[\p{L}\p{M}\p{N}_]+|\s+|./gsu) ?? [];
}

function joined(pieces: Piece[]): Piece[] {
  const out: Piece[] = [];
  for (const piece of pieces) {
    const last = out.at(-1);
    if (last?.kind === piece.kind) last.text += piece.text;
    else out.push({ ...piece });
  }
  return out;
}

function diff(before: string[], after: string[]): Piece[] {
  const shorter = Math.min(before.length, after.length);
  let head = 0;
  while (head < shorter && before[head] === after[head]) head++;
  let tail = 0;
  while (tail < shorter - head && before[before.length - 1 - tail] === after[after.length - 1 - tail]) tail++;
  const same = (text: string): Piece => ({ kind: 'same', text });
  return [
    ...before.slice(0, head).map(same),
    ...middle(before.slice(head, before.length - tail), after.slice(head, after.length - tail)),
    ...before.slice(before.length - tail).map(same),
  ];
}

/** By the longest common subsequence, from a table of its lengths. */
function middle(before: string[], after: string[]): Piece[] {
  const gone = (text: string): Piece => ({ kind: 'gone', text });
  const fresh = (text: string): Piece => ({ kind: 'new', text });
  const rows = before.length;
  const columns = after.length;
  if (rows === 0 || columns === 0 || rows * columns > maxSteps) {
    return [...before.map(gone), ...after.map(fresh)];
  }
  const width = columns + 1;
  // At [row, column]: the length for what follows there in both.
  const lengths = new Uint32Array((rows + 1) * width);
  const at = (row: number, column: number) => lengths[row * width + column] as number;
  for (let row = rows - 1; row >= 0; row--) {
    for (let column = columns - 1; column >= 0; column--) {
      lengths[row * width + column] =
        before[row] === after[column]
          ? at(row + 1, column + 1) + 1
          : Math.max(at(row + 1, column), at(row, column + 1));
    }
  }
  const out: Piece[] = [];
  let row = 0;
  let column = 0;
  while (row < rows || column < columns) {
    if (row < rows && column < columns && before[row] === after[column]) {
      out.push({ kind: 'same', text: before[row] as string });
      row++;
      column++;
    } else if (column === columns || (row < rows && at(row + 1, column) >= at(row, column + 1))) {
      out.push(gone(before[row++] as string));
    } else {
      out.push(fresh(after[column++] as string));
    }
  }
  return out;
}
