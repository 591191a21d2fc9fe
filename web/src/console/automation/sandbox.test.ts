import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { beforeAll, describe, expect, test } from 'vitest';
import { bounds } from './bounds';
import type { Act, Delivered } from './protocol';
import { createSandbox } from './sandbox';
import { scriptsFrom } from './text';

let wasm: WebAssembly.Module;
beforeAll(async () => {
  const path = createRequire(import.meta.url).resolve('@jitl/quickjs-ng-wasmfile-release-sync/wasm');
  wasm = await WebAssembly.compile(readFileSync(path));
});

const bytes = (text: string) => new TextEncoder().encode(text);

function message(payload: string | Uint8Array = '', more: Partial<Delivered> = {}): Delivered {
  const body = typeof payload === 'string' ? bytes(payload) : payload;
  return { topic: 'plant/a', payload: body, qos: 1, retain: false, receivedAt: 1, properties: {}, ...more };
}

async function open(code: string, rate = 100, state?: string) {
  const acts: Act[] = [];
  const woken: [id: number, milliseconds: number][] = [];
  let skipped = 0;
  const sandbox = await createSandbox(
    wasm,
    { code, rate, state },
    {
      now: () => performance.now() + skipped,
      act: (act) => acts.push(act),
      wake: (id, milliseconds) => woken.push([id, milliseconds]),
    },
  );
  const skip = (milliseconds: number) => {
    skipped += milliseconds;
  };
  return { sandbox, acts, woken, skip };
}

const stops = (acts: Act[]) => acts.filter(({ kind }) => kind === 'stopped');

describe('what a script gets', () => {
  test('the message, for which it returns a value', async () => {
    const { sandbox, acts } = await open(`
      const onMessage = ({ topic, qos, retain, properties, payload, text, json }) =>
        ({ topic, qos, retain, properties, bytes: payload, text: text(), part: text(1, 3), value: json() });
    `);
    const correlationData = new Uint8Array([0, 255]);
    const json = sandbox.deliver(
      message('{"é":1}', { properties: { contentType: 'x\0y' }, correlationData }),
    );
    expect(JSON.parse(json ?? '')).toEqual({
      topic: 'plant/a',
      qos: 1,
      retain: false,
      properties: { contentType: 'x\0y', correlationData: [0, 255] },
      bytes: [...bytes('{"é":1}')],
      text: '{"é":1}',
      part: '"\ufffd',
      value: { é: 1 },
    });
    expect(acts).toEqual([]);
  });

  test('values that are not plain data are ignored', async () => {
    const { sandbox, acts } = await open('function onMessage() {}');
    expect(sandbox.deliver(message())).toBeUndefined();
    const other = await open('const onMessage = () => () => 1');
    expect(other.sandbox.deliver(message())).toBeUndefined();
    expect([...acts, ...other.acts]).toEqual([]);
  });

  test('the value of a promise, and an error for one that never settles', async () => {
    const { sandbox, acts } = await open(`
      async function onMessage(message) {
        if (message.text() === 'wait') await new Promise(() => {});
        if (message.text() === 'fail') throw new Error('no');
        return await 7;
      }`);
    expect(sandbox.deliver(message())).toBe('7');
    expect(sandbox.deliver(message('wait'))).toBeUndefined();
    expect(sandbox.deliver(message('fail'))).toBeUndefined();
    expect(acts).toMatchObject([
      { kind: 'error', text: 'the promise that onMessage returned has not settled' },
      { kind: 'error', text: 'Error: no', place: { line: 4 } },
    ]);
  });

  test('publish, reply, alert, log and state', async () => {
    const { sandbox, acts } = await open(`
      function onMessage(message) {
        state.count = (state.count ?? 0) + 1;
        publish('a/b', { n: state.count }, { qos: 2, retain: true, properties: { contentType: 'x' } });
        publish('a/c', new Uint8Array([1, 2, 3]).subarray(1));
        publish('nul', 'a\\0b\\ud800');
        reply(message, 'yes');
        alert('hot ' + state.count);
        console.log('n', state, new Error('e'));
      }`);
    const correlationData = new Uint8Array([9, 0]);
    sandbox.deliver(message('', { properties: { responseTopic: 'back' }, correlationData }));
    const published = (publication: object) => ({ kind: 'publish', publication });
    expect(acts).toEqual([
      published({
        topic: 'a/b',
        payload: '{"n":1}',
        options: { qos: 2, retain: true, properties: { contentType: 'x' } },
        correlationData: undefined,
      }),
      published({ topic: 'a/c', payload: new Uint8Array([2, 3]), options: { properties: {} } }),
      published({ topic: 'nul', payload: 'a\0b\ud800', options: { properties: {} } }),
      published({ topic: 'back', payload: 'yes', options: { properties: {} }, correlationData }),
      { kind: 'alert', text: 'hot 1' },
      { kind: 'log', text: 'n {"count":1} Error: e' },
    ]);
    sandbox.deliver(message());
    expect(acts.at(-1)).toMatchObject({
      kind: 'error',
      text: 'Error: reply: the message has no response topic',
    });
  });

  test('timers, limited in number and minimum delay', async () => {
    const { sandbox, acts, woken } = await open(`
      const once = setTimeout((words) => log(words), 1, 'once');
      const often = setInterval(() => log('often'), 500);
      clearTimeout(setTimeout(() => log('never'), 20));
      function onMessage() { clearInterval(often); for (;;) setTimeout(() => {}, 1e9); }`);
    expect(woken).toEqual([
      [1, bounds.shortest],
      [2, 500],
      [3, 20],
    ]);
    for (const id of [1, 2, 3, 2, 1]) sandbox.fire(id);
    expect(acts.map((act) => 'text' in act && act.text)).toEqual(['once', 'often', 'often']);
    sandbox.deliver(message());
    expect(acts.at(-1)).toMatchObject({
      kind: 'error',
      text: `RangeError: more than ${bounds.timers} timers`,
    });
    sandbox.fire(2);
    expect(acts).toHaveLength(4);
  });
});

