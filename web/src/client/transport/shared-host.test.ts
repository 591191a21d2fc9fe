import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { ClientEvent } from '../../protocol/boundary';
import type { FromWorker, ToSharedWorker } from '../../protocol/messages';
import { protocolVersion } from '../../protocol/version';
import { openSharedWorker } from './shared-host';

/** The worker's end of the page's port, played by the test. */
class ScriptedSharedWorker {
  static last: ScriptedSharedWorker;
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

  constructor(readonly url: URL) {
    if (ScriptedSharedWorker.refuses) throw new Error('SecurityError');
    ScriptedSharedWorker.last = this;
  }

  say(data: FromWorker): void {
    this.port.onmessage({ data });
  }

  types = (): string[] => this.posted.map(({ type }) => type);
}

/** As much of Web Locks as there is to need: one that is asked for in vain is granted by `free`. */
function scriptedLocks() {
  const held = new Set<string>();
  const waiting = new Map<string, () => void>();
  async function request(name: string, ...rest: unknown[]): Promise<void> {
    const run = rest.at(-1) as () => Promise<void> | undefined;
    const { signal } = (rest.length > 1 ? rest[0] : {}) as { signal?: AbortSignal };
    if (held.has(name)) {
      await new Promise<void>((resolve, reject) => {
        waiting.set(name, resolve);
        signal?.addEventListener('abort', () => {
          waiting.delete(name);
          reject(signal.reason);
        });
      });
    }
    held.add(name);
    await run();
    held.delete(name);
  }
  const free = (name: string): void => {
    held.delete(name);
    waiting.get(name)?.();
  };
  return { locks: { request }, held, waiting, free };
}

const settled = (): Promise<void> => new Promise((resolve) => void setImmediate(resolve));

let all: ReturnType<typeof scriptedLocks>;

beforeEach(() => {
  all = scriptedLocks();
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
  all.held.add('worker');
  let failed = 0;
  const opening = openSharedWorker(() => failed++);
  await settled();
  const worker = ScriptedSharedWorker.last;
  worker.say(hello);
  const engine = await opening;
  if (!engine) throw new Error('it did not open');
  return { ...engine, worker, failed: () => failed };
}

test('a worker whose process is gone ends its clients, and frees what the page holds', async () => {
  const { boundary, worker, failed, shared } = await opened();
  expect(shared).toBe(true);
  const [hello] = worker.posted;
  expect([...all.held]).toEqual(['worker', hello?.type === 'hello' && hello.lock]);
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
  expect([failed(), worker.closed, all.held.size]).toEqual([1, true, 0]);
});

test('a worker that says that its program has ended is not waited for any more', async () => {
  const { worker, failed } = await opened();
  expect(all.waiting.size).toBe(1);
  worker.say({ type: 'fatal', error: { code: 'crashed', message: 'code 2' } });
  await settled();
  expect([failed(), worker.closed, all.waiting.size]).toEqual([1, true, 0]);
});

test('a worker that does not answer is not waited for any more: its clients end', async () => {
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
])('where no shared worker %s there is none, and no lock is left', async (what, happen) => {
  ScriptedSharedWorker.refuses = what === 'is allowed';
  const opening = openSharedWorker(() => {});
  await settled();
  happen();
  expect(await opening).toBeUndefined();
  await settled();
  expect(all.held.size).toBe(0);
});

test('a worker that closes as it is asked for, and never answers, is asked for again', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  const opening = openSharedWorker(() => {});
  await settled();
  const dying = ScriptedSharedWorker.last;
  vi.advanceTimersByTime(250);
  const fresh = ScriptedSharedWorker.last;
  expect(fresh).not.toBe(dying);
  expect(fresh.types()).toEqual(['hello']);
  fresh.say({ type: 'hello', version: protocolVersion, lock: 'worker' });
  const engine = await opening;
  expect(engine).toBeDefined();
  // It was only slow, and hears that this page is one, not two.
  dying.say({ type: 'hello', version: protocolVersion, lock: 'worker' });
  expect(dying.types()).toEqual(['hello', 'leave']);
  expect([dying.closed, fresh.closed]).toEqual([true, false]);
  vi.advanceTimersByTime(60_000);
  expect(ScriptedSharedWorker.last).toBe(fresh);
  vi.useRealTimers();
});

test('another script and wasm than those of the build', async () => {
  void openSharedWorker(() => {}, 'https://site.test/s.js', 'https://cdn.test/m.wasm');
  await settled();
  expect(ScriptedSharedWorker.last.url.href).toBe(
    'https://site.test/s.js#wasm=https%3A%2F%2Fcdn.test%2Fm.wasm',
  );
});

test('the worker is told when the page stands still, goes on, and is gone', async () => {
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

test('an insecure context has no locks, and does without', async () => {
  vi.stubGlobal('navigator', {});
  const { worker } = await opened();
  expect(worker.posted).toEqual([]);
});

test.each<[string, FromWorker]>([
  ['is older than versions', { type: 'hello', lock: 'worker' } as FromWorker],
  ['is of another version', { type: 'hello', version: protocolVersion + 1, lock: 'worker' }],
])('a worker of an older deployment, which %s, is refused', async (_, hello) => {
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
  expect([...all.held]).toEqual(['worker']);
});
