import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import { limits } from '../core/limits';
import { changeOf, diffLines, diffWords, type Piece } from './diff';
import { readPlain } from './read';

const marked = (pieces: Piece[] | undefined) =>
  pieces?.map(({ kind, text }) => ({ same: text, gone: `[-${text}]`, new: `[+${text}]` })[kind]).join('');

it.each([
  ['21.4', '21.6', '[-21.4][+21.6]'],
  ['on at 14:02', 'off at 14:03', '[-on][+off] at 14:[-02][+03]'],
  ['a b c', 'a c', 'a [-b ]c'],
  ['', 'x', '[+x]'],
  ['same', 'same', 'same'],
  ['温度 高', '温度 低', '温度 [-高][+低]'],
])('words of %j and %j', (before, after, expected) => {
  expect(marked(diffWords(before, after))).toBe(expected);
});

it('lines', () => {
  const pieces = diffLines('{\n  "a": 1,\n  "b": 2\n}', '{\n  "b": 2,\n  "c": 3\n}');
  expect(pieces?.map(({ kind, text }) => `${kind} ${text}`)).toEqual([
    'same {',
    'gone   "a": 1,',
    'gone   "b": 2',
    'new   "b": 2,',
    'new   "c": 3',
    'same }',
  ]);
});

it('contains both texts, whatever they are', () => {
  const text = fc.array(fc.constantFrom('a', 'b', '\n', ' ', '1.5', '😀', '\u202e'), { maxLength: 40 });
  fc.assert(
    fc.property(text, text, (first, second) => {
      const [before, after] = [first.join(''), second.join('')];
      const side = (pieces: Piece[] | undefined, kind: Piece['kind'], between: string) =>
        pieces
          ?.filter((piece) => piece.kind === 'same' || piece.kind === kind)
          .map((piece) => piece.text)
          .join(between);
      const words = diffWords(before, after);
      expect([side(words, 'gone', ''), side(words, 'new', '')]).toEqual([before, after]);
      const lines = diffLines(before, after);
      expect([side(lines, 'gone', '\n'), side(lines, 'new', '\n')]).toEqual([before, after]);
    }),
  );
});

const lines = (from: number, step: number) =>
  Array.from({ length: 20_000 }, (_, n) => String(n * step + from)).join('\n');

it('gives up on large differences, and says so', async () => {
  expect(diffLines(lines(0, 2), lines(1, 2))).toBeUndefined();
  const more = (first: string) => `${first}${'\n'.repeat(limits.diff.lines)}`;
  expect(await compared(more('a'), more('b'))).toBe('too large');
  const some = (from: number) => lines(from, 2).slice(0, 20_000);
  expect(await compared(some(0), some(1))).toBe('too different');
});

async function compared(...values: [string | Uint8Array, string | Uint8Array]) {
  const [before, after] = await Promise.all(
    values.map((value) => {
      const payload = typeof value === 'string' ? new TextEncoder().encode(value) : value;
      return readPlain({ topic: 'a', payload, properties: {} }, {});
    }),
  );
  return changeOf(before, after);
}

it('truncated values are not reported as equal', async () => {
  expect(changeOf(undefined, undefined)).toBe('too large');
  const bytes = (last: number) => new Uint8Array(60_000).fill(0xff).with(59_999, last);
  expect(await compared(bytes(0), bytes(1))).toBe('too large');
  expect(await compared('{"a":1}', '{ "a": 1 }')).toMatchObject({ pieces: [] });
});

it('a changing array of 40 KB renders few elements', async () => {
  const array = (at: number) =>
    JSON.stringify(Array.from({ length: 8000 }, (_, n) => (n === at ? 99_999 : 1000 + n)));
  const change = await compared(array(100), array(7000));
  if (typeof change === 'string') throw new Error(change);
  expect(change.byLines).toBe(true);
  expect(change.pieces.map(({ kind }) => kind)).toEqual([
    ...['same', 'gone', 'new', 'same', 'gone', 'new', 'same'],
  ]);
});

it('the rendering of any two values is bounded', async () => {
  const part = fc.constantFrom(
    '[',
    ']',
    '{"a":',
    '}',
    ',',
    '1',
    '\n',
    ' ',
    'word',
    '9.5',
    '"x"',
    '\u202e',
    '😀',
  );
  const chunk = fc
    .tuple(fc.array(part, { maxLength: 6 }), fc.nat(400))
    .map(([parts, times]) => parts.join('').repeat(times));
  const text = fc.array(chunk, { maxLength: 5 }).map((chunks) => chunks.join('').slice(0, 60_000));
  await fc.assert(
    fc.asyncProperty(text, text, async (before, after) => {
      const change = await compared(before, after);
      if (typeof change === 'string') return;
      expect(change.pieces.length).toBeLessThanOrEqual(2 * limits.diff.edits + 1);
      for (const piece of change.pieces) expect(piece.text.length).toBeLessThan(limits.diff.change + 100);
    }),
    { numRuns: 60 },
  );
});
