import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createLines, written } from '../lines';
import { scanJson } from './json';

function pretty(text: string, limit = 100_000): string {
  const out = createLines(limit);
  scanJson(text, out);
  return written(out.lines);
}

describe('JSON is shown as written', () => {
  it.each([
    ['{"a":[1,{}],"b":[]}', '{\n  "a": [\n    1,\n    {}\n  ],\n  "b": []\n}'],
    [' [] ', '[]'],
    ['12345678901234567890.10', '12345678901234567890.10'],
    ['[1e400,-0,1.0]', '[\n  1e400,\n  -0,\n  1.0\n]'],
    ['{"2":1,"1":2,"2":3}', '{\n  "2": 1,\n  "1": 2,\n  "2": 3\n}'],
    ['{"__proto__":{"x":null}}', '{\n  "__proto__": {\n    "x": null\n  }\n}'],
    [String.raw`"\u0041\n"`, String.raw`"\u0041\n"`],
    ['"a\u202eb"', '"a\\u202eb"'],
  ])('%s', (text, expected) => expect(pretty(text)).toBe(expected));
});

it('matches JSON.parse and JSON.stringify where they are lossless', () => {
  fc.assert(
    fc.property(fc.jsonValue({ noUnicodeString: true }), (value) => {
      const text = JSON.stringify(value);
      expect(pretty(text)).toBe(JSON.stringify(JSON.parse(text), null, 2));
    }),
  );
});

it('accepts exactly what JSON.parse accepts', () => {
  const pieces = fc.constantFrom(
    '{',
    '}',
    '[',
    ']',
    ',',
    ':',
    '"a"',
    '1',
    '-',
    '.5',
    'e3',
    'true',
    'nul',
    ' ',
    '"',
    '\\',
    '\n',
  );
  fc.assert(
    fc.property(fc.array(pieces, { maxLength: 8 }), (parts) => {
      const text = parts.join('');
      const accepts = (read: () => unknown) => {
        try {
          read();
          return true;
        } catch {
          return false;
        }
      };
      expect(accepts(() => pretty(text))).toBe(accepts(() => JSON.parse(text)));
    }),
    { numRuns: 2000 },
  );
});

it('knows the end and size of each block', () => {
  const out = createLines(100);
  scanJson('{"a":[1,2],"b":{}}', out);
  expect(out.lines.map(({ end, count }) => [end, count])).toEqual([
    [6, 2],
    [4, 2],
    [undefined, 0],
    [undefined, 0],
    [undefined, 0],
    [undefined, 0],
    [undefined, 0],
  ]);
});

it('stops after enough lines', () => {
  const out = createLines(10);
  scanJson(`[${'1,'.repeat(1_000_000)}`, out);
  expect(out.lines).toHaveLength(10);
  expect(out.full).toBe(true);
});

it('refuses excessive depth, and truncates long texts and keys', () => {
  expect(() => pretty('['.repeat(1_000_000))).toThrow('nested deeper than 200 levels');
  const out = createLines(10);
  scanJson(`{"${'k'.repeat(5000)}":"${'v'.repeat(1_000_000)}"}`, out);
  const line = out.lines[1];
  expect(line?.key).toHaveLength(4096);
  expect(line?.text).toHaveLength(4096);
  expect(line?.note).toBe('… 906 more characters, … 995,906 more characters');
});
