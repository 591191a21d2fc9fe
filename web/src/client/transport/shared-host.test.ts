import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { workerLock } from '../../platform/shared-worker-names';
import { scriptedLocks } from '../../platform/testing-locks';
import type { ClientEvent } from '../../protocol/boundary';
import type { FromWorker, ToSharedWorker } from '../../protocol/messages';
import { protocolVersion } from '../../protocol/version';
import { openSharedWorker } from './shared-host';

/** The worker's end of the page's port, played by the test. */
class ScriptedSharedWorker {
  static all: ScriptedSharedWorker[] = [];
  static get last(): ScriptedSharedWorker {
    return ScriptedSharedWorker.all.at(-1) as ScriptedSharedWorker;
  }
  static refuses = false;
  onerror = (): void => {};
  posted: ToSharedWorker[] = [];
  closed = false;
  port = {
    onmessage: (_: { data: FromWorker }): void => {},
    onmessageerror: (): void => {},
    postMessage: (message: ToSharedWorker): void => void this.posted.push(message),
    close: (): void => {
      this.closed = true;
    },
  };

  constructor(
    readonly url: URL,
    readonly options: WorkerOptions,
  ) {
    if (ScriptedSharedWorker.refuses) throw new Error('SecurityError');
    ScriptedSharedWorker.all.push(this);
  }

  get lock(): string {
    return workerLock(this.options.name ?? '', this.url.href);
  }

  say(data: FromWorker): void {
    this.port.onmessage({ data });
  }

  types = (): string[] => this.posted.map(({ type }) => type);
}

const settled = (): Promise<void> => new Promise((resolve) => void setImmediate(resolve));

let all: ReturnType<typeof scriptedLocks>;

beforeEach(() => {
  all = scriptedLocks();
  ScriptedSharedWorker.all = [];
  ScriptedSharedWorker.refuses = false;
  vi.stubGlobal('SharedWorker', ScriptedSharedWorker);
  vi.stubGlobal('navigator', { locks: all.locks });
  vi.stubGlobal('window', new EventTarget());
  vi.stubGlobal('document', new EventTarget());
});
afterEach(() => {
  vi.unstubAllGlobals();
});

async function opened(hello: FromWorker = { type: 'hello', version: protocolVersion, lock: 'worker' }) {
  if (hello.type === 'hello' && hello.lock) void all.hold(hello.lock);
  let failed = 0;
  const opening = openSharedWorker(() => failed++);
  await settled();
  const worker = ScriptedSharedWorker.last;
  worker.say(hello);
  const engine = await opening;
  if (!engine) throw new Error('it did not open');
  return { ...engine, worker, failed: () => failed };
}

test('a worker whose process has died ends its clients, and frees the page’s resources', async () => {
  const { boundary, worker, failed, shared } = await opened();
  expect(shared).toBe(true);
  const [hello] = worker.posted;
  expect(all.names()).toEqual(['worker', hello?.type === 'hello' && hello.lock]);
  const events: ClientEvent[] = [];
  const connecting = boundary.connect({
    url: 'ws://broker.test/mqtt',
    onBatch: () => undefined,
    onEvent: (event) => events.push(event),
  });
  connecting.catch(() => {});
  all.free('worker');
  await expect(connecting).rejects.toMatchObject({ code: 'crashed' });
  expect(events).toMatchObject([{ type: 'end', error: { code: 'crashed' } }]);
  await settled();
  // It keeps the worker's, and says so, so that no page asks for that one again.
  expect([failed(), worker.closed, all.names()]).toEqual([1, true, ['worker', 'worker over']]);
});

test('a page whose lock the browser has taken joins anew: its worker takes it for gone', async () => {
  const { boundary, worker, failed } = await opened();
  const [hello] = worker.posted;
  const connecting = boundary.connect({
    url: 'ws://broker.test/mqtt',
    onBatch: () => undefined,
    onEvent: () => {},
  });
  connecting.catch(() => {});
  all.locks.request((hello as { lock: string }).lock, { steal: true }, () => {});
  await expect(connecting).rejects.toMatchObject({ code: 'crashed' });
  expect([failed(), worker.closed]).toEqual([1, true]);
});