describe('what a script can’t reach', () => {
  test('its global object has only the language and the API', async () => {
    const { sandbox } = await open(`const onMessage = () => Object.getOwnPropertyNames(globalThis)
      .filter((name) => !/^[A-Z]/.test(name) || name === 'WebAssembly')`);
    const api = ['publish', 'reply', 'log', 'alert', 'state', 'console', 'onMessage'];
    const timers = ['setTimeout', 'setInterval', 'clearTimeout', 'clearInterval'];
    const language = `parseInt parseFloat isNaN isFinite queueMicrotask decodeURI decodeURIComponent encodeURI
      encodeURIComponent escape unescape undefined eval globalThis`.split(/\s+/);
    const names = JSON.parse(sandbox.deliver(message()) ?? '[]') as string[];
    expect(names.filter((name) => ![...api, ...timers, ...language].includes(name))).toEqual([]);
  });

  test('constructors, callers and stack traces do not expose the page', async () => {
    const { sandbox, acts } = await open(`
      function onMessage(message) {
        const roots = [publish, reply, alert, log, setTimeout, message.text, message, state, console];
        const found = [];
        for (const root of roots) {
          const made = root.constructor.constructor('return this')();
          if (made !== globalThis) found.push('another realm');
          for (const name of ['document', 'window', 'self', 'fetch', 'process', 'require', 'postMessage',
            'indexedDB', 'WebSocket', 'importScripts', 'host', 'performance'])
            if (name in made) found.push(name);
        }
        Error.prepareStackTrace = (error, frames) => frames.map((frame) => frame.getFunction?.() ?? frame.getThis?.());
        try { publish(); } catch (error) { found.push(...[error.stack].flat().filter((frame) => typeof frame !== 'string' && frame !== undefined)); }
        return found;
      }`);
    expect(sandbox.deliver(message())).toBe('[]');
    expect(stops(acts)).toEqual([]);
  });

  test('import loads nothing', async () => {
    const { sandbox, acts } = await open(`const onMessage = () => import('https://example.org/x.js')`);
    expect(sandbox.deliver(message())).toBeUndefined();
    expect(acts).toMatchObject([{ kind: 'error' }]);
    const other = await open(`import fs from 'node:fs'; const onMessage = () => 1`);
    expect(other.acts).toMatchObject([{ kind: 'stopped', why: 'failed' }]);
  });

  test('changed prototypes affect only the script', async () => {
    const { sandbox, acts } = await open(`
      JSON.stringify = JSON.parse = () => { throw new Error('mine'); };
      ArrayBuffer.prototype.slice = Array.from = Reflect.apply = String = () => 'mine';
      Object.prototype.toJSON = undefined;
      Object.defineProperty(Object.prototype, 'qos', { get() { return 2; } });
      function onMessage(message) { publish('t', message.payload); return { text: message.text() }; }`);
    expect(sandbox.deliver(message('x'))).toBe('{"text":"x"}');
    expect(acts).toMatchObject([{ kind: 'publish', publication: { topic: 't', payload: bytes('x') } }]);
  });
});

