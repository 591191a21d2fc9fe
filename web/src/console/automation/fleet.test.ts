import { signal } from '@preact/signals';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { plainSettings } from '../session/settings';
import { createFleet, mostSamples } from './fleet';
import { csvOf, jsonOf } from './fleet-export';
import type { Figures } from './fleet-figures';

const zero = {
  sent: 0,
  acknowledged: 0,
  failed: 0,
  received: 0,
  onTheWay: 0,
  lost: 0,
  duplicates: 0,
  late: 0,
};

const figuresOf = (changes: Partial<Figures> = {}): Figures => ({
  phase: 'running',
  at: Date.now(),
  elapsed: 0,
  connected: 3,
  connecting: 0,
  away: 0,
  refused: 0,
  sentRate: 29.6,
  receivedRate: 30.4,
  p50: 1,
  p99: 2,
  recent: { p50: 1.23456, p99: undefined },
  ackP50: 1,
  ackP99: 2,
  byQoS: ([0, 1, 2] as const).map((qos) => ({ ...zero, qos, lost: qos })),
  skipped: 0,
  dropOuts: 0,
  wills: 0,
  storms: 0,
  lastStorm: undefined,
  gaps: 0,
  problems: [],
  ...changes,
});

function made(url = 'ws://ann:secret@127.0.0.1/mqtt?token=secret', kept = signal<unknown>(undefined)) {
  const workers: { postMessage: ReturnType<typeof vi.fn>; terminate: ReturnType<typeof vi.fn> }[] = [];
  const fleet = createFleet({
    kept,
    settings: () => ({ ...plainSettings, url, password: 'secret' }),
    publicAddresses: () => ['ws://mqtt.example.org/'],
    startWorker() {
      const worker = { postMessage: vi.fn(), terminate: vi.fn() };
      workers.push(worker);
      return worker as unknown as Worker;
    },
    now: Date.now,
  });
  const tell = (data: unknown) => (workers.at(-1) as unknown as Worker).onmessage?.({ data } as MessageEvent);
  return {
    fleet,
    workers,
    tell,
    orders: () => workers.at(-1)?.postMessage.mock.calls.map(([order]) => order.type),
  };
}

const page = new EventTarget();

beforeEach(() => {
  vi.useFakeTimers();
  vi.stubGlobal('addEventListener', page.addEventListener.bind(page));
  vi.stubGlobal('removeEventListener', page.removeEventListener.bind(page));
});
afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

test('starts a worker with the plan, shows its figures, and terminates it at the end', () => {
  const { fleet, workers, tell, orders } = made();
  fleet.start();
  expect(orders()).toEqual(['start']);
  expect(fleet.running.value).toBe(true);
  tell({ type: 'figures', figures: figuresOf() });
  expect(fleet.run.value?.figures?.connected).toBe(3);
  fleet.start();
  expect(workers).toHaveLength(1);
  fleet.stop();
  tell({ type: 'figures', figures: figuresOf({ phase: 'ended' }) });
  expect(orders()).toEqual(['start', 'stop']);
  expect(workers[0]?.terminate).toHaveBeenCalled();
  expect(fleet.running.value).toBe(false);
  expect(fleet.run.value?.figures?.phase).toBe('ended');
});

test('an invalid form starts nothing, and shows its error until corrected', () => {
  const { fleet, workers } = made();
  fleet.edit({ devices: '0' });
  fleet.start();
  expect(workers).toHaveLength(0);
  expect(Object.keys(fleet.errors.value)).toEqual(['devices']);
  fleet.edit({ devices: '1' });
  expect(fleet.errors.value).toEqual({});
});

test('asks before connecting over the internet', () => {
  const { fleet, workers } = made('wss://ann:secret@example.com/mqtt');
  fleet.start();
  expect(workers).toHaveLength(0);
  expect(fleet.asking.value).toBe('wss://example.com/mqtt');
  fleet.decline();
  expect(fleet.asking.value).toBeUndefined();
  fleet.start();
  fleet.agree();
  expect(workers).toHaveLength(1);
});

test('a public broker gets at most ten devices, even if the user agrees', () => {
  const { fleet, workers } = made('ws://mqtt.example.org:8080/mqtt');
  fleet.edit({ devices: '11' });
  fleet.start();
  expect(fleet.errors.value.devices).toContain('10');
  fleet.edit({ devices: '10' });
  fleet.start();
  expect(fleet.asking.value).toBeDefined();
  fleet.edit({ devices: '500' });
  fleet.agree();
  expect(workers).toHaveLength(0);
});

test('a worker that does not respond is terminated', () => {
  const { fleet, workers } = made();
  fleet.start();
  fleet.stop();
  vi.advanceTimersByTime(40_000);
  expect(workers[0]?.terminate).toHaveBeenCalled();
  expect(fleet.running.value).toBe(false);
  fleet.start();
  fleet.dispose();
  vi.advanceTimersByTime(3000);
  expect(workers[1]?.terminate).toHaveBeenCalled();
});