test('a worker that reports the end of its program is replaced', async () => {
  const { worker, failed } = await opened();
  expect(all.waiting()).toBe(1);
  worker.say({ type: 'fatal', error: { code: 'crashed', message: 'code 2' } });
  await settled();
  expect([failed(), worker.closed, all.waiting()]).toEqual([1, true, 0]);
});

test('a worker that does not respond is replaced: its clients end', async () => {
  const { boundary, worker, failed, doubt } = await opened();
  const connecting = boundary.connect({
    url: 'ws://broker.test/mqtt',
    onBatch: () => undefined,
    onEvent: () => {},
  });
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  doubt?.();
  vi.advanceTimersByTime(4000);
  worker.say({ type: 'hello', version: protocolVersion });
  vi.advanceTimersByTime(9000);
  expect(failed()).toBe(0);
  doubt?.();
  vi.advanceTimersByTime(5000);
  vi.useRealTimers();
  await expect(connecting).rejects.toMatchObject({ code: 'crashed' });
  await settled();
  expect([failed(), worker.closed, worker.types().filter((type) => type === 'probe')]).toEqual([
    1,
    true,
    ['probe', 'probe'],
  ]);
});

test.each<[string, () => void]>([
  ['starts', () => ScriptedSharedWorker.last.onerror()],
  ['is allowed', () => {}],
])('if no shared worker %s, none is used and no lock is left', async (what, happen) => {
  ScriptedSharedWorker.refuses = what === 'is allowed';
  const opening = openSharedWorker(() => {});
  await settled();
  happen();
  expect(await opening).toBeUndefined();
  await settled();
  expect(all.names()).toEqual([]);
});

test('a worker that is closing and never responds is requested again', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  void all.hold('worker');
  const opening = openSharedWorker(() => {});
  await settled();
  const dying = ScriptedSharedWorker.last;
  vi.advanceTimersByTime(250);
  await settled();
  const fresh = ScriptedSharedWorker.last;
  expect(fresh).not.toBe(dying);
  expect(fresh.types()).toEqual(['hello']);
  fresh.say({ type: 'hello', version: protocolVersion, lock: 'worker' });
  const engine = await opening;
  expect(engine).toBeDefined();
  // It was only slow; it must not count this page twice.
  dying.say({ type: 'hello', version: protocolVersion, lock: 'worker' });
  expect(dying.types()).toEqual(['hello', 'leave']);
  expect([dying.closed, fresh.closed]).toEqual([true, false]);
  vi.advanceTimersByTime(60_000);
  expect(ScriptedSharedWorker.last).toBe(fresh);
  vi.useRealTimers();
});

