import fc from 'fast-check';
import protobuf from 'protobufjs';
import { describe, expect, it } from 'vitest';
import { PayloadError } from '../error';
import { createLines } from '../lines';
import { readSchema } from '../schema';
import type { Sink } from '../sink';
import { decodeMessage } from './protobuf';
import * as sparkplug from './sparkplug';
import sparkplugSource from './sparkplug.proto?raw';

const source = `
  syntax = "proto3";
  package test;
  import "google/protobuf/timestamp.proto";
  enum Colour { RED = 0; BLUE = 1; }
  message Outer {
    int32 i32 = 1; sint64 s64 = 2; uint64 u64 = 3; bool yes = 4; Colour colour = 5;
    fixed32 f32 = 6; sfixed64 f64 = 7; float f = 8; double d = 9;
    string text = 10; bytes raw = 11; Inner inner = 12;
    repeated int32 many = 13; repeated string names = 14; map<string, Inner> by_name = 15;
    google.protobuf.Timestamp at = 16;
    oneof either { bool left = 17; bool right = 18; }
    map<int32, double> numbers = 19;
    message Inner { uint32 x = 1; Inner more = 2; }
  }`;
const schema = readSchema([{ name: 'test.proto', text: source }]);
const outer = schema.root.lookupType('test.Outer');

function flat(decode: (out: Sink) => void): string {
  const out = createLines(10_000);
  decode(out);
  return out.lines
    .map(
      ({ key, text, comma, note }) =>
        `${key ? `${key}:` : ''}${text}${note ? ` (${note})` : ''}${comma ? ',' : ''}`,
    )
    .join(' ');
}
const bytes = (text: string) => Uint8Array.from(text.split(' '), (byte) => Number.parseInt(byte, 16));

it('finds the message types', () => {
  expect(schema.types).toEqual(['google.protobuf.Timestamp', 'test.Outer', 'test.Outer.Inner']);
});

it('decodes what protobufjs encodes', () => {
  const payload = outer
    .encode({
      i32: -5,
      s64: -7,
      u64: '18446744073709551615',
      yes: true,
      colour: 1,
      f32: 7,
      f64: -8,
      f: Math.fround(0.1),
      d: 0.1,
      text: 'é"',
      raw: Uint8Array.of(1, 2),
      inner: { x: 1, more: { x: 2 } },
      many: [1, -1, 300],
      names: ['a', ''],
      by_name: { __proto__x: { x: 9 }, b: {} },
      at: { seconds: 5, nanos: 6 },
      right: false,
      numbers: { '-3': 1.5 },
    })
    .finish();
  expect(flat((out) => decodeMessage(payload, outer, out))).toBe(
    '{ "i32":-5, "s64":-7, "u64":18446744073709551615, "yes":true, "colour":BLUE (1), "f32":7, "f64":-8, ' +
      '"f":0.1, "d":0.1, "text":"é\\"", "raw":h\'0102\' (2 bytes), "inner":{ "x":1, "more":{ "x":2 } }, ' +
      '"many":[ 1, -1, 300 ], "names":[ "a", "" ], "by_name":{ "__proto__x":{ "x":9 }, "b":{} }, ' +
      '"at":{ "seconds":5, "nanos":6 }, "right":false, "numbers":{ -3:1.5 } }',
  );
});

