import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { encodeBatch } from '../../client/testing';
import { patience, waitingBytes } from './member';
import { follow, owed, scripted, settled, subscription, tab, twoTabs } from './testing';

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
});
afterEach(() => {
  vi.useRealTimers();
});

test('a frozen tab gets QoS 1 and 2 messages in order when it resumes, and others do not wait', async () => {
  const { sink, a, b, first, second } = await twoTabs();
  await first.subscribe(subscription('#'));
  await second.subscribe(subscription('#'));
  const before = follow(sink().onBatch(owed('1'), 1, 0));
  a.take();
  b.port.freeze();
  await settled();
  expect(before).toEqual({ next: true, taken: false });
  const mixed = encodeBatch([{ topic: '2', qos: 2 }, { topic: 'zero' }, { topic: '3', qos: 1 }]);
  const meanwhile = follow(sink().onBatch(mixed, 3, 0));
  a.take();
  await settled();
  expect(meanwhile).toEqual({ next: true, taken: false });
  expect(a.topics()).toEqual(['1', '2', 'zero', '3']);
  b.port.thaw();
  expect(b.topics()).toEqual(['1']);
  for (let n = 0; n < 3; n++) {
    b.take();
    await settled();
  }
  expect([b.topics(), b.dropped()]).toEqual([['1', '2', '3'], 1]);
  expect([before.taken, meanwhile.taken]).toEqual([true, true]);
});

test('other tabs wait for a frozen tab only for a limited time; its messages are kept', async () => {
  const { sink, a, b, first, second } = await twoTabs();
  await first.subscribe(subscription('#'));
  await second.subscribe(subscription('#'));
  b.port.freeze();
  const held = follow(sink().onBatch(owed('1'), 1, 0));
  a.take();
  await vi.advanceTimersByTimeAsync(patience - 1);
  expect(held.taken).toBe(false);
  await vi.advanceTimersByTimeAsync(1);
  expect(held.taken).toBe(true);
  const after = follow(sink().onBatch(owed('2'), 1, 0));
  a.take();
  await settled();
  expect(after.taken).toBe(true);
  b.port.thaw();
  b.take();
  await settled();
  expect(b.topics()).toEqual(['1', '2']);
  // Once resumed, it is waited for again.
  b.take();
  const now = follow(sink().onBatch(owed('3'), 1, 0));
  a.take();
  await settled();
  expect(now).toEqual({ next: false, taken: false });
});

test('while all tabs are frozen nothing is acknowledged, until one resumes', async () => {
  const { sink, a, b, first, second } = await twoTabs();
  await first.subscribe(subscription('#'));
  await second.subscribe(subscription('#'));
  const state = follow(sink().onBatch(owed('1'), 1, 0));
  a.port.freeze();
  b.port.freeze();
  await vi.advanceTimersByTimeAsync(10 * patience);
  expect(state.taken).toBe(false);
  a.port.thaw();
  a.take();
  await settled();
  expect(state.taken).toBe(true);
});

test('messages over a frozen tab’s limit are refused, and it gets their number', async () => {
  const { sink, a, b, first, second } = await twoTabs();
  await first.subscribe(subscription('#'));
  await second.subscribe(subscription('#'));
  b.port.freeze();
  const large = (topic: string) =>
    encodeBatch([{ topic, qos: 1, payload: new Uint8Array(waitingBytes / 2) }]);
  const states: ReturnType<typeof follow>[] = [];
  for (const topic of ['1', '2', '3', '4']) {
    states.push(follow(sink().onBatch(large(topic), 1, 0)));
    a.take();
    await settled();
  }
  expect(states.map(({ taken }) => taken)).toEqual([false, true, true, true]);
  b.port.thaw();
  expect(b.topics()).toEqual(['1']);
  expect(b.errors).toEqual([expect.stringMatching(/^dropped: 3 messages of QoS 1 and 2/)]);
  b.port.freeze();
  b.port.thaw();
  expect(b.errors).toHaveLength(1);
});

