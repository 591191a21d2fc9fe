import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { hexDump, visibleLines } from './lines';
import { decodeUtf8, formatBytes, headOf, splitTopic, visible } from './text';

describe('visible', () => {
  it.each([
    ['plain 文字 🎉', 'plain 文字 🎉'],
    ['a\nb\tc\0', 'a␊b␉c␀'],
    ['\x7f\x1b[31m', '␡␛[31m'],
    ['safe\u202egnp.exe', 'safe\\u202egnp.exe'],
    ['zero\u200bwidth\ufeff', 'zero\\u200bwidth\\ufeff'],
    ['family 👨‍👩‍👧', 'family 👨‍👩‍👧'],
  ])('%j is shown as %j', (text, shown) => expect(visible(text)).toBe(shown));

  it('keeps line breaks and tabs in multi-line text', () => {
    expect(visibleLines('{\r\n\t"a": 1\n}\r\0')).toBe('{\n\t"a": 1\n}␍␀');
  });
});

it('decodes valid UTF-8 only', () => {
  expect(decodeUtf8(new TextEncoder().encode('\ufeff文'))).toBe('\ufeff文');
  expect(decodeUtf8(Uint8Array.of(0xff, 0xfe))).toBeUndefined();
  expect(decodeUtf8(Uint8Array.of(0xe6, 0x96))).toBeUndefined();
});

it('a truncated text is valid UTF-8, at most one character shorter than requested', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme' }), fc.nat(40), (text, limit) => {
      const bytes = new TextEncoder().encode(text);
      const head = headOf(bytes, limit);
      expect(decodeUtf8(head)).toBeDefined();
      expect(head.length).toBeLessThanOrEqual(limit);
      expect(head.length).toBeGreaterThan(Math.min(limit, bytes.length) - 4);
    }),
  );
});

it('dumps bytes in lines of eight', () => {
  expect(hexDump(Uint8Array.from({ length: 18 }, (_, index) => index + 0x30))).toBe(
    '00000000  30 31 32 33 34 35 36 37  01234567\n' +
      '00000008  38 39 3a 3b 3c 3d 3e 3f  89:;<=>?\n' +
      `00000010  ${'40 41'.padEnd(23)}  @A`,
  );
});

it.each([
  [0, '0 B'],
  [1023, '1023 B'],
  [1024, '1 KiB'],
  [1536, '1.5 KiB'],
  [65536, '64 KiB'],
  [1_048_575, '1 MiB'],
  [1048576, '1 MiB'],
  [1073741824, '1 GiB'],
  [10995116277760, '10240 GiB'],
])('%d bytes are %s', (bytes, text) => expect(formatBytes(bytes)).toBe(text));

it.each([
  ['sensors/+/temperature', 'sensors/+', '/temperature'],
  ['mqttwasm/1a/#', 'mqttwasm', '/1a/#'],
  ['a/b/+/#', 'a', '/b/+/#'],
  ['#', '', '#'],
  ['+/+', '', '+/+'],
  ['/', '', '/'],
  ['', '', ''],
  ['a\nb/c', 'a\nb', '/c'],
  ['a/b/', 'a', '/b/'],
])('of %j the part that may be cut is %j', (filter, head, tail) =>
  expect(splitTopic(filter)).toEqual([head, tail]),
);
