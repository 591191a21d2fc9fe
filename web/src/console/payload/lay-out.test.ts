import fc from 'fast-check';
import { expect, it } from 'vitest';
import { looksLikeJson } from './encode';
import { layOut } from './lay-out';

it('puts each value on its own line, except empty ones', () => {
  expect(layOut('{"a":[1,{ }],"b":{"c":[ ]}}')).toBe(
    '{\n  "a": [\n    1,\n    {}\n  ],\n  "b": {\n    "c": []\n  }\n}',
  );
});

it('keeps values as written', () => {
  expect(layOut('[1.0, 12345678901234567890,"a: [ {\\"",  true]')).toBe(
    '[\n  1.0,\n  12345678901234567890,\n  "a: [ {\\"",\n  true\n]',
  );
  expect(layOut('{"n":{{n}},"at":{{now ms}}, "x":1{{random 1 9}}}')).toBe(
    '{\n  "n": {{n}},\n  "at": {{now ms}},\n  "x": 1{{random 1 9}}\n}',
  );
});

it('matches JSON.stringify with two spaces, and keeps the meaning', () => {
  fc.assert(
    fc.property(fc.json(), (text) => {
      const value: unknown = JSON.parse(text);
      fc.pre(JSON.stringify(value) === text);
      expect(layOut(text)).toBe(JSON.stringify(value, null, 2));
    }),
  );
});

it('tells unfinished JSON from other text', () => {
  expect(['{"a', ' \n[', '{{n}}'].map(looksLikeJson)).toEqual([true, true, false]);
  expect(['messages: {{n}}', '', '12'].map(looksLikeJson)).toEqual([false, false, false]);
});
