import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import { diffLines, diffWords, type Piece } from './diff';

const marked = (pieces: Piece[]) =>
  pieces.map(({ kind, text }) => ({ same: text, gone: `[-${text}]`, new: `[+${text}]` })[kind]).join('');

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
  expect(pieces.map(({ kind, text }) => `${kind} ${text}`)).toEqual([
    'same {',
    'gone   "a": 1,',
    'gone   "b": 2',
    'new   "b": 2,',
    'new   "c": 3',
    'same }',
  ]);
});

it('gives back both texts, whatever they are', () => {
  const text = fc.array(fc.constantFrom('a', 'b', '\n', ' ', '1.5', '😀', '\u202e'), { maxLength: 40 });
  fc.assert(
    fc.property(text, text, (first, second) => {
      const [before, after] = [first.join(''), second.join('')];
      const side = (pieces: Piece[], kind: Piece['kind'], between: string) =>
        pieces
          .filter((piece) => piece.kind === 'same' || piece.kind === kind)
          .map((piece) => piece.text)
          .join(between);
      const words = diffWords(before, after);
      expect([side(words, 'gone', ''), side(words, 'new', '')]).toEqual([before, after]);
      const lines = diffLines(before, after);
      expect([side(lines, 'gone', '\n'), side(lines, 'new', '\n')]).toEqual([before, after]);
    }),
  );
});

it('does not compare for long', () => {
  const lines = (from: number) => Array.from({ length: 20_000 }, (_, n) => String(n * 2 + from)).join('\n');
  const pieces = diffLines(lines(0), lines(1));
  expect(pieces).toHaveLength(40_000);
  expect(pieces[0]?.kind).toBe('gone');
});
