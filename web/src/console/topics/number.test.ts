import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import { numberAt, parsePath, pathsIn } from './number';

const bytes = (text: string) => new TextEncoder().encode(text);

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

it('suggests paths that lead there', () => {
  expect(pathsIn(bytes('{"on":true,"pump":{"litres":12.5,"name":"P"},"x y":[0,{"z":"3"}]}'), 50)).toEqual([
    'pump.litres',
    '["x y"][0]',
    'on',
    '["x y"][1].z',
  ]);
  expect(pathsIn(bytes('21'), 50)).toEqual(['']);
  expect(pathsIn(bytes('hello'), 50)).toEqual([]);
  expect(pathsIn(bytes(JSON.stringify(Array(1000).fill(1))), 50)).toHaveLength(50);
  expect(pathsIn(bytes('['.repeat(30_000) + ']'.repeat(30_000)), 50)).toEqual([]);
});

it('any JSON: each path suggested leads to a number', () => {
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

it('any bytes and any path throw nothing', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), fc.string(), (payload, path) => {
      numberAt(payload, parsePath(path) ?? []);
      pathsIn(payload, 10);
    }),
  );
});
