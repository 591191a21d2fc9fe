import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { expand, hasCounter, unknownPlaces } from './template';

it.each([
  ['messages: {{n}}', 0, 'messages: 0'],
  ['{{n}}/{{ n }}', 12, '12/12'],
  ['{"n": {{n}}, "s": {"a": 1}}', 7, '{"n": 7, "s": {"a": 1}}'],
  ['{{m}} {n} $&', 1, '{{m}} {n} $&'],
  ['{{now}} {{ now  ms }}', 0, '1970-01-01T00:00:01.500Z 1500'],
  ['{{random 4 4}} {{random -2.5 -2.5 2}}', 0, '4 -2.50'],
  ['{{__proto__}} {{constructor}}', 0, '{{__proto__}} {{constructor}}'],
  ['', 5, ''],
])('%j with %d is %j', (template, n, text) => expect(expand(template, n, 1500)).toBe(text));

it('knows whether there is a counter, on each call', () => {
  expect([hasCounter('{{n}}'), hasCounter('{{n}}'), hasCounter('n')]).toEqual([true, true, false]);
});

describe('random', () => {
  it('stays within its bounds, reaches both, and has the decimals requested', () => {
    const seen = new Set(Array.from({ length: 200 }, () => expand('{{random 1 3}}', 0)));
    expect([...seen].sort()).toEqual(['1', '2', '3']);
    for (let i = 0; i < 100; i++) {
      const value = expand('{{random 0 1 3}}', 0);
      expect(value).toMatch(/^[01]\.\d{3}$/);
      expect(Number(value)).toBeLessThanOrEqual(1);
    }
  });

  it.each([
    '{{random}}',
    '{{random 1}}',
    '{{random 2 1}}',
    '{{random 0.5 2}}',
    '{{random 0 1 16}}',
    '{{random 0 1 1.5}}',
    '{{random a b}}',
    '{{random 0 1e300}}',
    '{{random 0 1 2 3}}',
  ])('leaves %s unchanged, and reports it', (template) => {
    expect(expand(template, 0)).toBe(template);
    expect(unknownPlaces(`${template} ${template} {{n}}`)).toEqual([template]);
  });
});

it('gives a different version 4 UUID each time', () => {
  const [a, b] = expand('{{uuid}} {{uuid}}', 0).split(' ');
  expect(a).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  expect(b).not.toBe(a);
});

it('changes only placeholders, in any text', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (text) => {
      const plain = text.replaceAll('{', '');
      expect(expand(plain, 1)).toBe(plain);
      expect(expand(`${plain}{{n}}${plain}`, 1)).toBe(`${plain}1${plain}`);
    }),
  );
});