describe('a script that takes too much', () => {
  test.each([
    ['a loop', 'function onMessage() {\n\n  for (;;) {}\n}', 3],
    ['a loop that catches', 'function onMessage() { for (;;) try { for (;;) {} } catch {} finally {} }', 1],
    ['a loop at the beginning', 'for (;;) {}', 1],
    ['a regular expression', 'const onMessage = () => /^(a+)+$/.test("a".repeat(40) + "b")', 1],
    ['promises without end', 'async function onMessage() { for (;;) await 0; }', 1],
    ['a value that hangs', 'const onMessage = () => ({ toJSON() { for (;;) {} } })', 1],
    ['an error that hangs', 'const onMessage = () => { throw { toJSON() { for (;;) {} } } }', 1],
  ])('is stopped: %s', async (_, code) => {
    const { sandbox, acts } = await open(code);
    sandbox.deliver(message());
    expect(stops(acts)).toHaveLength(1);
    expect(acts).toMatchObject([{ kind: 'stopped', why: expect.stringMatching(/slow|memory/) }]);
    expect(sandbox.ended).toBe(true);
    expect(sandbox.deliver(message())).toBeUndefined();
    expect(acts).toHaveLength(1);
  });

  test.each([
    ['objects', 'const all = []; const onMessage = () => { for (;;) all.push({ a: 1 }); }'],
    ['bytes', 'const onMessage = () => { const all = []; for (;;) all.push(new Uint8Array(1e6)); }'],
    ['the parser’s stack', 'const onMessage = () => eval("(".repeat(1e5))'],
  ])('is stopped for using too much memory: %s', async (_, code) => {
    const { sandbox, acts } = await open(code);
    sandbox.deliver(message());
    // A slow machine may hit the time limit first.
    expect(acts).toMatchObject([{ kind: 'stopped', why: expect.stringMatching(/memory|slow/) }]);
  });

  test('can use the memory that it is promised', async () => {
    const { sandbox, acts } = await open(`
      const all = [];
      function onMessage() { all.push(new Uint8Array(1e6)); return all.length; }`);
    for (let n = 1; n <= 13; n++) expect(sandbox.deliver(message())).toBe(String(n));
    for (let n = 0; n < 12; n++) sandbox.deliver(message());
    expect(acts).toMatchObject([{ kind: 'stopped', why: 'memory' }]);
  });

  test('recursion is an ordinary error', async () => {
    const { sandbox, acts } = await open('function f() { f(); }\nfunction onMessage() { f(); }');
    sandbox.deliver(message());
    expect(acts).toMatchObject([
      { kind: 'error', text: expect.stringContaining('call stack'), place: { line: 1 } },
    ]);
  });

  test('deep values, long values and long errors are truncated', async () => {
    const { sandbox, acts } = await open(`
      function onMessage(message) {
        if (message.text() === 'long') return 'x'.repeat(${bounds.json});
        if (message.text() === 'error') throw new Error('x'.repeat(1e6));
        if (message.text() === 'log') return log('x'.repeat(1e6));
        if (message.text() === 'payload') publish('t', 'x'.repeat(${bounds.payload + 1}));
      }`);
    for (const wanted of ['long', 'error', 'log', 'payload']) sandbox.deliver(message(wanted));
    expect(acts.map((act) => act.kind)).toEqual(['error', 'error', 'log', 'error']);
    for (const act of acts) expect('text' in act && act.text.length).toBeLessThanOrEqual(bounds.line);
  });

  test('errors are rate-limited, too', async () => {
    for (const code of ['() => { throw 1; }', '() => new Promise(() => {})']) {
      const { sandbox, acts } = await open(`const onMessage = ${code}`);
      for (let n = 0; n < 10 * bounds.perSecond.lines; n++) sandbox.deliver(message());
      // Allows for a slow machine, where this takes several seconds.
      expect(acts.length).toBeLessThan(8 * bounds.perSecond.lines);
      expect(acts.length).toBeGreaterThanOrEqual(bounds.perSecond.lines);
    }
  });

  test('output over the rate limit is counted', async () => {
    const { sandbox, acts, skip } = await open(
      `function onMessage() { for (let n = 0; n < 60; n++) { state.last = publish('t', n); alert(n); log(n); } return state.last; }`,
      40,
    );
    expect(sandbox.deliver(message())).toBe('false');
    const count = (kind: string) => acts.filter((act) => act.kind === kind).length;
    expect([count('publish'), count('alert'), count('log')]).toEqual([40, 10, 50]);
    skip(1100);
    sandbox.tell();
    expect(acts.at(-1)).toEqual({ kind: 'limited', publications: 20, alerts: 50, lines: 10 });
    sandbox.deliver(message());
    expect(count('publish')).toBe(80);
  });
});

