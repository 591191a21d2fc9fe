import { encode as encodeMessagePack } from '@msgpack/msgpack';
import { encode as encodeCbor } from 'cborg';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { PayloadError } from '../error';
import { createLines, type Line, written } from '../lines';
import type { Sink } from '../sink';
import * as cbor from './cbor';
import * as msgpack from './msgpack';

const bytes = (text: string) => Uint8Array.from(text.split(' '), (byte) => Number.parseInt(byte, 16));

function linesOf(decode: (payload: Uint8Array, out: Sink) => void, payload: Uint8Array): Line[] {
  const out = createLines(10_000);
  decode(payload, out);
  return out.lines;
}

const flat = (lines: Line[]) =>
  lines
    .map(
      ({ key, text, comma, note }) =>
        `${key ? `${key}:` : ''}${text}${note ? ` (${note})` : ''}${comma ? ',' : ''}`,
    )
    .join(' ');

describe('CBOR', () => {
  // Examples from RFC 8949, appendix A, and variations.
  it.each([
    ['1b ff ff ff ff ff ff ff ff', '18446744073709551615'],
    ['c2 49 01 00 00 00 00 00 00 00 00', '18446744073709551616 (tag 2)'],
    ['c3 49 01 00 00 00 00 00 00 00 00', '-18446744073709551617 (tag 3)'],
    ['f9 7e 00', 'NaN'],
    ['f7', 'undefined'],
    ['c1 1a 51 4b 67 b0', '1363896240 (tag 1, 2013-03-21T20:04:00.000Z)'],
    ['d8 20 61 61', '"a" (tag 32)'],
    ['d9 d9 f7 80', '[] (tag 55799)'],
    ['44 01 02 03 04', "h'01020304' (4 bytes)"],
    ['a2 01 02 03 04', '{ 1:2, 3:4 }'],
    ['a1 81 01 f5', '{ (key):[ 1 ], (its value):true }'],
    ['5f 42 01 02 43 03 04 05 ff', "h'0102030405' (5 bytes)"],
    ['7f 65 73 74 72 65 61 64 6d 69 6e 67 ff', '"streaming"'],
    ['9f 01 82 02 03 9f 04 05 ff ff', '[ 1, [ 2, 3 ], [ 4, 5 ] ]'],
    ['bf 61 61 01 61 62 9f 02 03 ff ff', '{ "a":1, "b":[ 2, 3 ] }'],
    ['a1 69 5f 5f 70 72 6f 74 6f 5f 5f 01', '{ "__proto__":1 }'],
  ])('%s', (payload, expected) => expect(flat(linesOf(cbor.decode, bytes(payload)))).toBe(expected));

  it.each([
    ['82 01', 'the payload ends in the middle of a value'],
    ['01 02', '1 more bytes follow the value'],
    ['ff', 'a break where a value was expected'],
    ['bf 01 ff', 'a break where a value was expected'],
    ['9f c1 ff', 'a tag without a value'],
    ['7f 41 00 ff', 'a string in chunks has a chunk of type bytes'],
    [Array(17).fill('c1').join(' '), 'more than 16 tags on one value'],
    [Array(1000).fill('81').join(' '), 'nested deeper than 200 levels'],
  ])('error %#', (payload, message) => expect(() => linesOf(cbor.decode, bytes(payload))).toThrow(message));
});

describe('MessagePack', () => {
  it.each([
    ['cf ff ff ff ff ff ff ff ff', '18446744073709551615'],
    ['d3 80 00 00 00 00 00 00 00', '-9223372036854775808'],
    ['ca 3d cc cc cd', '0.1'],
    ['e0', '-32'],
    ['81 01 c0', '{ 1:null }'],
    ['81 91 01 c3', '{ (key):[ 1 ], (its value):true }'],
    ['82 a1 61 01 a1 61 02', '{ "a":1, "a":2 }'],
    ['c4 02 00 ff', "h'00ff' (2 bytes)"],
    ['a1 ff', "h'ff' (1 byte of a string that is not UTF-8)"],
    ['d6 ff 51 4b 67 b0', "h'514b67b0' (timestamp 2013-03-21T20:04:00.000Z)"],
    ['d4 05 07', "h'07' (extension 5, 1 byte)"],
    ['81 a9 5f 5f 70 72 6f 74 6f 5f 5f 01', '{ "__proto__":1 }'],
  ])('%s', (payload, expected) => expect(flat(linesOf(msgpack.decode, bytes(payload)))).toBe(expected));

  it.each([
    ['92 01', 'the payload ends in the middle of a value'],
    ['c1', 'byte c1 is never used'],
    ['c0 c0', '1 more bytes follow the value'],
    ['dd ff ff ff ff', 'the payload ends in the middle of a value'],
    [Array(1000).fill('91').join(' '), 'nested deeper than 200 levels'],
  ])('error %#', (payload, message) =>
    expect(() => linesOf(msgpack.decode, bytes(payload))).toThrow(message),
  );
});

const json = fc.jsonValue({ noUnicodeString: true });

it.each([
  ['CBOR', cbor.decode, (value: unknown) => encodeCbor(value, { mapSorter: () => 0 })],
  ['MessagePack', msgpack.decode, (value: unknown) => encodeMessagePack(value)],
])('%s: decodes what the library encodes', (_, decode, encode) => {
  fc.assert(
    fc.property(json, (value) => {
      // Both encoders write negative zero as an integer.
      const plain = JSON.parse(JSON.stringify(value));
      expect(written(linesOf(decode, encode(plain)))).toBe(JSON.stringify(plain, null, 2));
    }),
  );
});

it.each([
  ['CBOR', cbor.decode],
  ['MessagePack', msgpack.decode],
])('%s: any bytes give lines or an error', (_, decode) => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (payload) => {
      try {
        linesOf(decode, payload);
      } catch (error) {
        expect(error instanceof PayloadError || String(error).includes('CBOR decode error')).toBe(true);
      }
    }),
    { numRuns: 2000 },
  );
});
