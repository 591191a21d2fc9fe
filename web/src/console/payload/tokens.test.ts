import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import { limits } from '../core/limits';
import { createOneLine } from './one-line';
import { levelsOf, tokensOf } from './tokens';

it('keys, strings, numbers and literals of JSON are told apart, wherever it is truncated', () => {
  expect(tokensOf('{"a b" : [1.5e3,true], "s": "x\\"y"}')).toEqual([
    ['plain', '{'],
    ['key', '"a b"'],
    ['plain', ' : ['],
    ['number', '1.5e3'],
    ['plain', ','],
    ['word', 'true'],
    ['plain', '], '],
    ['key', '"s"'],
    ['plain', ': '],
    ['string', '"x\\"y"'],
    ['plain', '}'],
  ]);
  expect(tokensOf('["cut off \\')).toEqual([
    ['plain', '['],
    ['string', '"cut off '],
    ['plain', '\\'],
  ]);
});

it('any text is split into few parts, without loss', () => {
  const part = fc.constantFrom('"', '\\', ':', '{', '1', 'true', ' ', 'x', '-', '"a":');
  fc.assert(
    fc.property(fc.array(part, { maxLength: 400 }), (parts) => {
      const text = parts.join('');
      const tokens = tokensOf(text);
      expect(tokens.map(([, own]) => own).join('')).toBe(text);
      expect(tokens.length).toBeLessThan(limits.row.tokens + 3);
    }),
  );
});

it.each([
  ['a', [['tail', 'a']]],
  [
    'a/b/c',
    [
      ['head', 'a/b'],
      ['tail', '/c'],
    ],
  ],
  ['/a', [['tail', '/a']]],
  [
    'a/b/',
    [
      ['head', 'a'],
      ['tail', '/b/'],
    ],
  ],
  ['', [['tail', '']]],
])('the last level of %j', (topic, expected) => {
  expect(levelsOf(topic)).toEqual(expected);
});

it('a line is limited in characters', () => {
  const line = createOneLine(10);
  line.open('[');
  for (let n = 0; n < 100 && !line.full; n++) line.leaf('string', '"abcdef"');
  expect(line.tokens.map(([, text]) => text).join('')).toBe('["abcdef",');
});
