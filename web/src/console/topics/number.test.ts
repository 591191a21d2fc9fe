import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Choice } from '../payload/choices';
import * as cbor from '../payload/codecs/cbor';
import * as json from '../payload/codecs/json';
import * as msgpack from '../payload/codecs/msgpack';
import * as sparkplug from '../payload/codecs/sparkplug';
import { load } from '../payload/codecs/table';
import type { Readable } from '../payload/guess';
import { createLines, pathOf } from '../payload/lines';
import { parsePath } from '../payload/path';
import { numberAt, numberIn, pathsIn as pathsOf } from './number';

const bytes = (text: string) => new TextEncoder().encode(text);
const pathsIn = (payload: Uint8Array, limit: number) =>
  pathsOf({ topic: 't', payload, properties: {} }, {}, limit);

it.each([
  ['', []],
  ['$', []],
  ['pump.litres', ['pump', 'litres']],
  ['$.pump.litres', ['pump', 'litres']],
  ['readings[0].value', ['readings', '0', 'value']],
  ['$["a b"][12]', ['a b', '12']],
  ['["a.\\"b"].c', ['a."b', 'c']],
  ['__proto__.x', ['__proto__', 'x']],
  ['a..b', undefined],
  ['a[', undefined],
  ['a[x]', undefined],
  ['["a', undefined],
])('path %j', (path, steps) => {
  expect(parsePath(path)).toEqual(steps);
});

it.each([
  ['21.5', '', 21.5],
  [' -3e2\n', '', -300],
  ['true', '', 1],
  ['"7"', '', 7],
  ['', '', undefined],
  ['  ', '', undefined],
  ['warm', '', undefined],
  ['NaN', '', undefined],
  ['1e999', '', undefined],
  ['{"a":{"b":[1,"2"]}}', 'a.b[1]', 2],
  ['{"on":false}', 'on', 0],
  ['{"a":null}', 'a', undefined],
  ['{"a":1}', 'a.b', undefined],
  ['{"a":1}', 'toString.length', undefined],
  ['[1,2]', 'length', 2],
  ['{"__proto__":{"x":4}}', '__proto__.x', 4],
  ['{"a":1}', '__proto__.constructor.length', undefined],
])('number in %j at %j', (text, path, number) => {
  expect(numberAt(bytes(text), parsePath(path) ?? ['?'])).toBe(number);
});

it('suggests paths that lead to numbers', () => {
  expect(pathsIn(bytes('{"on":true,"pump":{"litres":12.5,"name":"P"},"x y":[0,{"z":"3"}]}'), 50)).toEqual([
    'pump.litres',
    '["x y"][0]',
    'on',
    '["x y"][1].z',
  ]);
  expect(pathsIn(bytes('{"ts":1796040000123,"on":false,"spd":81,"tst":1796040000}'), 50)).toEqual([
    'spd',
    'ts',
    'on',
    'tst',
  ]);
  expect(pathsIn(bytes('21'), 50)).toEqual(['']);
  expect(pathsIn(bytes('hello'), 50)).toEqual([]);
  expect(pathsIn(bytes(JSON.stringify(Array(1000).fill(1))), 50)).toHaveLength(50);
  expect(pathsIn(bytes('['.repeat(30_000) + ']'.repeat(30_000)), 50)).toEqual([]);
});

it('any JSON: each suggested path leads to a number', () => {
  fc.assert(
    fc.property(fc.jsonValue({ maxDepth: 5 }), (value) => {
      const payload = bytes(JSON.stringify(value));
      for (const path of pathsIn(payload, 50)) {
        const steps = parsePath(path);
        expect(steps, path).toBeDefined();
        expect(numberAt(payload, steps ?? []), path).toBeDefined();
      }
    }),
  );
});

it('any bytes and any path throw no error', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), fc.string(), (payload, path) => {
      numberAt(payload, parsePath(path) ?? []);
      pathsIn(payload, 10);
    }),
  );
});

