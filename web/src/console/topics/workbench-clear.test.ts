import { afterEach, expect, it, vi } from 'vitest';
import type { Client, Message } from '../../client';
import { limits } from '../core/limits';
import { bytes, made, message } from './testing-workbench';

afterEach(() => {
  vi.useRealTimers();
});

const retained = (topic: string, text = '1', rest: Partial<Message> = {}) =>
  message(topic, text, { retain: true, ...rest });

it('clears retained messages below a branch, and nothing else', async () => {
  const { bench, push, node, client } = made();
  push(retained('a/x'), retained('a/y/z'), retained('b'), message('a/live', '1'));
  bench.askToClear(node('a'));
  expect(bench.clearing.value).toMatchObject({ topic: 'a', nodes: { length: 2 } });
  expect(client.publish).not.toHaveBeenCalled();
  await bench.clear();
  expect(
    client.publish.mock.calls.map(([topic, payload, options]) => [topic, payload, options.retain]),
  ).toEqual([
    ['a/x', '', true],
    ['a/y/z', '', true],
  ]);
  expect(bench.clearing.value?.progress).toMatchObject({ published: 2, failed: 0, done: true });
  expect([node('a').retainedBelow, node('b').retained]).toEqual([0, true]);
  bench.stopClearing();
  expect(bench.clearing.value).toBeUndefined();
});

it('reports what could not be cleared, and why', async () => {
  const { bench, push, node } = made(async (topic) => {
    if (topic === 'a/x') throw new Error('refused');
    return { reasonCode: 0 };
  });
  push(retained('a/x'), retained('a/y'));
  bench.askToClear(node('a'));
  await bench.clear();
  expect(bench.clearing.value?.progress).toMatchObject({ published: 1, failed: 1, done: true });
  expect(bench.clearing.value?.progress?.reason).toMatch(/refused/);
  expect(node('a', 'x').retained).toBe(true);
});

it('stops clearing on request, and when the broker changes', async () => {
  for (const end of ['asked', 'gone'] as const) {
    const { bench, push, node, client, current } = made(async () => {
      if (end === 'asked') bench.stopClearing();
      else current.client = undefined;
      return { reasonCode: 0 };
    });
    push(...Array.from({ length: 100 }, (_, n) => retained(`a/${n}`)));
    bench.askToClear(node('a'));
    await bench.clear();
    const progress = bench.clearing.value?.progress;
    expect(progress?.done).toBe(true);
    expect(progress?.published).toBe(client.publish.mock.calls.length);
    expect(client.publish.mock.calls.length).toBeLessThan(20);
  }
});

it('undoes a clearing, except for what has changed since', async () => {
  vi.useFakeTimers({ now: 1_000_000 });
  const { bench, push, node, client } = made();
  const properties = {
    contentType: 'text/plain',
    messageExpiryInterval: 60,
    correlationData: bytes('c'),
    subscriptionIdentifier: 7,
    userProperties: [['k', 'v']] as [string, string][],
  };
  const at = { receivedAt: Date.now() };
  push(retained('a/x', 'one', { qos: 2, properties, size: 100, ...at }));
  push(retained('a/expired', 'two', { properties: { messageExpiryInterval: 5 }, size: 100, ...at }));
  push(retained('a/again', 'three'), retained('a/live', 'four'), message('a/live', 'five'));
  bench.askToClear(node('a'));
  // A live message may differ from the retained one.
  expect(bench.clearing.value).toMatchObject({ nodes: { length: 4 }, restorable: 3 });
  await bench.clear();
  expect(node('a').retainedBelow).toBe(0);
  push(message('a/x', ''), message('a/again', 'newer'));
  client.publish.mockClear();
  vi.advanceTimersByTime(10_000);
  await bench.undo();
  const restored = { qos: 2, retain: true, timeout: 10_000 };
  const { subscriptionIdentifier: _, ...rest } = properties;
  expect(client.publish.mock.calls).toEqual([
    ['a/x', bytes('one'), { ...restored, properties: { ...rest, messageExpiryInterval: 50 } }],
  ]);
  expect(bench.clearing.value).toMatchObject({
    undoing: true,
    progress: { published: 1, total: 3, failed: 0 },
  });
  expect([node('a', 'x').retained, node('a').retainedBelow, bench.cleared.value]).toEqual([
    true,
    1,
    undefined,
  ]);
});

it('keeps what can be undone for a while, within a byte limit, and for one broker', async () => {
  vi.useFakeTimers();
  const { topics, bench, push, node, client } = made();
  topics.onClient(client);
  push(...Array.from({ length: 20 }, (_, n) => retained(`a/${n}`, 'x'.repeat(500_000))));
  const clear = async () => {
    bench.askToClear(node('a'));
    await bench.clear();
  };
  bench.askToClear(node('a'));
  expect(bench.clearing.value).toMatchObject({ nodes: { length: 20 }, restorable: 16 });
  await bench.clear();
  expect(bench.cleared.value?.kept.size).toBe(16);
  vi.advanceTimersByTime(limits.undo.seconds * 1000 - 1);
  expect(bench.cleared.value).toBeDefined();
  vi.advanceTimersByTime(1);
  expect(bench.cleared.value).toBeUndefined();

  push(retained('a/b'));
  await clear();
  expect(bench.cleared.value?.kept.size).toBe(1);
  topics.onClient({ ...client, url: 'ws://two' } as Client);
  expect(bench.cleared.value).toBeUndefined();
});

it('a failed undo can be retried', async () => {
  vi.useFakeTimers();
  let refused = 0;
  const { bench, push, node, current } = made(async (topic, payload) => {
    if (topic === 'a/x' && payload !== '' && refused++ === 0) throw new Error('refused');
    return { reasonCode: 0 };
  });
  push(retained('a/x'), retained('a/y'));
  bench.askToClear(node('a'));
  await bench.clear();
  const { client } = current;
  current.client = undefined;
  await bench.undo();
  expect(bench.clearing.value?.progress).toMatchObject({ published: 0, total: 2, done: true });
  current.client = client;
  await bench.undo();
  expect(bench.clearing.value?.progress).toMatchObject({ published: 1, failed: 1 });
  await bench.undo();
  expect(bench.clearing.value?.progress).toMatchObject({ published: 1, total: 1, failed: 0 });
  expect([node('a').retainedBelow, bench.cleared.value]).toEqual([2, undefined]);
});
