import { expect, test } from 'vitest';
import { MqttError } from '../client/index';
import { parsePath, pick } from './path';

const payload = { a: { b: [{ c: 1 }, null] }, 'a key': { '': 2 }, 'x.y': 3, n: null, température: 4 };

test.each([
  ['', payload],
  ['$', payload],
  ['a.b[0].c', 1],
  ['$.a.b[0].c', 1],
  ["['a key']['']", 2],
  ['["x.y"]', 3],
  ['$["x.y"]', 3],
  ['température', 4],
  ['n', null],
  ['.a.b[0].c', 1],
  ['a.b[1]', null],
  ['a.b[1].c', undefined],
  ['a.b[2]', undefined],
  ['a.b.0.c', 1],
  ['n.m', undefined],
])('%s finds %j', (path, value) => {
  expect(pick(payload, parsePath(path))).toEqual(value);
});

test.each(['constructor', '__proto__', 'a.b.length.constructor', "a['toString']", 'a.b.map'])(
  'inherited properties are not found: %s',
  (path) => {
    expect(pick(payload, parsePath(path))).toBeUndefined();
  },
);

test('an own key may have the name of an inherited one', () => {
  expect(pick(JSON.parse('{"__proto__":{"a":1}}'), parsePath('__proto__.a'))).toBe(1);
});

test.each(['a..b', 'a.', 'a[', 'a[-1]', 'a[b]', "a['b", 'a b', '$a b', 'a]', '[*]'])(
  'an invalid path gets an error: %s',
  (path) => {
    let error: unknown;
    try {
      parsePath(path);
    } catch (thrown) {
      error = thrown;
    }
    expect(error).toBeInstanceOf(MqttError);
    expect(error).toMatchObject({ code: 'bad-option', field: 'path' });
  },
);
