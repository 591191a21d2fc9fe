import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { encodeBatch } from '../../client/testing';
import { gatherTime, rememberedBytes } from './delivery';
import { batch, connack, follow, owed, scripted, settled, subscription, tab, twoTabs } from './testing';

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
});
afterEach(() => {
  vi.useRealTimers();
});

test('a resumed session: messages without a subscriber are held until one subscribes', async () => {
  const { sink, a, b, first, second } = await twoTabs(true);
  await first.subscribe(subscription('a/#'));
  const state = follow(sink().onBatch(owed('a/1', 'b/1', 'a/2', 'b/2'), 4, 0));
  expect(a.topics()).toEqual(['a/1', 'a/2']);
  a.take();
  await settled();
  // Other tabs continue; nothing is acknowledged.
  expect(state).toEqual({ next: true, taken: false });
  const later = follow(sink().onBatch(owed('a/3', 'b/3'), 2, 0));
  expect(a.topics()).toEqual(['a/1', 'a/2', 'a/3']);
  await second.subscribe(subscription('b/#'));
  expect(b.topics()).toEqual(['b/1', 'b/2']);
  b.take();
  await settled();
  expect(state.taken).toBe(true);
  expect(b.topics()).toEqual(['b/1', 'b/2', 'b/3']);
  a.take();
  b.take();
  await settled();
  expect(later).toEqual({ next: true, taken: true });
});

test('a tab that connects late gets earlier messages', async () => {
  const { registry, sink } = scripted(false, true);
  const a = tab(registry.attach());
  const first = await a.connect();
  await first.subscribe(subscription('a'));
  const state = follow(sink().onBatch(owed('b', 'a', 'b'), 3, 0));
  a.take();
  await vi.advanceTimersByTimeAsync(gatherTime - 1);
  const b = tab(registry.attach());
  const second = await b.connect();
  // Its own waiting time starts when it connects.
  await vi.advanceTimersByTimeAsync(gatherTime - 1);
  expect([a.topics(), state.taken]).toEqual([['a'], false]);
  await second.subscribe(subscription('b'));
  b.take();
  await settled();
  expect([b.topics(), state.taken]).toEqual([['b', 'b'], true]);
});

test('a tab that connects late also gets, once, what another tab with its subscription received', async () => {
  const { sink, a, b, first, second } = await twoTabs(true);
  await first.subscribe([...subscription('ours'), ...subscription('mine')]);
  const state = follow(sink().onBatch(owed('ours', 'mine', 'ours'), 3, 0));
  a.take();
  await settled();
  // Delivery does not wait for tabs that may come.
  expect([a.topics(), state.taken]).toEqual([['ours', 'mine', 'ours'], true]);
  await second.subscribe(subscription('ours'));
  b.take();
  await settled();
  await second.subscribe(subscription('#'));
  b.take();
  await first.subscribe(subscription('#'));
  a.take();
  await settled();
  expect([a.topics(), b.topics()]).toEqual([
    ['ours', 'mine', 'ours'],
    ['ours', 'ours', 'mine'],
  ]);
});

test('others’ messages do not go to a very late tab, after a tab has left, or if they are retained', async () => {
  const late = await twoTabs(true);
  await late.first.subscribe(subscription('#'));
  late.sink().onBatch(owed('1'), 1, 0);
  await vi.advanceTimersByTimeAsync(gatherTime);
  await late.second.subscribe(subscription('#'));

  const left = await twoTabs(true);
  await left.first.subscribe(subscription('#'));
  left.sink().onBatch(owed('1'), 1, 0);
  left.a.port.leave();
  await left.second.subscribe(subscription('#'));

  const retained = await twoTabs(true);
  await retained.first.subscribe(subscription('#'));
  const messages = encodeBatch([{ topic: '1', qos: 1, retain: true }, { topic: 'zero' }]);
  retained.sink().onBatch(messages, 2, 0);
  await retained.second.subscribe(subscription('#'));

  expect([late, left, retained].map(({ b }) => b.topics())).toEqual([[], [], []]);
});

