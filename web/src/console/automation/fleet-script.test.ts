import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { beforeAll, describe, expect, test } from 'vitest';
import { emptyForm } from './fleet-plan';
import { createFleetScript, type ScriptEnd } from './fleet-script';

let wasm: WebAssembly.Module;
beforeAll(async () => {
  const path = createRequire(import.meta.url).resolve('@jitl/quickjs-ng-wasmfile-release-sync/wasm');
  wasm = await WebAssembly.compile(readFileSync(path));
});

async function open(code: string, filter = 'f/#') {
  const ends: ScriptEnd[] = [];
  const message = await createFleetScript(wasm, { code, filter }, (end) => ends.push(end));
  const text = (number: number, n = 1) => {
    const made = message({ number, id: `d${number}`, n, now: 1000 });
    return made && `${made.topic} ${new TextDecoder().decode(made.payload as Uint8Array)}`;
  };
  return { message, text, ends };
}

describe('a script makes', () => {
  test('topic and payload from its input: text, bytes, or anything else as JSON', async () => {
    const { text, message, ends } = await open(`
      function message({ number, id, n, now }) {
        if (number === 1) return { topic: 'f/' + id, payload: 'é' + n + '\\0' };
        if (number === 2) return { topic: 'f', payload: { n, at: new Date(now), few: new Uint8Array([1]) } };
        if (number === 3) return { topic: 'f/b', payload: new Uint8Array([9, 0, 255, 9]).subarray(1, 3) };
        return { topic: 'f/0', payload: [0, '', null, false][n] };
      }`);
    expect(text(1, 5)).toBe('f/d1 é5\0');
    expect(text(2, 6)).toBe('f {"n":6,"at":"1970-01-01T00:00:01.000Z","few":[1]}');
    expect(message({ number: 3, id: '', n: 1, now: 0 })).toEqual({
      topic: 'f/b',
      payload: new Uint8Array([0, 255]),
    });
    expect([0, 1, 2, 3].map((n) => text(4, n))).toEqual(['f/0 0', 'f/0 ', 'f/0 null', 'f/0 false']);
    expect(ends).toEqual([]);
  });

  test('state per device and in variables, which persists between calls', async () => {
    const { text } = await open(`
      let all = 0;
      const message = (device) => {
        device.own = (device.own ?? 0) + 1;
        return { topic: 'f/x', payload: device.own + ' of ' + ++all };
      }`);
    expect([text(1), text(2), text(1)]).toEqual(['f/x 1 of 1', 'f/x 1 of 2', 'f/x 2 of 3']);
  });

  test('the messages of the example', async () => {
    const { code, filter } = emptyForm('ab12');
    const { text, ends } = await open(code, filter);
    expect(text(7, 3)).toMatch(
      /^fleet\/ab12\/7\/temperature \{"value":[\d.]+,"at":"1970-01-01T00:00:01\.000Z","number":3\}$/,
    );
    expect(ends).toEqual([]);
  });
});

test('has only the language, and no APIs', async () => {
  const { text } = await open(`const message = () => ({ topic: 'f/x', payload: [
    typeof publish, typeof alert, typeof log, typeof console, typeof setTimeout, typeof state, typeof fetch,
    typeof self, typeof performance, typeof Math.random(),
  ].join(' ') })`);
  expect(text(1)).toBe(`f/x ${'undefined '.repeat(9)}number`);
});

describe('is stopped once, with the reason and the line', () => {
  test.each<[why: string, code: string, end: object]>([
    [
      'it can’t be read',
      'function message() {\n  return 1;\n',
      { kind: 'stopped', why: 'failed', place: { line: 3 } },
    ],
    [
      'it has no such function',
      'function onMessage() {}',
      { why: 'failed', text: expect.stringContaining('no function message(device)') },
    ],
    ['it throws at its beginning', '\nnull.x;\nfunction message() {}', { why: 'failed', place: { line: 2 } }],
    ['it hangs at its beginning', 'for (;;);', { why: 'slow', place: { line: 1 } }],
    [
      'it throws',
      'function message(d) {\n  throw new TypeError(d.id);\n}',
      { kind: 'error', text: 'TypeError: d1', place: { line: 2 } },
    ],
    [
      'it hangs',
      'function message() {\n  let n = 0;\n  while (true) n++;\n}',
      { kind: 'stopped', why: 'slow' },
    ],
    [
      'it takes all memory',
      'const all = [];\nfunction message() {\n  for (;;) all.push(new Uint8Array(1 << 20));\n}',
      { kind: 'stopped', why: 'memory' },
    ],
    [
      'it recurses',
      'function message(d) {\n  return message(d);\n}',
      { kind: 'error', text: expect.stringContaining('stack'), place: { line: 2 } },
    ],
    [
      'it returns nothing',
      'function message() {}',
      { kind: 'error', text: 'TypeError: message(device) must return { topic, payload }' },
    ],
    [
      'it returns a promise',
      'async function message() {}',
      { text: 'TypeError: message(device) must return { topic, payload }' },
    ],
    [
      'its topic is none',
      'const message = () => ({ topic: 1, payload: 1 })',
      { text: 'TypeError: message(device): the topic must be a string' },
    ],
    [
      'its topic has a wildcard',
      'const message = () => ({ topic: "f/+", payload: 1 })',
      { text: expect.stringContaining('wildcards') },
    ],
    [
      'its topic is empty',
      'const message = () => ({ topic: "", payload: 1 })',
      { text: expect.stringContaining('empty') },
    ],
    [
      'its topic is not of the filter',
      'const message = () => ({ topic: "g/x", payload: 1 })',
      { text: 'RangeError: message(device): the topic "g/x" does not match the topic filter "f/#"' },
    ],
    [
      'its payload is none',
      'const message = () => ({ topic: "f/x", payload: () => 1 })',
      { text: expect.stringContaining('nothing that JSON can hold') },
    ],
    [
      'its payload is too large',
      'const message = () => ({ topic: "f/x", payload: "é".repeat(32769) })',
      { text: 'RangeError: message(device): the payload is larger than 64 KiB' },
    ],
    [
      'it catches nothing of that',
      'const message = () => ({ get topic() { throw new Error("x"); }, payload: 1 })',
      { kind: 'error', text: 'Error: x' },
    ],
  ])('%s', async (_, code, end) => {
    const { text, ends } = await open(code);
    expect(text(1)).toBeUndefined();
    expect(text(2)).toBeUndefined();
    expect(ends).toMatchObject([end]);
  });

  test('but earlier messages stay', async () => {
    const { text, ends } = await open(`function message({ n }) {
      if (n > 2) throw 'enough';
      return { topic: 'f/x', payload: n };
    }`);
    expect([1, 2, 3, 4].map((n) => text(1, n))).toEqual(['f/x 1', 'f/x 2', undefined, undefined]);
    expect(ends).toMatchObject([{ kind: 'error', text: 'thrown: enough' }]);
  });
});

test('can change built-ins, and affects only itself', async () => {
  const { text, ends } = await open(`
    JSON.parse = JSON.stringify = () => { throw new Error('mine'); };
    Object.defineProperty(Object.prototype, 'number', { get: () => 666, set() {} });
    Array.prototype.map = Array.prototype[Symbol.iterator] = undefined;
    const message = (device) => ({ topic: 'f/x', payload: Object.keys(device).length > 0 ? 'fine' : 'odd' })`);
  expect(text(1)).toBe('f/x fine');
  expect(text(2)).toBe('f/x fine');
  expect(ends).toEqual([]);
});
