import { expect, test } from 'vitest';
import { createFormat } from './format';

const shown = (value: unknown, format = '', digits?: number, locale = 'en') =>
  createFormat({ format, digits, locale })(value);

test.each<[unknown, string, number | undefined, string, string | undefined]>([
  [21.456, '', 1, 'en', '21.5'],
  [21, '', 1, 'en', '21.0'],
  [1234.5, '', undefined, 'de', '1.234,5'],
  [1234.5, '', undefined, 'no such tag', (1234.5).toLocaleString()],
  [-0.4, '', 99, 'en', `-0.4${'0'.repeat(19)}`],
  [21.456, '', -1, 'en', '21.456'],
  [21.456, '', Number.NaN, 'en', '21.456'],
  [1234, 'text', undefined, 'en', '1234'],
  ['1234.5', '', undefined, 'en', '1234.5'],
  ['1234.5', 'number', undefined, 'en', '1,234.5'],
  ['open', 'number', undefined, 'en', undefined],
  ['', 'number', undefined, 'en', undefined],
  [true, '', undefined, 'en', 'true'],
  [null, '', undefined, 'en', 'null'],
  [{ a: [1] }, '', undefined, 'en', '{"a":[1]}'],
  ['open', 'nothing we know', undefined, 'en', 'open'],
  [undefined, '', undefined, 'en', undefined],
  ['soon', 'datetime', undefined, 'en', undefined],
  [{}, 'datetime', undefined, 'en', undefined],
  [1e300, 'datetime', undefined, 'en', undefined],
])('%j as "%s", %s digits, in %s', (value, format, digits, locale, text) => {
  expect(shown(value, format, digits, locale)).toBe(text);
});

test('a time is ISO 8601, or seconds or milliseconds since 1970', () => {
  const texts = ['2026-01-02T03:04:05Z', 1767323045, 1767323045000].map((time) => shown(time, 'datetime'));
  expect(new Set(texts).size).toBe(1);
  expect(texts[0]).toMatch(/^1\/[12]\/26/);
});

test('long text is truncated', () => {
  expect(shown('x'.repeat(100_000))).toBe(`${'x'.repeat(1000)}…`);
});