test('an error in the script’s top-level code is reported with its line', async () => {
  const { acts } = await open('let a = 1;\nlet a = 2;');
  expect(acts).toMatchObject([{ kind: 'stopped', why: 'failed', place: { line: 2 } }]);
  const unfinished = await open('function onMessage( {');
  expect(unfinished.acts).toMatchObject([{ kind: 'stopped', why: 'failed', place: { line: 1 } }]);
  const other = await open('const x = 1;');
  expect(other.acts).toEqual([
    {
      kind: 'stopped',
      why: 'failed',
      text: 'the script has no function onMessage(message)',
      place: undefined,
    },
  ]);
});

test('the scripts in the guide work as described', async () => {
  const guide = readFileSync(new URL('../../../docs/scripts.md', import.meta.url), 'utf8');
  const written = [...guide.matchAll(/```javascript\n(.*?)```/gs)].map(([, code = '']) => code);
  const scripts = written.flatMap((code) => scriptsFrom(code, 'Guide'));
  expect(scripts.map(({ name, filter }) => [name, filter])).toEqual([
    ['Guide', '#'],
    ['Unit conversion', 'plant/+/temperature'],
  ]);
  const values = scripts.map(async ({ code }) => (await open(code)).sandbox.deliver(message('212')));
  expect(await Promise.all(values)).toEqual(['{"fahrenheit":212,"celsius":100}', '{"celsius":212}']);
});

describe('what a script has in state', () => {
  test('is saved after a call, and restored on start', async () => {
    const code = 'const onMessage = () => { state.n = (state.n ?? 0) + 1; return state; }';
    const { sandbox } = await open(code);
    expect([sandbox.state(), sandbox.state()]).toEqual(['{}', undefined]);
    sandbox.deliver(message());
    sandbox.deliver(message());
    expect([sandbox.state(), sandbox.state()]).toEqual(['{"n":2}', undefined]);
    const next = await open(code, 100, '{"n":2,"\\u0000":["é",null,{"a":true}]}');
    expect(next.sandbox.deliver(message())).toBe('{"n":3,"\\u0000":["é",null,{"a":true}]}');
    expect(next.sandbox.state()).toBe('{"n":3,"\\u0000":["é",null,{"a":true}]}');
    const given = await open('const onMessage = () => { state = [1]; }');
    given.sandbox.deliver(message());
    expect(given.sandbox.state()).toBe('[1]');
  });

  test('starts empty if the saved text is not JSON', async () => {
    const { sandbox, acts } = await open('const onMessage = () => state', 100, '{"n":');
    expect([sandbox.deliver(message()), acts]).toEqual(['{}', []]);
  });

  test.each([
    ['a Map', 'new Map()'],
    ['bytes', '[new Uint8Array(2)]'],
    ['a Date', '{ at: new Date() }'],
    ['a function', '{ call() {} }'],
    ['a BigInt', '{ n: 1n }'],
    ['a number that JSON has not', '{ n: NaN }'],
    ['itself', '(state.self = state)'],
    ['what is too large', '"x".repeat(70000)'],
    ['what is too many', 'Array(1e5).fill(0)'],
    ['what is too deep', '(() => { let at = {}; for (let n = 0; n < 1e4; n++) at = { at }; return at; })()'],
    ['what never ends', '{ get n() { for (;;); } }'],
    ['what throws', '{ get n() { throw null; } }'],
    ['a list that ends nowhere', 'Object.assign([], { length: 4e9 })'],
  ])('is not saved with %s, which is reported once and harms nothing', async (_, value) => {
    const { sandbox, acts } = await open(
      `const onMessage = () => { state.value = ${value}; return 7; };
       Object.prototype.toJSON = JSON.stringify = Array.isArray = undefined;`,
    );
    sandbox.deliver(message());
    expect(sandbox.state()).toBe('');
    expect(acts).toEqual([{ kind: 'log', text: expect.stringContaining('empties state') }]);
    expect(sandbox.deliver(message())).toBe('7');
    expect(sandbox.state()).toBeUndefined();
    expect([acts.length, sandbox.ended]).toEqual([1, false]);
  });
});