describe('decoding bytes', () => {
  it.each([
    ['08 01 68 02 68 03 6a 02 04 05', '{ "i32":1, "many":[ 2, 3, 4, 5 ] }'],
    ['28 07', '{ "colour":7 }'],
    ['0a 01 61', '{ "i32":"a" (not int32, bytes) }'],
    ['52 01 ff', '{ "text":h\'ff\' (1 byte of a string that is not UTF-8) }'],
    ['a0 06 05', '{ 100:5 (unknown field, varint) }'],
    ['a3 06 08 01 a4 06', "{ 100:h'0801' (unknown field, 2 bytes) }"],
  ])('%s', (payload, expected) =>
    expect(flat((out) => decodeMessage(bytes(payload), outer, out))).toBe(expected),
  );

  it('opens what is well-formed as a message, without a type', () => {
    const envelope = bytes(
      '0a 0d 0d 2c 1a 3e 43 22 06 08 03 12 02 ff 01 12 08 4c 6f 6e 67 46 61 73 74 1a 02 00 01',
    );
    expect(flat((out) => decodeMessage(envelope, undefined, out))).toBe(
      "{ 1:{ 1:h'2c1a3e43' (field, 4 bytes), 4:{ 1:3 (field, varint), 2:h'ff01' (field, 2 bytes) } }, " +
        '2:"LongFast" (field, bytes), 3:h\'0001\' (field, 2 bytes) }',
    );
    let deep = bytes('0a 01 ff');
    while (deep.length < 120) deep = Uint8Array.of(0x0a, deep.length, ...deep);
    expect(flat((out) => decodeMessage(deep, undefined, out))).toMatch(/^(\{ 1:){20}h'/);
  });

  it('uses field numbers without a type', () => {
    expect(flat((out) => decodeMessage(bytes('08 01 12 02 68 69 1d 00 00 80 3f'), undefined, out))).toBe(
      '{ 1:1 (field, varint), 2:"hi" (field, bytes), 3:h\'0000803f\' (field, 4 bytes) }',
    );
  });

  it.each([
    ['08', 'a message ends in the middle of a value'],
    ['52 05 61', 'a message ends in the middle of a value'],
    ['00 01', 'there is no field number 0'],
    ['0e', 'there is no wire type 6'],
    ['0c', 'group 1 ends without having begun'],
    ['0b 14', 'group 1 ends as group 2'],
    ['08 ff ff ff ff ff ff ff ff ff ff 01', 'a varint is longer than 10 bytes'],
    [Array(1000).fill('0b').join(' '), 'nested deeper than 200 levels'],
  ])('error %#', (payload, message) => {
    expect(() => decodeMessage(bytes(payload), outer, createLines(100))).toThrow(message);
  });

  it('refuses excessive nesting', () => {
    let payload = new Uint8Array(0);
    for (let depth = 0; depth < 300; depth++) {
      const writer = protobuf.Writer.create().uint32(18).bytes(payload);
      payload = new Uint8Array(writer.finish());
    }
    const inner = schema.root.lookupType('test.Outer.Inner');
    expect(() => decodeMessage(payload, inner, createLines(1000))).toThrow('nested deeper than 200 levels');
  });

  it('gives a message or an error for any bytes', () => {
    const start = fc.constantFrom('', '08', '52 02', '62 04 08 01', '6a 03', '7a 04 0a 01', '83 01');
    fc.assert(
      fc.property(start, fc.uint8Array({ maxLength: 60 }), (head, rest) => {
        const payload = Uint8Array.from([...(head ? bytes(head) : []), ...rest]);
        for (const decode of [
          (out: Sink) => decodeMessage(payload, outer, out),
          (out: Sink) => decodeMessage(payload, undefined, out),
          (out: Sink) => sparkplug.decode(payload, out),
        ]) {
          try {
            flat(decode);
          } catch (error) {
            expect(error).toBeInstanceOf(PayloadError);
          }
        }
      }),
      { numRuns: 1000 },
    );
  });
});

describe('.proto files', () => {
  it.each([
    ['message {', /^a\.proto: illegal type name '\{'/],
    ['', /^no message type is defined$/],
    ['import "other/b.proto"; message M {}', /^choose other\/b\.proto as well, which is imported$/],
    ['message M { Missing x = 1; }', /Missing/],
    ['message A {'.repeat(50_000), /depth/],
    [`message M {} //${'x'.repeat(1024 * 1024)}`, /^the files are larger than 1 MiB together$/],
  ])('%#', (text, message) => expect(() => readSchema([{ name: 'a.proto', text }])).toThrow(message));

  it('import each other by name', () => {
    const a = { name: 'a.proto', text: 'syntax = "proto3"; import "deep/b.proto"; message A { B b = 1; }' };
    const b = { name: 'b.proto', text: 'syntax = "proto3"; message B { int32 constructor = 1; }' };
    const type = readSchema([a, b]).root.lookupType('A');
    expect(flat((out) => decodeMessage(bytes('0a 02 08 05'), type, out))).toBe('{ "b":{ "constructor":5 } }');
  });

  it('may use JavaScript’s built-in names for types', () => {
    const text =
      'syntax = "proto3"; message constructor { toString x = 1; } message toString { int32 y = 1; }';
    const type = readSchema([{ name: 'a.proto', text }]).root.lookupType('constructor');
    expect(flat((out) => decodeMessage(bytes('0a 02 08 05'), type, out))).toBe('{ "x":{ "y":5 } }');
  });

  it('are parsed or refused, whatever their content', () => {
    const word = fc.constantFrom(
      'message',
      'enum',
      'M',
      '__proto__',
      '{',
      '}',
      '=',
      '1',
      ';',
      'int32',
      'x',
      'oneof',
      'map<',
      '"',
      'import',
      'option',
      '(',
      ')',
      '[',
      'extend',
      'group',
      'repeated',
      'syntax',
      '.',
      '-',
      '/*',
      '//',
      '\n',
    );
    fc.assert(
      fc.property(fc.array(word, { maxLength: 30 }), (words) => {
        try {
          readSchema([{ name: 'a.proto', text: words.join(' ') }]);
        } catch (error) {
          expect(error).toBeInstanceOf(PayloadError);
        }
        expect(Object.keys(Object.prototype)).toEqual([]);
      }),
      { numRuns: 1000 },
    );
  });
});

describe('Sparkplug B: a metric with only an alias', () => {
  const { encode } = sparkplug.payloadType;
  const metrics = (...list: object[]) => encode.call(sparkplug.payloadType, { metrics: list }).finish();
  const birth = metrics(
    { name: 'Boiler/Temperature', alias: 7, datatype: 2, int_value: 3 },
    { name: 'Level', alias: 8, datatype: 9 },
    { name: 'no alias' },
  );
  const data = metrics({ alias: 7, int_value: 0xffff }, { name: 'Level', alias: 8 }, { alias: 9 });
  it.each<[string, Uint8Array | undefined, string]>([
    [
      'has the name and the data type that the BIRTH gave',
      birth,
      '{ "metrics":[ { "alias":7 ("Boiler/Temperature" by its BIRTH), "int_value":-1 }, { "name":"Level", "alias":8 }, { "alias":9 (not in its BIRTH) } ] }',
    ],
    [
      'says that no BIRTH was seen',
      undefined,
      '{ "metrics":[ { "alias":7 (no BIRTH seen), "int_value":65535 }, { "name":"Level", "alias":8 }, { "alias":9 (no BIRTH seen) } ] }',
    ],
    [
      'has no name by a BIRTH that is cut',
      birth.subarray(0, -1),
      '{ "metrics":[ { "alias":7 (not in its BIRTH), "int_value":65535 }, { "name":"Level", "alias":8 }, { "alias":9 (not in its BIRTH) } ] }',
    ],
  ])('%s', (_, birth, expected) => {
    expect(flat((out) => sparkplug.decode(data, out, { birth }))).toBe(expected);
  });
});

it('Sparkplug B: names of data types, signed integers, and times', () => {
  const type = readSchema([{ name: 'sparkplug.proto', text: sparkplugSource }]).root.lookupType(
    'sparkplug.Payload',
  );
  const payload = type
    .encode({
      timestamp: 1_363_896_240_000,
      metrics: [
        { name: 'temperature', datatype: 2, int_value: 0xffffffff },
        { name: 'count', alias: 5, datatype: 4, long_value: '18446744073709551615' },
        { name: 'since', datatype: 13, long_value: 1_363_896_240_000 },
        { name: 'size', datatype: 7, int_value: 0xffffffff },
        { properties: { keys: ['low'], values: [{ type: 1, int_value: 0xfe }] } },
      ],
      seq: 0,
    })
    .finish();
  expect(flat((out) => sparkplug.decode(payload, out))).toBe(
    '{ "timestamp":1363896240000 (2013-03-21T20:04:00.000Z), "metrics":[ ' +
      '{ "name":"temperature", "datatype":Int16 (2), "int_value":-1 }, ' +
      '{ "name":"count", "alias":5, "datatype":Int64 (4), "long_value":-1 }, ' +
      '{ "name":"since", "datatype":DateTime (13), "long_value":1363896240000 (2013-03-21T20:04:00.000Z) }, ' +
      '{ "name":"size", "datatype":UInt32 (7), "int_value":4294967295 }, ' +
      '{ "properties":{ "keys":[ "low" ], "values":[ { "type":Int8 (1), "int_value":-2 } ] } } ], "seq":0 }',
  );
});

it('Sparkplug B: the values of arrays, in the details and in a row', () => {
  const little = (length: number, write: (view: DataView) => void) => {
    const bytes = new Uint8Array(length);
    write(new DataView(bytes.buffer));
    return bytes;
  };
  const array = (name: string, datatype: number, bytes_value: Uint8Array) => ({
    name,
    datatype,
    bytes_value,
  });
  const payload = sparkplug.payloadType
    .encode({
      metrics: [
        array('int8', 22, Uint8Array.of(0xff, 1)),
        array(
          'int64',
          25,
          little(8, (view) => view.setBigInt64(0, -2n, true)),
        ),
        array('uint16', 27, Uint8Array.of(0x34, 0x12, 0xff, 0xff)),
        array(
          'float',
          30,
          little(8, (view) => [1.1, -3.5].map((n, at) => view.setFloat32(4 * at, n, true))),
        ),
        array(
          'double',
          31,
          little(8, (view) => view.setFloat64(0, 0.1, true)),
        ),
        array('boolean', 32, Uint8Array.of(10, 0, 0, 0, 0b10100101, 0b01000000)),
        array('string', 33, new TextEncoder().encode('alpha\0"b"\0')),
        array(
          'time',
          34,
          little(8, (view) => view.setBigInt64(0, 1_363_896_240_000n, true)),
        ),
        array('cut', 24, Uint8Array.of(1, 0, 0)),
        array('booleans that are missing', 32, Uint8Array.of(0xff, 0xff, 0xff, 0xff, 0x80)),
        array('none', 30, new Uint8Array()),
        array('bytes', 17, Uint8Array.of(1)),
      ],
    })
    .finish();
  const notes: string[] = [];
  const seen: Sink = {
    full: false,
    open() {},
    close() {},
    leaf: (kind, _, __, note = '') => kind === 'bytes' && notes.push(note),
  };
  sparkplug.decode(payload, seen);
  expect(notes).toEqual([
    '[-1, 1]',
    '[-2]',
    '[4660, 65535]',
    '[1.1, -3.5]',
    '[0.1]',
    '[true, false, true, false, false, true, false, true, false, true]',
    '["alpha", "\\"b\\""]',
    '[2013-03-21T20:04:00.000Z]',
    '3 bytes',
    '5 bytes',
    '[]',
    '1 byte',
  ]);
  const row: string[] = [];
  const line: Sink = {
    full: false,
    open() {},
    close() {},
    leaf: (_, text, name) => row.push(`${name} ${text}`),
  };
  sparkplug.inRow(payload, line);
  expect(row.slice(0, 2)).toEqual(['"int8" [-1, 1]', '"int64" [-2]']);
  expect(row.at(-1)).toBe(`"bytes" h'01'`);
});