test('a second stop does not wait any longer', () => {
  const { fleet, tell, orders } = made();
  fleet.start();
  fleet.stop();
  tell({ type: 'figures', figures: figuresOf({ phase: 'stopping' }) });
  fleet.stop();
  expect(orders()).toEqual(['start', 'stop', 'leave']);
});

test('ends with the page', () => {
  const { fleet, workers } = made();
  fleet.start();
  page.dispatchEvent(new Event('pagehide'));
  expect(workers[0]?.terminate).toHaveBeenCalled();
  expect(fleet.running.value).toBe(false);
});

test('the reason for failing to start or ending is shown, and messages of the old worker are ignored', () => {
  const { fleet, workers, tell } = made();
  fleet.start();
  tell({ type: 'failed', failure: { code: 'refused', message: 'no', reasonCode: 0x87 } });
  expect(fleet.failure.value).toMatchObject({ code: 'refused', reasonCode: 0x87 });
  expect(workers[0]?.terminate).toHaveBeenCalled();
  tell({ type: 'figures', figures: figuresOf() });
  expect(fleet.run.value?.figures).toBeUndefined();
  fleet.start();
  expect(fleet.failure.value).toBeUndefined();
  (workers[1] as unknown as Worker).onerror?.({ message: 'gone' } as ErrorEvent);
  expect(fleet.failure.value).toMatchObject({ code: 'crashed', message: 'gone' });
});

test('an error in the script is shown with its line, and the run finishes', async () => {
  const { fleet, workers, tell } = made();
  fleet.edit({ by: 'script' });
  fleet.start();
  expect(workers[0]?.postMessage.mock.calls[0]?.[0].plan.script.code).toBe(fleet.form.value.code);
  tell({ type: 'script', end: { kind: 'error', text: 'TypeError: no', place: { line: 3, column: 1 } } });
  await vi.advanceTimersByTimeAsync(0);
  expect(fleet.scriptEnd.value).toBe('Stopped: TypeError: no (line 3)');
  expect(workers[0]?.terminate).not.toHaveBeenCalled();
  tell({ type: 'figures', figures: figuresOf({ phase: 'ended' }) });
  expect(fleet.running.value).toBe(false);
  expect(fleet.scriptEnd.value).toContain('line 3');
  fleet.start();
  expect(fleet.scriptEnd.value).toBeUndefined();
});

test('a call that can’t be interrupted is terminated with the worker', () => {
  const { fleet, workers, tell } = made();
  fleet.edit({ by: 'script' });
  fleet.start();
  vi.advanceTimersByTime(20_000); // enough to load the engine
  for (let n = 0; n < 10; n++) {
    tell({ type: 'figures', figures: figuresOf() });
    vi.advanceTimersByTime(2500);
  }
  expect(fleet.running.value).toBe(true);
  vi.advanceTimersByTime(2000);
  expect(workers[0]?.terminate).toHaveBeenCalled();
  expect(fleet.running.value).toBe(false);
  expect(fleet.scriptEnd.value).toBe('Stopped: a call did not end within 3 s');
});

test('samples are a second apart, and bounded', () => {
  const { fleet, tell } = made();
  fleet.start();
  for (let n = 0; n < 4 * (mostSamples + 10); n++) {
    tell({ type: 'figures', figures: figuresOf() });
    vi.advanceTimersByTime(250);
  }
  const samples = fleet.run.value?.samples ?? [];
  expect(samples).toHaveLength(mostSamples);
  expect((samples[1]?.at ?? 0) - (samples[0]?.at ?? 0)).toBe(1000);
});

test('the form survives a reload, with its script, which does not start', () => {
  const edited = { topic: 'mine/{{device}}', rate: '7', by: 'script', code: 'const message = 1' };
  const kept = signal<unknown>(undefined);
  made(undefined, kept).fleet.edit(edited);
  const { fleet, workers } = made(undefined, signal(JSON.parse(JSON.stringify(kept.value))));
  expect(fleet.form.value).toMatchObject(edited);
  expect(workers).toHaveLength(0);
});

test('exports have the figures, and no credentials', () => {
  vi.setSystemTime(0);
  const { fleet, tell } = made();
  fleet.start();
  tell({ type: 'figures', figures: figuresOf() });
  const run = fleet.run.value;
  if (!run) throw new Error('no run');
  expect(csvOf(run)).toBe(
    'at,connected,sent_per_s,received_per_s,p50_ms,p99_ms,lost\r\n1970-01-01T00:00:00.000Z,3,30,30,1.23,,3\r\n',
  );
  const text = jsonOf(run);
  expect(text).not.toContain('secret');
  expect(JSON.parse(text)).toMatchObject({
    begun: '1970-01-01T00:00:00.000Z',
    address: 'ws://127.0.0.1/mqtt',
    figures: { connected: 3 },
    samples: [{ sent: 30 }],
  });
});