test('the memory of others’ messages is bounded, and drops the oldest', async () => {
  const { sink, a, b, first, second } = await twoTabs(true);
  await first.subscribe(subscription('#'));
  const payload = new Uint8Array(rememberedBytes / 2 - 1000);
  for (const topic of ['1', '2', '3']) {
    sink().onBatch(encodeBatch([{ topic, qos: 1, payload }]), 1, 0);
    a.take();
    await settled();
  }
  await second.subscribe(subscription('#'));
  b.take();
  await settled();
  expect(b.topics()).toEqual(['2', '3']);
});

test('held messages go to the tabs that subscribe to them', async () => {
  const { sink, a, b, first, second } = await twoTabs(true);
  const state = follow(sink().onBatch(owed('a', 'b', 'c', 'a'), 4, 0));
  await first.subscribe(subscription('a'));
  await second.subscribe(subscription('b'));
  a.take();
  b.take();
  await settled();
  expect([a.topics(), b.topics(), state.taken]).toEqual([['a', 'a'], ['b'], false]);
  await second.subscribe(subscription('c'));
  b.take();
  await settled();
  expect([b.topics(), state.taken]).toEqual([['b', 'c'], true]);
});

test('messages that no tab subscribes to are dropped after a while, and acknowledged', async () => {
  const { sink, a, b, first } = await twoTabs(true);
  await first.subscribe(subscription('a'));
  const state = follow(sink().onBatch(owed('b'), 1, 0));
  await vi.advanceTimersByTimeAsync(gatherTime - 1);
  expect(state.taken).toBe(false);
  await vi.advanceTimersByTimeAsync(1);
  expect(state.taken).toBe(true);
  expect(sink().onBatch(owed('b'), 1, 0)).toBeUndefined();
  expect([a.topics(), b.topics()]).toEqual([[], []]);
});

test('a tab that stays alone gets them after all', async () => {
  const { registry, sink } = scripted(false, true);
  const a = tab(registry.attach());
  const first = await a.connect();
  await first.subscribe(subscription('a'));
  const state = follow(sink().onBatch(owed('a', 'b'), 2, 0));
  a.take();
  await settled();
  expect([a.topics(), state.taken]).toEqual([['a'], false]);
  await vi.advanceTimersByTimeAsync(gatherTime);
  a.take();
  await settled();
  expect([a.topics(), state.taken]).toEqual([['a', 'b'], true]);
});

test('QoS 0 messages are not held', async () => {
  const { sink, b, second } = await twoTabs(true);
  expect(sink().onBatch(batch('b'), 1, 0)).toBeUndefined();
  await second.subscribe(subscription('b'));
  expect(b.batches).toEqual([]);
});

test('a session created by this program holds nothing for other tabs', async () => {
  const { sink, registry } = await twoTabs(false);
  expect(sink().onBatch(owed('x'), 1, 0)).toBeUndefined();
  sink().onEvent({ type: 'close' });
  sink().onEvent({ type: 'connect', connack: { ...connack, sessionPresent: true } });
  await tab(registry.attach()).connect();
  expect(sink().onBatch(owed('x'), 1, 0)).toBeUndefined();
});

test('a tab returning after a crash is known before it subscribes', async () => {
  const { registry, sink, calls } = scripted(true, true);
  const a = tab(registry.attach());
  const coming = a.connect({ filters: [{ topic: 'a', qos: 1 }] });
  await settled();
  // Even before `connect` has resolved.
  const state = follow(sink().onBatch(owed('a'), 1, 0));
  expect(a.topics()).toEqual(['a']);
  a.take();
  await settled();
  expect(state.taken).toBe(true);
  expect(calls).toEqual([]);
  a.port.leave();
  await expect(coming).rejects.toMatchObject({ code: 'aborted' });
});

