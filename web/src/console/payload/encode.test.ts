import { decode as decodeMessagePack } from '@msgpack/msgpack';
import { decode as decodeCbor } from 'cborg';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { hex } from '../core/text';
import { encode, formats } from './encode';
import type { Format } from './format';

const bytes = async (format: Format, text: string) => hex(await encode(format, text));
const wrong = (format: Format, text: string) =>
  encode(format, text).then(
    () => 'no error',
    ({ name, code, field, message }) => {
      expect({ name, code, field }).toEqual({ name: 'MqttError', code: 'bad-option', field: 'payload' });
      return message;
    },
  );

describe('input is encoded to bytes', () => {
  it.each<[Format, string, string]>([
    ['text', 'é\n', 'c3 a9 0a'],
    ['text', '', ''],
    ['json', ' {"a": 1} ', '20 7b 22 61 22 3a 20 31 7d 20'],
    ['hex', '00 ff0A', '00 ff 0a'],
    ['hex', '0x00, 0xFF\n01:02-03', '00 ff 01 02 03'],
    ['base64', 'AP8=', '00 ff'],
    ['base64', ' _-\n8 ', 'ff ef'],
    ['cbor', '{"b":1,"a":[true,null,"x",-1.5]}', 'a2 61 62 01 61 61 84 f5 f6 61 78 f9 be 00'],
    ['cbor', '18446744073709551615', '1b ff ff ff ff ff ff ff ff'],
    ['cbor', '-18446744073709551616', '3b ff ff ff ff ff ff ff ff'],
    ['msgpack', '{"b":1,"a":[true,null,"x"]}', '82 a1 62 01 a1 61 93 c3 c0 a1 78'],
    ['msgpack', '9007199254740993', 'cf 00 20 00 00 00 00 00 01'],
    ['msgpack', '-9223372036854775808', 'd3 80 00 00 00 00 00 00 00'],
    ['msgpack', '{"__proto__":1}', '81 a9 5f 5f 70 72 6f 74 6f 5f 5f 01'],
  ])('%s %j', async (format, text, expected) => expect(await bytes(format, text)).toBe(expected));
});

describe('errors say what is wrong and where', () => {
  it.each<[Format, string, string]>([
    ['text', '\ud800', 'payload: it contains half a character (a lone surrogate)'],
    ['json', '', 'payload: line 1, column 1: expected a value, found the end'],
    ['json', '{\n "a" 1}', 'payload: line 2, column 6: expected a colon, found “1”'],
    ['json', '[1 2]', 'payload: line 1, column 4: expected a comma or ], found “2”'],
    ['json', '{"a":1,}', 'payload: line 1, column 8: expected a key in quotes, found “}”'],
    ['json', '"a', 'payload: line 1, column 3: expected the closing quote, found the end'],
    ['json', '01', 'payload: line 1, column 2: expected nothing more, found “1”'],
    ['hex', '0g', 'payload: “g” (character 2) is not a hexadecimal digit'],
    ['hex', '100x', 'payload: “x” (character 4) is not a hexadecimal digit'],
    ['hex', 'abc', 'payload: each byte needs two digits, and their number is odd'],
    ['base64', 'A?', 'payload: “?” (character 2) is not a Base64 digit'],
    ['base64', 'AAAAA', 'payload: the last Base64 digit is missing'],
    ['base64', 'A=A', 'payload: “=” (character 2) is not at the end, where padding belongs'],
    ['cbor', '18446744073709551616', 'payload: 18446744073709551616 has more than 64 bits'],
    ['cbor', '1e999', 'payload: 1e999 is too large'],
    ['msgpack', '-9223372036854775809', 'payload: -9223372036854775809 has more than 64 bits'],
    ['msgpack', '['.repeat(100_000), 'payload: nested deeper than 200 levels'],
  ])('%s %j', async (format, text, message) => expect(await wrong(format, text)).toBe(message));
});

it('accepts 200 levels', async () => {
  const text = '['.repeat(200) + ']'.repeat(200);
  expect(JSON.stringify(decodeCbor(await encode('cbor', text)))).toBe(text);
  expect(JSON.stringify(decodeMessagePack(await encode('msgpack', text)))).toBe(text);
});

it('agrees with JSON.parse', async () => {
  await fc.assert(
    fc.asyncProperty(fc.oneof(fc.json(), fc.string()), async (text) => {
      let value: unknown;
      try {
        value = JSON.parse(text);
      } catch {
        expect(await wrong('json', text)).toMatch(/^payload: line /);
        return;
      }
      fc.pre(!/\d{19}/.test(text)); // integers over 64 bits are refused
      const plain = JSON.parse(JSON.stringify(value), (_, item) => (Object.is(item, -0) ? 0 : item));
      const normal = (decoded: unknown) =>
        JSON.parse(JSON.stringify(decoded, (_, item) => (typeof item === 'bigint' ? Number(item) : item)));
      expect(await encode('json', text)).toEqual(new TextEncoder().encode(text));
      expect(normal(decodeCbor(await encode('cbor', text)))).toEqual(plain);
    }),
  );
});

it('any input gives bytes or an error at the field', async () => {
  const format = fc.constantFrom(...formats.map(([name]) => name));
  await fc.assert(
    fc.asyncProperty(format, fc.string({ unit: 'binary' }), async (name, text) => {
      const result = await encode(name, text).catch((error) => error);
      expect(result instanceof Uint8Array || result.field === 'payload').toBe(true);
    }),
  );
});