describe('values of other formats', () => {
  const at = (message: Readable, path: string, birth?: Uint8Array, choice: Choice = {}) =>
    numberIn(message, choice, parsePath(path) ?? ['?'], birth);
  const given = (payload: Uint8Array, topic = 't') => ({ topic, payload, properties: {} });
  const device = 'spBv1.0/g/DDATA/e/d';

  it('are suggested before the aliases of Sparkplug B', async () => {
    const { encode } = await load('sparkplug');
    const metrics = '"metrics":[{"name":"Temp","alias":1,"datatype":9,"float_value":7.5}]';
    const payload = encode?.(`{"timestamp":1796040000123,${metrics},"seq":4}`) as Uint8Array;
    expect(pathsOf(given(payload, device), {}, 50)).toEqual(['Temp', 'seq', 'timestamp', 'Temp.alias']);
  });

  it('are found in CBOR and MessagePack as in JSON', async () => {
    await load('cbor');
    await load('msgpack');
    for (const { encode } of [cbor, msgpack]) {
      const message = given(encode('{"pump":{"litres":12.5,"on":true},"x y":[0,{"z":"3"}],"name":"P"}'));
      expect(pathsOf(message, {}, 50)).toEqual(['pump.litres', '["x y"][0]', 'pump.on', '["x y"][1].z']);
      const found = ['pump.litres', 'pump.on', '["x y"][1].z', 'name', 'pump', 'pump.litres.x', ''];
      expect(found.map((path) => at(message, path))).toEqual([12.5, 1, 3, ...Array(4).fill(undefined)]);
      expect(at(given(message.payload.subarray(0, -1)), 'pump.litres')).toBeUndefined();
    }
  });

  it('are read as the format chosen for the topic says', async () => {
    await load('msgpack');
    await load('cbor');
    const as = (format: 'msgpack' | 'cbor' | 'hex') =>
      at(given(Uint8Array.of(0x31)), '', undefined, { format });
    expect([as('msgpack'), as('cbor'), as('hex')]).toEqual([0x31, -18, 1]);
  });

  it('have field numbers in Protobuf, and names with a definition', async () => {
    await load('protobuf');
    const message = given(Uint8Array.of(0x08, 0x05, 0x10, 0x96, 0x01));
    expect(at(message, '[2]', undefined, { format: 'protobuf' })).toBe(150);
    const text = 'syntax = "proto3"; message Pump { int32 litres = 2; }';
    const choice: Choice = { format: 'protobuf', files: [{ name: 'pump.proto', text }] };
    expect(at(message, 'litres', undefined, choice)).toBe(150);
  });

  it('have the names of their metrics in Sparkplug B, wherever these stand', async () => {
    await load('sparkplug');
    const birth = sparkplug.encode(
      '{"metrics":[{"name":"Temp","alias":7,"datatype":2},{"name":"Level","alias":8}]}',
    );
    const first = given(
      sparkplug.encode(
        '{"metrics":[{"name":"Boiler/Temp","double_value":71.5},{"alias":7,"int_value":65535}]}',
      ),
      device,
    );
    const second = given(
      sparkplug.encode(
        '{"metrics":[{"alias":7,"int_value":3},{"name":"Boiler/Temp","double_value":72}],"seq":9}',
      ),
      device,
    );
    expect(pathsOf(first, {}, 50, birth)).toContain('Boiler/Temp');
    expect([first, second].map((message) => at(message, 'Boiler/Temp', birth))).toEqual([71.5, 72]);
    expect([first, second].map((message) => at(message, 'Temp', birth))).toEqual([-1, 3]);
    expect([at(second, 'seq'), at(second, '["alias 7"]'), at(second, 'Temp')]).toEqual([9, 3, undefined]);
    const nested = given(
      sparkplug.encode(
        '{"metrics":[{"name":"M","template_value":{"metrics":[{"name":"rpm","float_value":8.5}]}}]}',
      ),
      device,
    );
    expect(at(nested, 'M.rpm')).toBe(8.5);
  });

  it('each numeric line’s path leads to its number, in each format', async () => {
    const codecs = { json, cbor, msgpack } as const;
    for (const format of ['cbor', 'msgpack'] as const) await load(format);
    fc.assert(
      fc.property(
        fc.constantFrom<keyof typeof codecs>('json', 'cbor', 'msgpack'),
        fc.jsonValue({ maxDepth: 4 }),
        (format, value) => {
          const text = JSON.stringify(value);
          fc.pre(!/\d{18}/.test(text)); // over 64 bits
          const message = given(codecs[format].encode(text));
          const out = createLines(1000);
          codecs[format].decode(message.payload, out);
          for (const line of out.lines) {
            if (line.kind === 'number')
              expect(at(message, pathOf(line) ?? '?', undefined, { format })).toBe(Number(line.text));
          }
        },
      ),
    );
  });

  it('a path too long to be useful is left out', () => {
    const out = createLines(100);
    json.decode(bytes(`{"${'k'.repeat(2000)}":[1]}`), out);
    expect(out.lines.map(pathOf)).toEqual(['', undefined, undefined, '', '']);
  });

  it('any bytes in any format throw no error', async () => {
    const formats = ['cbor', 'msgpack', 'protobuf', 'sparkplug'] as const;
    for (const format of formats) await load(format);
    fc.assert(
      fc.property(fc.constantFrom(...formats), fc.uint8Array({ maxLength: 200 }), (format, payload) => {
        numberIn(given(payload), { format }, ['1'], payload);
        pathsOf(given(payload), { format }, 10, payload);
      }),
    );
  });
});
