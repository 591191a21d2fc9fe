import fc from 'fast-check';
import type { Message } from 'protobufjs';
import { describe, expect, it } from 'vitest';
import { hex } from '../../core/text';
import { createChoices } from '../choices';
import { load } from '../definitions';
import { encode as encodePayload, problemWith } from '../encode';
import { PayloadError } from '../error';
import { createLines } from '../lines';
import { readSchema } from '../schema';
import { integers, parseValue } from '../value';
import { encodeMessage } from './protobuf';
import { decode as decodeSparkplug, encode as encodeSparkplug } from './sparkplug';

const source = `
  syntax = "proto3";
  package test;
  enum Colour { RED = 0; BLUE = 1; }
  message Outer {
    int32 i32 = 1; sint64 s64 = 2; uint64 u64 = 3; bool yes = 4; Colour colour = 5;
    fixed32 f32 = 6; sfixed64 f64 = 7; float f = 8; double d = 9;
    string text = 10; bytes raw = 11; Inner inner = 12;
    repeated int32 many = 13; repeated string names = 14; map<string, Inner> by_name = 15;
    oneof either { bool left = 17; bool right = 18; }
    map<int32, double> numbers = 19; map<bool, Colour> colours = 20; uint32 u32 = 21;
    message Inner { uint32 x = 1; Inner more = 2; }
  }`;
const outer = readSchema([{ name: 'test.proto', text: source }]).root.lookupType('test.Outer');
const old = readSchema([
  {
    name: 'old.proto',
    text: `syntax = "proto2"; message Old {
      required int32 id = 1; optional group Part = 2 { optional int32 a = 1; } repeated int32 loose = 3;
    }`,
  },
]).root.lookupType('Old');

const encode = (text: string, type = outer) => encodeMessage(parseValue(text, integers.protobuf), type);

function wrong(call: () => unknown): string {
  try {
    call();
  } catch (error) {
    expect(error).toBeInstanceOf(PayloadError);
    return (error as Error).message;
  }
  return 'no error';
}

describe('JSON becomes Protobuf', () => {
  it.each([
    ['{}', ''],
    ['{"i32":-5}', '08 fb ff ff ff ff ff ff ff ff 01'],
    ['{"i32":1.5e1}', '08 0f'],
    ['{"s64":-7}', '10 0d'],
    ['{"s64":-9223372036854775808}', '10 ff ff ff ff ff ff ff ff ff 01'],
    ['{"u64":18446744073709551615}', '18 ff ff ff ff ff ff ff ff ff 01'],
    ['{"u64":"18446744073709551615"}', '18 ff ff ff ff ff ff ff ff ff 01'],
    ['{"yes":true,"colour":"BLUE"}', '20 01 28 01'],
    ['{"colour":1}', '28 01'],
    ['{"f32":7,"f64":-8}', '35 07 00 00 00 39 f8 ff ff ff ff ff ff ff'],
    ['{"f":0.5,"d":"-Infinity"}', '45 00 00 00 3f 49 00 00 00 00 00 00 f0 ff'],
    ['{"text":"é","raw":"AP8="}', '52 02 c3 a9 5a 02 00 ff'],
    ['{"many":[1,-1]}', '6a 0b 01 ff ff ff ff ff ff ff ff ff 01'],
    ['{"many":[],"names":["a",""]}', '72 01 61 72 00'],
    ['{"inner":{"more":{"x":2},"x":1}}', '62 06 08 01 12 02 08 02'],
    ['{"byName":{"__proto__":{"x":1}}}', '7a 0f 0a 09 5f 5f 70 72 6f 74 6f 5f 5f 12 02 08 01'],
    ['{"numbers":{"-1":1}}', '9a 01 14 08 ff ff ff ff ff ff ff ff ff 01 11 00 00 00 00 00 00 f0 3f'],
    ['{"colours":{"true":"BLUE"}}', 'a2 01 04 08 01 10 01'],
    ['{"text":null,"left":false}', '88 01 00'],
    ['{"yes":true,"i32":1}', '08 01 20 01'],
  ])('%s', (text, expected) => expect(hex(encode(text))).toBe(expected));

  it('in proto2 syntax, too', () => {
    expect(hex(encode('{"id":1,"part":{"a":2},"loose":[1,2]}', old))).toBe('08 01 13 08 02 14 18 01 18 02');
  });

  it('with the same result as protobufjs', () => {
    const inner = fc.record({ x: fc.nat(0xffff_ffff) });
    const any = fc.record(
      {
        i32: fc.integer(),
        s64: fc.bigInt(-(2n ** 63n), 2n ** 63n - 1n).map(String),
        u64: fc.bigInt(0n, 2n ** 64n - 1n).map(String),
        yes: fc.boolean(),
        colour: fc.constantFrom('RED', 'BLUE'),
        f: fc.float({ noNaN: true, noDefaultInfinity: true }),
        d: fc.double({ noNaN: true, noDefaultInfinity: true }),
        text: fc.string({ unit: 'grapheme' }),
        inner,
        many: fc.array(fc.integer()),
        names: fc.array(fc.string()),
        by_name: fc.dictionary(fc.string(), inner, { noNullPrototype: true }),
      },
      { requiredKeys: [] },
    );
    fc.assert(
      fc.property(any, (value) => {
        const plain = (message: Message) =>
          JSON.stringify(outer.toObject(message, { longs: String, enums: String, defaults: true }));
        expect(plain(outer.decode(encode(JSON.stringify(value))))).toBe(plain(outer.fromObject(value)));
      }),
      { numRuns: 200 },
    );
  });
});