test('other tabs wait for an unresponsive tab no longer than for a frozen one; it gets all QoS 1 and 2 messages', async () => {
  const { sink, a, b, first, second } = await twoTabs();
  await first.subscribe(subscription('#'));
  await second.subscribe(subscription('#'));
  const held = follow(sink().onBatch(owed('1'), 1, 0));
  a.take();
  await vi.advanceTimersByTimeAsync(patience - 1);
  expect(held).toEqual({ next: false, taken: false });
  await vi.advanceTimersByTimeAsync(1);
  expect(held).toEqual({ next: true, taken: true });
  for (const topic of ['2', '3']) {
    const mixed = encodeBatch([{ topic, qos: 1 }, { topic: 'zero' }]);
    const after = follow(sink().onBatch(mixed, 2, 0));
    a.take();
    await settled();
    expect(after).toEqual({ next: true, taken: true });
  }
  expect(a.topics()).toEqual(['1', '2', 'zero', '3', 'zero']);
  expect(b.topics()).toEqual(['1']);
  for (let n = 0; n < 4; n++) {
    b.take();
    await settled();
  }
  expect([b.topics(), b.dropped()]).toEqual([['1', '2', '3'], 2]);
  // It has caught up, and is waited for again.
  const now = follow(sink().onBatch(owed('4'), 1, 0));
  a.take();
  await settled();
  expect(now).toEqual({ next: false, taken: false });
  b.take();
  await settled();
  expect(now.taken).toBe(true);
});

test('an unresponsive tab gets the number of messages over its limit', async () => {
  const { sink, a, b, first, second } = await twoTabs();
  await first.subscribe(subscription('#'));
  await second.subscribe(subscription('#'));
  sink().onBatch(owed('1'), 1, 0);
  a.take();
  await vi.advanceTimersByTimeAsync(patience);
  const large = (topic: string) =>
    encodeBatch([{ topic, qos: 1, payload: new Uint8Array(waitingBytes / 2) }]);
  for (const topic of ['2', '3', '4']) {
    sink().onBatch(large(topic), 1, 0);
    a.take();
    await settled();
  }
  b.take();
  await settled();
  expect(b.errors).toEqual([]);
  b.take();
  await settled();
  expect(b.topics()).toEqual(['1', '2']);
  expect(b.errors).toEqual([expect.stringMatching(/^dropped: 2 messages of QoS 1 and 2/)]);
});

test('a slow tab slows the sender down, and so do unresponsive tabs if no other tab is active', async () => {
  const { sink, a, b, first, second } = await twoTabs();
  await first.subscribe(subscription('#'));
  await second.subscribe(subscription('#'));
  for (let n = 0; n < 3; n++) {
    const slowly = follow(sink().onBatch(owed('1'), 1, 0));
    a.take();
    await vi.advanceTimersByTimeAsync(patience - 1);
    expect(slowly.next).toBe(false);
    b.take();
    await settled();
    expect(slowly.taken).toBe(true);
  }
  const never = follow(sink().onBatch(owed('1'), 1, 0));
  await vi.advanceTimersByTimeAsync(10 * patience);
  expect(never.next).toBe(false);
  a.take();
  await settled();
  expect(never).toEqual({ next: true, taken: true });
});

test('a single tab is waited for, until another one connects', async () => {
  const { registry, sink, calls } = scripted();
  const a = tab(registry.attach());
  await a.connect();
  const state = follow(sink().onBatch(owed('1'), 1, 0));
  await vi.advanceTimersByTimeAsync(10 * patience);
  expect([state.next, calls]).toEqual([false, []]);
  await tab(registry.attach()).connect();
  await settled();
  expect(state).toEqual({ next: true, taken: true });
});

test('an unresponsive tab that freezes or resumes is waited for no longer, either', async () => {
  const { sink, a, b, first, second } = await twoTabs();
  await first.subscribe(subscription('#'));
  await second.subscribe(subscription('#'));
  sink().onBatch(owed('1'), 1, 0);
  a.take();
  b.port.freeze();
  await vi.advanceTimersByTimeAsync(100);
  b.port.thaw();
  const state = follow(sink().onBatch(owed('2'), 1, 0));
  a.take();
  await vi.advanceTimersByTimeAsync(patience);
  expect(state).toEqual({ next: true, taken: true });
  b.port.freeze();
  b.port.thaw();
  for (let n = 0; n < 2; n++) {
    b.take();
    await settled();
  }
  expect(b.topics()).toEqual(['1', '2']);
});

test('a closed frozen tab blocks nothing', async () => {
  const { sink, a, b, first, second } = await twoTabs();
  await first.subscribe(subscription('#'));
  await second.subscribe(subscription('#'));
  b.port.freeze();
  const state = follow(sink().onBatch(owed('1'), 1, 0));
  a.take();
  b.port.leave();
  await settled();
  expect(state.taken).toBe(true);
});

test('a tab frozen while connecting is admitted, and notified when it resumes', async () => {
  const { registry, answer } = scripted(true);
  const a = tab(registry.attach());
  const coming = a.connect();
  await settled();
  a.port.freeze();
  answer();
  await coming;
  expect(a.events).toEqual([]);
  a.port.thaw();
  expect(a.events).toEqual(['connect']);
});
