import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { protocolVersion } from '../../protocol/version';
import { freshHost, request, ScriptedWorker } from './testing-worker';
import type { EngineOptions, findEngine as FindEngine, programReady as ProgramReady } from './worker-host';

let findEngine: typeof FindEngine;
let programReady: typeof ProgramReady;
const openEngine = async (options: EngineOptions) => (await findEngine(options)).boundary;

beforeEach(async () => {
  ({ findEngine, programReady } = await freshHost());
});

afterEach(() => {
  vi.unstubAllGlobals();
});

describe('a worker that does not answer', () => {
  beforeEach(() => {
    vi.useFakeTimers();
    ScriptedWorker.silent = true;
  });
  afterEach(() => void vi.useRealTimers());

  const probed = (worker: ScriptedWorker) => worker.posted.filter(({ type }) => type === 'probe').length;

  /** A client, and its event listener. */
  async function connected() {
    const onEvent = vi.fn();
    const connecting = (await openEngine({ worker: true })).connect({ ...request, onEvent });
    const worker = ScriptedWorker.all.at(-1) as ScriptedWorker;
    worker.say({ type: 'ready' });
    const { id } = worker.posted.findLast(({ type }) => type === 'connect') as { id: number };
    worker.say({ type: 'result', id, value: undefined });
    return { link: await connecting, worker, onEvent };
  }

  test('is replaced once a call has timed out: its clients end, and the next one gets a new worker', async () => {
    const { link, worker, onEvent } = await connected();
    const late = expect(link.ping({ timeout: 1000 })).rejects.toMatchObject({ code: 'timeout' });
    await vi.advanceTimersByTimeAsync(1500);
    await late;
    const waiting = link.ping({ timeout: 60_000 });
    const next = openEngine({ worker: true });
    const crashed = { code: 'crashed', message: 'the worker does not answer' };
    const told = expect(waiting).rejects.toMatchObject(crashed);
    await vi.advanceTimersByTimeAsync(5000);
    await told;
    expect(onEvent).toHaveBeenCalledWith({ type: 'end', error: crashed });
    expect(worker.terminated).toBe(true);
    void (await next).connect(request);
    expect(ScriptedWorker.all).toHaveLength(2);
    expect(vi.getTimerCount()).toBe(1); // of the second one's rounds
  });

  test('is replaced once a connect has timed out, even before its hello', async () => {
    const { startClient } = await import('../client');
    const { connectSettings } = await import('../checks/options');
    const settings = connectSettings('ws://broker.test/mqtt', { connectTimeout: 1000 });
    const open = () => findEngine(settings);
    for (const patience of [30_000, 5000]) {
      const other = (await openEngine({ worker: true })).connect(request);
      const gone = expect(other).rejects.toMatchObject({ code: 'crashed' });
      const { connected } = startClient({ settings, open, once: true });
      const failed = expect(connected).rejects.toMatchObject({ code: 'timeout' });
      const worker = ScriptedWorker.all.at(-1) as ScriptedWorker;
      if (patience === 5000) worker.say({ type: 'ready' });
      await vi.advanceTimersByTimeAsync(patience + 900);
      await failed;
      expect(worker.terminated).toBe(false);
      await vi.advanceTimersByTimeAsync(1000);
      expect(worker.terminated).toBe(true);
      await gone;
    }
    expect(ScriptedWorker.all).toHaveLength(2);
  });

  test('is replaced while its clients only listen', async () => {
    const { worker, onEvent } = await connected();
    ScriptedWorker.silent = false;
    await vi.advanceTimersByTimeAsync(100_000);
    expect(probed(worker)).toBe(5);
    ScriptedWorker.silent = true;
    await vi.advanceTimersByTimeAsync(25_000);
    const error = { code: 'crashed', message: 'the worker does not answer' };
    expect(onEvent.mock.calls).toEqual([[{ type: 'end', error }]]);
    expect([worker.terminated, vi.getTimerCount()]).toEqual([true, 0]);
  });

  test('is not asked without clients', async () => {
    const ready = programReady({ worker: true });
    await vi.advanceTimersByTimeAsync(0);
    const worker = ScriptedWorker.all[0] as ScriptedWorker;
    worker.say({ type: 'ready' });
    await ready;
    await vi.advanceTimersByTimeAsync(100_000);
    expect([probed(worker), worker.terminated]).toEqual([0, false]);
  });

  test('in time but runs, even while its program loads, stays', async () => {
    const { link, worker, onEvent } = await connected();
    const late = expect(link.ping({ timeout: 1000 })).rejects.toMatchObject({ code: 'timeout' });
    await vi.advanceTimersByTimeAsync(1500);
    await late;
    expect(probed(worker)).toBe(1);
    const next = openEngine({ worker: true });
    ScriptedWorker.silent = false;
    worker.say({ type: 'hello', version: protocolVersion });
    await next;
    await vi.advanceTimersByTimeAsync(60_000);
    expect(worker.terminated).toBe(false);
    expect(ScriptedWorker.all).toHaveLength(1);
    expect(onEvent).not.toHaveBeenCalled();
  });

  test('because it was frozen with its page stays', async () => {
    const { link, worker } = await connected();
    const late = expect(link.ping({ timeout: 1000 })).rejects.toMatchObject({ code: 'timeout' });
    const now = vi.spyOn(performance, 'now').mockImplementation(() => 1e9);
    await vi.advanceTimersByTimeAsync(2500); // the page resumes after hours
    await late;
    ScriptedWorker.silent = false;
    worker.say({ type: 'hello', version: protocolVersion });
    await vi.advanceTimersByTimeAsync(60_000);
    expect(worker.terminated).toBe(false);
    now.mockRestore();
  });
});
