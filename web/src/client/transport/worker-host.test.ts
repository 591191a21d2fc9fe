import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { FromWorker } from '../../protocol/messages';
import { protocolVersion } from '../../protocol/version';
import { freshHost, request, ScriptedWorker } from './testing-worker';
import type { EngineOptions, findEngine as FindEngine, programReady as ProgramReady } from './worker-host';

const preventDefault = (): void => {};

let findEngine: typeof FindEngine;
let programReady: typeof ProgramReady;
const openEngine = async (options: EngineOptions) => (await findEngine(options)).boundary;

beforeEach(async () => {
  ({ findEngine, programReady } = await freshHost());
});

afterEach(() => {
  vi.unstubAllGlobals();
});

test('the clients of a page share one module worker', async () => {
  const [first, second] = [await openEngine({ worker: true }), await openEngine({ worker: true })];
  void first.connect(request);
  void second.connect(request);
  const [worker, ...more] = ScriptedWorker.all;
  expect(more).toEqual([]);
  expect(worker?.options.type).toBe('module');
  expect(worker?.url.pathname).toMatch(/\/worker\/dedicated\.ts$/);
  expect(worker?.posted.map((message) => message.type === 'connect' && message.client)).toEqual([1, 2]);
});

test('there is one worker per pair of addresses, and it is told where the wasm is', async () => {
  const workerUrl = 'https://site.test/w.js';
  const wasmUrl = 'https://cdn.test/m.wasm?a=1&b';
  for (const addresses of [{}, { wasmUrl }, { workerUrl }, { workerUrl, wasmUrl }]) {
    const first = await openEngine({ worker: true, ...addresses });
    expect(await openEngine({ worker: true, ...addresses })).toBe(first);
  }
  const started = ScriptedWorker.all.map(({ url }) => [
    url.href.replace(url.hash, '').replace(/^file:.*\//, ''),
    new URLSearchParams(url.hash.slice(1)).get('wasm')?.replace(/^file:.*\//, ''),
  ]);
  expect(started).toEqual([
    [expect.stringMatching(/^dedicated\.ts/), 'mqttwasm.wasm'],
    [expect.stringMatching(/^dedicated\.ts/), wasmUrl],
    [workerUrl, undefined], // it uses the one beside it
    [workerUrl, wasmUrl],
  ]);
});

test('the page compiles the program for a worker, which is told if that failed', async () => {
  const program = new WebAssembly.Module(new Uint8Array([0, 97, 115, 109, 1, 0, 0, 0]));
  const wasmUrl = 'https://site.test/m.wasm';
  const fetched: string[] = [];
  vi.stubGlobal('fetch', async (url: string | URL) => {
    fetched.push(String(url));
    if (String(url) !== wasmUrl) throw new TypeError('Failed to fetch');
    return new Response(null);
  });
  vi.stubGlobal('WebAssembly', {
    compileStreaming: (source: Promise<Response>) => source.then(() => program),
  });
  const workerUrl = 'https://site.test/w.js';
  for (const addresses of [{ wasmUrl }, {}, { workerUrl }]) await openEngine({ worker: true, ...addresses });
  await vi.waitFor(() => {
    expect(ScriptedWorker.all.map(({ posted }) => posted)).toEqual(
      [program, undefined, undefined].map((module) => [{ type: 'program', module }]),
    );
  });
  // A worker that locates its wasm itself is told at once.
  expect(fetched).toEqual([wasmUrl, expect.stringMatching(/\/mqttwasm\.wasm$/)]);
});

test('the next client of a shared worker that is doubted waits until that is known, and gets another one', async () => {
  let known = (): void => {};
  let failed = (): void => {};
  const doubts = new Promise<void>((resolve) => {
    known = resolve;
  });
  const engines = [{ doubted: () => doubts }, { doubted: () => undefined }];
  const openSharedWorker = vi.fn(async (onFailed: () => void) => {
    failed = onFailed;
    return engines[openSharedWorker.mock.calls.length - 1];
  });
  vi.doMock('./shared-host', () => ({ openSharedWorker }));
  const next = findEngine({ worker: true, shared: true });
  await vi.waitFor(() => expect(openSharedWorker).toHaveBeenCalledOnce());
  failed();
  known();
  expect(await next).toBe(engines[1]);
  vi.doUnmock('./shared-host');
});

test('a worker that failed makes room for another one at its own address only', async () => {
  const workerUrl = 'https://site.test/w.js';
  await openEngine({ worker: true });
  const other = await openEngine({ worker: true, workerUrl });
  ScriptedWorker.all[0]?.onerror({ message: '', preventDefault });
  await openEngine({ worker: true });
  expect(await openEngine({ worker: true, workerUrl })).toBe(other);
  expect(ScriptedWorker.all).toHaveLength(3);
});

test('an idle worker is not stopped while its next client is loading', async () => {
  vi.useFakeTimers();
  const client = (await openEngine({ worker: true })).connect(request);
  const worker = ScriptedWorker.all[0] as ScriptedWorker;
  worker.say({ type: 'ready' });
  const [asked] = worker.posted as { id: number }[];
  worker.say({ type: 'result', id: asked?.id ?? 0, value: undefined });
  await client;
  worker.say({ type: 'event', client: 1, event: { type: 'end' } });
  vi.advanceTimersByTime(9000);
  await findEngine({ worker: true }); // but its callbacks are slow to load
  vi.advanceTimersByTime(9000);
  expect(worker.terminated).toBe(false);
  vi.advanceTimersByTime(1000);
  expect(worker.terminated).toBe(true);
  vi.useRealTimers();
});

test('a worker of another origin is imported by a same-origin script', async () => {
  vi.stubGlobal('location', { href: 'https://site.test/app/' });
  vi.stubGlobal('origin', 'https://site.test');
  const made = vi.spyOn(URL, 'createObjectURL').mockReturnValue('blob:https://site.test/1');
  const revoked = vi.spyOn(URL, 'revokeObjectURL').mockReturnValue();
  await openEngine({ worker: true, workerUrl: 'https://site.test/w.js' });
  expect(made).not.toHaveBeenCalled();
  const wasmUrl = 'https://cdn.test/m.wasm';
  await openEngine({ worker: true, workerUrl: 'https://cdn.test/"w.js', wasmUrl });
  const url = ScriptedWorker.all[1]?.url as URL;
  expect(new URLSearchParams(url.hash.slice(1)).get('wasm')).toBe(wasmUrl);
  expect(url.href.replace(url.hash, '')).toBe('blob:https://site.test/1');
  const [[blob]] = made.mock.calls as [[Blob]];
  expect(await blob.text()).toBe(`import "https://cdn.test/%22w.js${url.hash}";`);
  ScriptedWorker.all[1]?.onerror({ message: '', preventDefault });
  expect(revoked).toHaveBeenCalledWith('blob:https://site.test/1');
  vi.restoreAllMocks();
});

test.each<[string, (worker: ScriptedWorker) => void, string]>([
  [
    'its program ended',
    (worker) => worker.say({ type: 'fatal', error: { code: 'crashed', message: 'code 2' } }),
    'code 2',
  ],
  [
    'it did not load',
    (worker) => worker.onerror({ message: '', preventDefault }),
    'the worker could not be loaded',
  ],
  ['it threw', (worker) => worker.onerror({ message: 'unreachable', preventDefault }), 'unreachable'],
  ['it sent what cannot be read', (worker) => worker.onmessageerror(), 'could not be read'],
])('a worker is replaced when %s', async (_, happen, message) => {
  const connecting = (await openEngine({ worker: true })).connect(request);
  const worker = ScriptedWorker.all[0] as ScriptedWorker;
  happen(worker);
  await expect(connecting).rejects.toMatchObject({
    name: 'MqttError',
    code: 'crashed',
    message: expect.stringContaining(message),
  });
  expect(worker.terminated).toBe(true);
  void (await openEngine({ worker: true })).connect(request);
  expect(ScriptedWorker.all).toHaveLength(2);
});

test.each<[string, FromWorker, string]>([
  ['is older than versions', { type: 'ready' }, 'none'],
  ['is of another version', { type: 'hello', version: protocolVersion + 1 }, `${protocolVersion + 1}`],
])('a worker whose script %s is refused, with advice', async (_, first, version) => {
  const connecting = (await openEngine({ worker: true })).connect(request);
  const ready = programReady({ worker: true });
  const worker = ScriptedWorker.all[0] as ScriptedWorker;
  worker.onmessage({ data: first });
  worker.onmessage({ data: { type: 'ready' } });
  for (const call of [connecting, ready]) {
    await expect(call).rejects.toMatchObject({
      name: 'MqttError',
      code: 'crashed',
      message: expect.stringMatching(
        /worker\/dedicated\.ts.* is from another build.*[Rr]eload all tabs.*copy/,
      ),
    });
  }
  await expect(connecting).rejects.toThrow(`version ${version}`);
  expect(worker.terminated).toBe(true);
  void (await openEngine({ worker: true })).connect(request);
  expect(ScriptedWorker.all).toHaveLength(2);
});

test('an error in a worker is not also an error of the page', async () => {
  const connecting = (await openEngine({ worker: true })).connect(request);
  const worker = ScriptedWorker.all[0] as ScriptedWorker;
  const thrown = { message: 'unreachable', preventDefault: vi.fn() };
  worker.onerror(thrown);
  await expect(connecting).rejects.toMatchObject({ code: 'crashed' });
  expect(thrown.preventDefault).toHaveBeenCalledOnce();
});

test('a worker whose clients have ended is stopped after a while', async () => {
  vi.useFakeTimers();
  const connected = async (): Promise<ScriptedWorker> => {
    const connecting = (await openEngine({ worker: true })).connect(request);
    const worker = ScriptedWorker.all.at(-1) as ScriptedWorker;
    const { id } = worker.posted.at(-1) as { id: number };
    worker.say({ type: 'result', id, value: undefined });
    await connecting;
    return worker;
  };
  const end = (client: number): FromWorker => ({ type: 'event', client, event: { type: 'end' } });

  const worker = await connected();
  worker.say(end(1));
  vi.advanceTimersByTime(9_000);
  expect(await connected()).toBe(worker);
  vi.advanceTimersByTime(60_000);
  expect(worker.terminated).toBe(false);

  worker.say(end(2));
  vi.advanceTimersByTime(9_000);
  expect(worker.terminated).toBe(false);
  vi.advanceTimersByTime(2_000);
  expect(worker.terminated).toBe(true);
  expect(await connected()).not.toBe(worker);
  vi.useRealTimers();
});

test('a browser that refuses the worker causes an error, and the next try may succeed', async () => {
  ScriptedWorker.refuses = true;
  await expect(openEngine({ worker: true })).rejects.toMatchObject({
    code: 'crashed',
    message: expect.stringContaining('SecurityError'),
  });
  ScriptedWorker.refuses = false;
  await openEngine({ worker: true });
  expect(ScriptedWorker.all).toHaveLength(1);
});

test('waiting for the program resolves once it runs, and rejects with the reason if it fails', async () => {
  const [first, second] = [programReady({ worker: true }), programReady({ worker: true })];
  await Promise.resolve();
  const [worker, ...more] = ScriptedWorker.all as [ScriptedWorker];
  expect(more).toEqual([]);
  worker.say({ type: 'ready' });
  await Promise.all([first, second, programReady({ worker: true })]);

  worker.onerror({ message: 'unreachable', preventDefault });
  const third = programReady({ worker: true });
  await Promise.resolve();
  const error = { code: 'crashed', message: 'it answered 503' };
  ScriptedWorker.all[1]?.say({ type: 'fatal', error });
  await expect(third).rejects.toMatchObject(error);
});

test('without a WebSocket on this platform the option is required', async () => {
  vi.stubGlobal('WebSocket', undefined);
  await expect(openEngine({ worker: false })).rejects.toMatchObject({
    code: 'bad-option',
    field: 'WebSocket',
  });
  vi.stubGlobal('Worker', undefined);
  await expect(openEngine({ worker: true })).rejects.toMatchObject({
    code: 'bad-option',
    field: 'WebSocket',
  });
});