describe('a worker that is stuck', () => {
  beforeEach(
    () => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval'] }),
  );
  afterEach(() => void vi.useRealTimers());

  async function pass(milliseconds: number): Promise<void> {
    for (let passed = 0; passed < milliseconds; passed += 250) {
      vi.advanceTimersByTime(250);
      await settled();
    }
  }

  async function opening() {
    const opening = openSharedWorker(() => {});
    await settled();
    return { opening, worker: ScriptedSharedWorker.last };
  }

  const names = () => ScriptedSharedWorker.all.map(({ options }) => options.name);
  const requests = new Array(4).fill('mqttwasm-shared');

  test('is given up by a page that comes, for all pages, which get the next one', async () => {
    const { opening: first, worker } = await opening();
    const takenAway = all.hold(worker.lock);
    await pass(5000);
    expect(names()).toEqual(requests);
    await pass(2000);
    await takenAway;
    expect(names()).toEqual([...requests, 'mqttwasm-shared 1']);
    const next = ScriptedSharedWorker.last;
    void all.hold(next.lock);
    next.say({ type: 'hello', version: protocolVersion, lock: next.lock });
    expect(await first).toBeDefined();
    // The one that was stuck runs again.
    worker.say({ type: 'hello', version: protocolVersion, lock: worker.lock });
    expect(worker.types()).toEqual(['hello', 'leave']);
    await opening();
    expect(names().at(-1)).toBe('mqttwasm-shared 1');
    all.free(next.lock); // its tab crashed
    await settled();
    await opening();
    expect(names().at(-1)).toBe('mqttwasm-shared 2');
  });

  test('is given up by its pages together', async () => {
    const worker = { lock: 'https://site.test/s.js mqttwasm-shared' };
    const takenAway = all.hold(worker.lock);
    const failed = [vi.fn(), vi.fn()];
    for (const onFailed of failed) {
      const found = openSharedWorker(onFailed, 'https://site.test/s.js');
      await settled();
      ScriptedSharedWorker.last.say({ type: 'hello', version: protocolVersion, lock: worker.lock });
      (await found)?.doubt?.();
    }
    await pass(5000);
    await takenAway;
    for (const onFailed of failed) expect(onFailed).toHaveBeenCalledOnce();
    void openSharedWorker(() => {}, 'https://site.test/s.js');
    await settled();
    expect(names().at(-1)).toBe('mqttwasm-shared 1');
  });

  test('is told from one whose script is loading, which is waited for', async () => {
    const { opening: first, worker } = await opening();
    await pass(120_000);
    void all.hold(worker.lock);
    await pass(5000);
    expect(names()).toEqual(requests);
    worker.say({ type: 'hello', version: protocolVersion, lock: worker.lock });
    expect(await first).toBeDefined();
    await pass(60_000);
    expect(names()).toEqual(requests);
  });
});

test('another script and wasm than those of the build', async () => {
  void openSharedWorker(() => {}, 'https://site.test/s.js', 'https://cdn.test/m.wasm');
  await settled();
  expect(ScriptedSharedWorker.last.url.href).toBe(
    'https://site.test/s.js#wasm=https%3A%2F%2Fcdn.test%2Fm.wasm',
  );
});

test('the worker is told when the page freezes, resumes, and is closed', async () => {
  const { worker } = await opened();
  worker.posted.length = 0;
  const happen = (target: EventTarget, type: string, persisted: boolean): void =>
    void target.dispatchEvent(Object.assign(new Event(type), { persisted }));
  happen(document, 'freeze', false);
  happen(document, 'resume', false);
  happen(window, 'pagehide', true);
  happen(window, 'pageshow', true);
  happen(window, 'pageshow', false);
  happen(window, 'pagehide', false);
  expect(worker.types()).toEqual(['freeze', 'thaw', 'freeze', 'thaw', 'leave']);
});

test('an insecure context has no locks, and works without', async () => {
  vi.stubGlobal('navigator', {});
  const { worker } = await opened({ type: 'hello', version: protocolVersion });
  expect(worker.posted).toEqual([]);
});

test.each<[string, FromWorker]>([
  ['is older than versions', { type: 'hello', lock: 'worker' } as FromWorker],
  ['is of another version', { type: 'hello', version: protocolVersion + 1, lock: 'worker' }],
])('a worker of an older deployment that %s is refused', async (_, hello) => {
  const { boundary, ready, worker, failed } = await opened(hello);
  const error = {
    name: 'MqttError',
    code: 'crashed',
    message: expect.stringMatching(/worker\/shared\.ts.* is from another build.*[Rr]eload all tabs/),
  };
  await expect(ready).rejects.toMatchObject(error);
  const silent = { onBatch: () => undefined, onEvent: () => {} };
  await expect(boundary.connect({ url: 'ws://broker.test/mqtt', ...silent })).rejects.toMatchObject(error);
  await settled();
  expect([failed(), worker.closed, worker.types()]).toEqual([1, true, ['hello']]);
  expect(all.names()).toEqual(['worker']);
});