test('the filters and private options of a returning tab do not reach the program', async () => {
  const { registry, connects } = scripted();
  await tab(registry.attach()).connect({ filters: [{ topic: 'a', qos: 1 }], whenTabCloses: 'keep' });
  await tab(registry.attach()).connect();
  expect(connects).toHaveLength(1);
  expect(connects[0]).not.toHaveProperty('filters');
  expect(connects[0]).not.toHaveProperty('whenTabCloses');
});

test('when the last tab leaves, unacknowledged messages are left to the broker to resend', async () => {
  const { registry, sink, answers } = scripted();
  let left = (): void => {};
  answers.disconnect = () => new Promise((resolve) => (left = resolve));
  const a = tab(registry.attach());
  await (await a.connect()).subscribe(subscription('a'));
  const given = follow(sink().onBatch(owed('a'), 1, 0));
  a.port.leave();
  const late = follow(sink().onBatch(owed('a'), 1, 0));
  await settled();
  expect([given.taken, late.taken]).toEqual([false, false]);
  left();
  await settled();
  expect([given.taken, late.taken]).toEqual([true, true]);
});

test('the subscriptions of a closed tab can be kept for the next one', async () => {
  const { registry, calls, sink } = scripted();
  const a = tab(registry.attach());
  await a.connect();
  const b = tab(registry.attach());
  const second = await b.connect({ whenTabCloses: 'keep' });
  await second.subscribe([...subscription('b'), ...subscription('gone')]);
  const state = follow(sink().onBatch(owed('b', 'b'), 2, 0));
  calls.length = 0;
  b.port.leave();
  const later = follow(sink().onBatch(owed('b'), 1, 0));
  sink().onEvent({ type: 'connect', connack });
  await settled();
  expect([calls, state.taken, later.taken]).toEqual([[], false, false]);

  const c = tab(registry.attach());
  const third = await c.connect({ whenTabCloses: 'keep' });
  await third.subscribe(subscription('b'));
  for (let n = 0; n < 2; n++) {
    c.take();
    await settled();
  }
  expect([c.topics(), state.taken, later.taken]).toEqual([['b', 'b', 'b'], true, true]);
  // An explicit unsubscribe is sent to the broker.
  calls.length = 0;
  await third.unsubscribe(['b', 'gone']);
  expect(calls).toEqual([['unsubscribe', ['b', 'gone'], undefined]]);
});

test('a client in the background is a member at once, and gets the events of every attempt', async () => {
  const { registry, sink, connects, answer } = scripted(true);
  const a = tab(registry.attach());
  void a.connect({ background: true });
  await settled();
  expect(connects[0]).toMatchObject({ background: true });
  sink().onEvent({ type: 'error', error: { code: 'network', message: 'no' } });
  expect(a.events).toEqual(['error']);
  answer();
  await settled();
  expect(a.events).toEqual(['error', 'connect']);
});

test('a copy for one subscription goes to the tabs that have it', async () => {
  const { sink, a, b, first, second } = await twoTabs();
  await first.subscribe([{ topic: 'a/#', qos: 0, identifier: 1 }]);
  await second.subscribe([
    { topic: 'a/b', qos: 0, identifier: 2 },
    { topic: '+/b', qos: 0, identifier: 3 },
  ]);
  const copy = (...subscriptionIdentifier: number[]) =>
    encodeBatch([{ topic: 'a/b', qos: 1, properties: { subscriptionIdentifier } }]);
  const got = async (buffer: ArrayBuffer) => {
    sink().onBatch(buffer, 1, 0);
    const counts = [a.topics().length, b.topics().length];
    a.batches.length = b.batches.length = 0;
    a.take();
    b.take();
    await settled();
    return counts;
  };
  expect(await got(copy(1))).toEqual([1, 0]);
  expect(await got(copy(3))).toEqual([0, 1]);
  expect(await got(copy(2, 1))).toEqual([1, 1]);
  expect(await got(copy(4))).toEqual([1, 1]);
  expect(await got(owed('a/b'))).toEqual([1, 1]);
});