describe('errors name the field', () => {
  it.each([
    ['[]', 'Outer: a list is not an object'],
    ['{"nope":1}', 'nope: there is no such field in test.Outer'],
    ['{"__proto__":1}', '__proto__: there is no such field in test.Outer'],
    ['{"toString":1}', 'toString: there is no such field in test.Outer'],
    ['{"inner":{"more":{"x":-1}}}', 'inner.more.x: -1 does not fit in uint32'],
    ['{"inner":{"y":1}}', 'inner.y: there is no such field in test.Outer.Inner'],
    ['{"i32":2147483648}', 'i32: 2147483648 does not fit in int32'],
    ['{"i32":1.5}', 'i32: 1.5 is not a whole number'],
    ['{"i32":"x"}', 'i32: "x" is not a whole number'],
    ['{"s64":9223372036854775808}', 's64: 9223372036854775808 does not fit in sint64'],
    ['{"u64":18446744073709551616}', 'u64: 18446744073709551616 does not fit in uint64'],
    ['{"yes":1}', 'yes: 1 is neither true nor false'],
    ['{"colour":"GREEN"}', 'colour: "GREEN" is not one of Colour: RED, BLUE, …'],
    ['{"colour":"toString"}', 'colour: "toString" is not one of Colour: RED, BLUE, …'],
    ['{"f":1e39}', 'f: 1e+39 does not fit in float'],
    ['{"d":true}', 'd: true is not a number'],
    ['{"text":1}', 'text: 1 is not text'],
    ['{"text":"\\ud800"}', 'text: it contains half a character (a lone surrogate)'],
    ['{"raw":"A?"}', 'raw: “?” (character 2) is not a Base64 digit'],
    ['{"many":1}', 'many: 1 is not a list'],
    ['{"many":[1,null]}', 'many[1]: null is not a whole number'],
    ['{"by_name":{"a":{"x":"b"}}}', 'by_name["a"].x: "b" is not a whole number'],
    ['{"numbers":{"a":1}}', 'numbers["a"]: "a" is not a whole number'],
    ['{"colours":{"yes":1}}', 'colours["yes"]: the key is neither true nor false'],
    ['{"left":true,"right":true}', 'right: cannot be set together with left'],
  ])('%s', (text, expected) => expect(wrong(() => encode(text))).toBe(expected));

  it('for missing required fields', () => {
    expect(wrong(() => encode('{}', old))).toBe('id: is required but missing');
  });
});

it('any input gives bytes or an error', () => {
  fc.assert(
    fc.property(fc.json(), (text) => {
      try {
        expect(encode(text)).toBeInstanceOf(Uint8Array);
      } catch (error) {
        expect(error).toBeInstanceOf(PayloadError);
      }
    }),
  );
});

it('Sparkplug decodes what it has encoded', () => {
  const text = '{"timestamp":1,"metrics":[{"name":"t","datatype":"Int8","int_value":-1}],"seq":7}';
  const out = createLines(100);
  decodeSparkplug(encodeSparkplug(text), out);
  const read = out.lines.map(({ key, text: value }) => `${key ?? ''}${value}`).join(' ');
  expect(read).toBe('{ "timestamp"1 "metrics"[ { "name""t" "datatype"Int8 "int_value"-1 } ] "seq"7 }');
  expect(wrong(() => encodeSparkplug('{"seq":-1}'))).toBe('seq: -1 does not fit in uint64');
});

describe('a payload to publish', () => {
  it('has the type of the definition that is loaded', async () => {
    const choices = createChoices();
    const by = (type?: string) => ({ type, files: choices.files.entries.value });
    const failure = (text: string, type?: string) =>
      encodePayload('protobuf', text, by(type)).catch((error: Error) => error.message);
    expect(await failure('{}')).toBe('payload: load the .proto files that define it, under Properties');
    await load(choices, [new File([source], 'test.proto')]);
    expect(await failure('{}')).toBe('payload: choose the message type, under Properties');
    expect(hex(await encodePayload('protobuf', '{"x":1}', by('test.Outer.Inner')))).toBe('08 01');
    expect(await failure('{"y":1}', 'test.Outer.Inner')).toBe(
      'payload: y: there is no such field in test.Outer.Inner',
    );
    // Told as it is typed, now that the encoder is loaded.
    expect(problemWith('protobuf', '{"x":-1}', by('test.Outer.Inner'))).toBe('x: -1 does not fit in uint32');
    expect(problemWith('protobuf', '{"x":1}', by('test.Outer.Inner'))).toBeUndefined();
  });

  it('needs no type to choose where there is one', async () => {
    const files = [{ name: 'only.proto', text: 'syntax = "proto3"; message Only { int32 a = 1; }' }];
    expect(hex(await encodePayload('protobuf', '{"a":1}', { files }))).toBe('08 01');
  });
});
