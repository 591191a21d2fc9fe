import { expect, test } from 'vitest';
import { readAcks } from '../../client/transport/publish-batch';
import type { ClientEvent, OnSettled, SubscribeAck } from '../../protocol/boundary';
import { lastWait } from './connection';
import { createRegistry, type Port } from './registry';
import { batch, connack, publishes, scripted, settled, subscription, tab, twoTabs } from './testing';

test('tabs with the same options share one connection, and each gets connect', async () => {
  const { connects, a, b } = await twoTabs();
  expect(connects).toHaveLength(1);
  expect([a.events, b.events]).toEqual([['connect'], ['connect']]);
});

test('publishes of each tab are passed on unchanged, until the tab has left', async () => {
  const { calls, a, first, second } = await twoTabs();
  const records = publishes('t');
  const told: string[] = [];
  await first.publishAll(records, 1, () => told.push('first'));
  await second.publishAll(records, 1, () => told.push('second'));
  const published = Array.from({ length: 2 }, () => ['publishAll', records, 1, expect.any(Function)]);
  expect(calls).toEqual(published);
  for (const [, , , onSettled] of calls) (onSettled as OnSettled)(new ArrayBuffer(0), []);
  expect(told).toEqual(['first', 'second']);
  a.port.leave();
  await expect(first.publishAll(records, 2, () => {})).rejects.toMatchObject({ code: 'not-connected' });
  expect(calls.filter(([name]) => name === 'publishAll')).toEqual(published);
});

test('another clientId or url uses another connection', async () => {
  const { connects, a } = await twoTabs();
  await a.connect({ clientId: 'other' });
  await a.connect({ url: 'ws://other.test/' });
  expect(connects).toHaveLength(3);
});

test.each([
  ['keepalive', { keepalive: 5 }],
  ['properties.receiveMaximum', { properties: { receiveMaximum: 5 } }],
  ['password', { password: new Uint8Array([1]) }],
  ['authenticate', { onAuthenticate: async () => undefined }],
])('a different %s is refused by name', async (field, options) => {
  const { b } = await twoTabs();
  await expect(b.connect(options)).rejects.toMatchObject({ code: 'bad-option', field });
});

test('equal bytes are equal, and empty properties count as none', async () => {
  const { registry, connects } = scripted();
  await tab(registry.attach()).connect({ password: new Uint8Array([1, 2]), properties: {} });
  await tab(registry.attach()).connect({ password: new Uint8Array([1, 2]) });
  expect(connects).toHaveLength(1);
});

test('a tab that leaves while connecting does not abort it for the others', async () => {
  const { registry, connects, answer } = scripted(true);
  const a = tab(registry.attach());
  const b = tab(registry.attach());
  const first = a.connect();
  const second = b.connect();
  first.catch(() => {});
  await settled();
  a.port.leave();
  expect(connects[0]?.signal?.aborted).toBe(false);
  answer();
  await second;
  expect(b.events).toEqual(['connect']);
});

test('when all tabs give up the attempt is aborted, and the next tab starts its own', async () => {
  const { registry, connects, answer } = scripted(true);
  const controller = new AbortController();
  const first = tab(registry.attach()).connect({ signal: controller.signal });
  await settled();
  controller.abort();
  await expect(first).rejects.toMatchObject({ code: 'aborted' });
  const second = tab(registry.attach()).connect();
  await settled();
  expect(connects.map(({ signal }) => signal?.aborted)).toEqual([true, false]);
  answer();
  await second;
});

test('a new tab wakes a reconnecting connection, and waits for it', async () => {
  const { registry, sink, calls } = scripted();
  await tab(registry.attach()).connect();
  sink().onEvent({ type: 'close' });
  sink().onEvent({ type: 'reconnect', attempt: 1, delay: 1000 });
  const b = tab(registry.attach());
  const joining = b.connect();
  await settled();
  expect(calls).toEqual([['wake', undefined]]);
  expect(b.events).toEqual([]);
  sink().onEvent({ type: 'connect', connack });
  await joining;
  expect(b.events).toEqual(['connect']);
});

test('a new tab waits for a reconnect no longer than for an attempt', async () => {
  const { registry, sink } = scripted();
  await tab(registry.attach()).connect({ connectTimeout: 1 });
  sink().onEvent({ type: 'close' });
  const joining = tab(registry.attach()).connect({ connectTimeout: 1 });
  await expect(joining).rejects.toMatchObject({ code: 'timeout' });
});

test('an end while a new tab waits is its error', async () => {
  const { registry, sink } = scripted();
  await tab(registry.attach()).connect();
  sink().onEvent({ type: 'close' });
  const joining = tab(registry.attach()).connect();
  joining.catch(() => {});
  await settled();
  sink().onEvent({ type: 'end', error: { code: 'refused', message: 'no' } });
  await expect(joining).rejects.toMatchObject({ code: 'refused' });
});

test('each subscribe is sent with the options that all tabs need, and only the last unsubscribe', async () => {
  const { calls, first, second } = await twoTabs();
  await first.subscribe([{ topic: 'x', qos: 2, nl: true }]);
  await second.subscribe([{ topic: 'x', qos: 1, rap: true, rh: 0 }]);
  expect(calls.map(([, list]) => list)).toEqual([
    [{ topic: 'x', qos: 2, nl: true }],
    [{ topic: 'x', qos: 2, rap: true, rh: 0 }],
  ]);
  calls.length = 0;
  expect(await first.unsubscribe(['x'])).toEqual({ reasonCodes: [0] });
  expect(calls).toEqual([]);
  await second.unsubscribe(['x']);
  expect(calls).toEqual([['unsubscribe', ['x'], undefined]]);
});

test('a failed subscribe leaves nothing, and a filter that another tab has left meanwhile is unsubscribed', async () => {
  const { calls, answers, sink, a, b, first, second } = await twoTabs();
  await first.subscribe(subscription('x'));
  let refuse = (_: SubscribeAck): void => {};
  answers.subscribe = () => new Promise((resolve) => (refuse = resolve));
  const asking = second.subscribe(subscription('x'));
  await first.unsubscribe(['x']);
  refuse({ reasonCodes: [0x87] });
  await asking;
  expect(calls.at(-1)).toEqual(['unsubscribe', ['x'], undefined]);
  sink().onBatch(batch('x'), 1, 0);
  answers.subscribe = () => Promise.reject({ code: 'timeout', message: 'no answer' });
  await expect(second.subscribe(subscription('y'))).rejects.toMatchObject({ code: 'timeout' });
  sink().onBatch(batch('y'), 1, 0);
  expect([a.batches, b.batches]).toEqual([[], []]);
});

test('each tab gets the messages of its own filters, in order, and all get the dropped count', async () => {
  const { sink, a, b, first, second } = await twoTabs();
  await first.subscribe([...subscription('#')]);
  await second.subscribe([...subscription('b/+')]);
  const buffer = batch('a', 'b/1', 'c', 'b/2');
  const consumed = sink().onBatch(buffer, 4, 0);
  a.take();
  b.take();
  await consumed;
  sink().onBatch(batch('c'), 1, 3);
  expect(a.batches).toEqual([['a', 'b/1', 'c', 'b/2'], ['c']]);
  expect(b.batches).toEqual([['b/1', 'b/2'], []]);
  expect([a.dropped(), b.dropped()]).toEqual([3, 3]);
});

test('two tabs that get a whole batch never share the buffer', async () => {
  const { sink, registry } = await twoTabs();
  const got: ArrayBuffer[] = [];
  for (let taker = 0; taker < 2; taker++) {
    const client = await tab(registry.attach()).connect({
      onBatch: (buffer) => {
        got.push(buffer);
        return undefined;
      },
    });
    await client.subscribe(subscription('#'));
  }
  const whole = batch('a', 'b');
  sink().onBatch(whole, 2, 0);
  const [first, second] = got as [ArrayBuffer, ArrayBuffer];
  expect(first).toBe(whole);
  // Each buffer is transferred to its page, so it can't be used twice.
  expect(second).not.toBe(first);
  expect(second).toEqual(first);
});

test('the buffer is not copied for a single tab that gets the whole batch', async () => {
  const { sink, registry } = await twoTabs();
  const got: ArrayBuffer[] = [];
  const third = await tab(registry.attach()).connect({
    onBatch: (buffer) => {
      got.push(buffer);
      return undefined;
    },
  });
  await third.subscribe(subscription('#'));
  const whole = batch('a', 'b');
  sink().onBatch(whole, 2, 0);
  expect(got[0]).toBe(whole);
});

test.each<[string, (port: Port) => void]>([
  ['taken it', () => {}],
  ['left', (port) => port.leave()],
])('a batch is consumed when all tabs have taken it, or %s', async (how, act) => {
  const { sink, a, b, first, second } = await twoTabs();
  await first.subscribe(subscription('x'));
  await second.subscribe(subscription('x'));
  let consumed = false;
  const all = sink()
    .onBatch(batch('x'), 1, 0)
    ?.then(() => {
      consumed = true;
    });
  a.take();
  await settled();
  expect(consumed).toBe(false);
  if (how === 'taken it') b.take();
  else act(b.port);
  await all;
  expect(consumed).toBe(true);
});

test('a frozen tab gets nothing; resumed, it gets the state and the number of QoS 0 messages missed', async () => {
  const { sink, b, second } = await twoTabs();
  await second.subscribe(subscription('x'));
  b.port.freeze();
  expect(sink().onBatch(batch('x'), 1, 0)).toBeUndefined();
  sink().onEvent({ type: 'close' });
  sink().onEvent({ type: 'reconnect', attempt: 1, delay: 5 });
  b.port.thaw();
  expect(b.batches).toEqual([[]]);
  expect(b.dropped()).toBe(1);
  expect(b.events).toEqual(['connect', 'close', 'reconnect']);
  b.port.freeze();
  b.port.thaw();
  expect(b.events).toHaveLength(3);
});

test('a connection is suspended only while all its tabs are frozen', async () => {
  const { calls, registry, a, b } = await twoTabs();
  a.port.freeze();
  expect(calls).toEqual([]);
  b.port.freeze();
  expect(calls.map(([name]) => name)).toEqual(['suspend']);
  await tab(registry.attach()).connect();
  expect(calls.map(([name]) => name)).toEqual(['suspend', 'resume']);
});

test('a tab that disconnects ends alone, and unsubscribes filters only it had', async () => {
  const { calls, a, b, first, second } = await twoTabs();
  await first.subscribe([...subscription('mine'), ...subscription('ours')]);
  await second.subscribe(subscription('ours'));
  calls.length = 0;
  await first.disconnect();
  expect(calls).toEqual([['unsubscribe', ['mine'], undefined]]);
  expect([a.events, b.events]).toEqual([['connect', 'end'], ['connect']]);
  await expect(first.publish('t', new Uint8Array())).rejects.toMatchObject({ code: 'not-connected' });
  await second.disconnect({ reasonCode: 0 });
  expect(calls.at(-1)).toEqual(['disconnect', { reasonCode: 0 }]);
  expect(b.events).toEqual(['connect', 'end']);
});

test('pending calls of an ending tab are rejected, after its publishes have settled', async () => {
  const { sink, answers, a, first, b } = await twoTabs();
  const forever = () => new Promise<never>(() => {});
  answers.publish = answers.subscribe = answers.request = forever;
  const told: unknown[] = [];
  const onSettled: OnSettled = (acks, others) => told.push(acks.byteLength / 9, others);
  void first.publishAll(publishes('1', '2'), 7, onSettled);
  const calls = [
    first.publish('large', new Uint8Array()),
    first.subscribe(subscription('x')),
    first.request('r', new Uint8Array()),
  ];
  const outcomes = Promise.allSettled(calls);
  const ending = first.disconnect();
  await settled();
  expect(a.events).toEqual(['connect']);
  // Nothing is pending any more.
  sink().onEvent({ type: 'close' });
  await ending;
  const refused = expect.objectContaining({ code: 'not-connected' });
  expect(await outcomes).toEqual(calls.map(() => ({ status: 'rejected', reason: refused })));
  expect(told).toEqual([
    0,
    [
      { id: 7, error: refused },
      { id: 8, error: refused },
    ],
  ]);
  expect([a.events, b.events]).toEqual([
    ['connect', 'close', 'end'],
    ['connect', 'close'],
  ]);
});

test.each<[string, object]>([
  ['acknowledged', {}],
  ['overdue', { timeout: 5 }],
  ['not waited for', { force: true }],
])('messages of a disconnecting tab are %s', async (how, call) => {
  const { calls, a, first, second } = await twoTabs();
  const told: number[] = [];
  const onSettled: OnSettled = (acks, others) => {
    readAcks(acks, (id) => told.push(id));
    for (const { id, error } of others) told.push(error ? -id : id);
  };
  void first.publishAll(publishes('1'), 1, onSettled);
  void first.publishAll(publishes('2'), 2, onSettled);
  await settled();
  const reports = calls.filter(([name]) => name === 'publishAll').map((all) => all[3] as OnSettled);
  expect(reports[1]).toBe(reports[0]);
  reports[0]?.(new ArrayBuffer(0), [{ id: 1, ack: { reasonCode: 0x10 } }]);
  const ending = first.disconnect(call);
  await settled();
  if (how === 'acknowledged') {
    expect(a.events).toEqual(['connect']);
    const acks = new ArrayBuffer(9);
    new DataView(acks).setFloat64(0, 2, true);
    reports[0]?.(acks, []);
  }
  await ending;
  expect([told, a.events]).toEqual([how === 'acknowledged' ? [1, 2] : [1, -2], ['connect', 'end']]);
  await second.disconnect();
});

test('a failed unsubscribe is repeated at the next connection', async () => {
  const { calls, answers, sink, b, second } = await twoTabs();
  await second.subscribe(subscription('x'));
  const { unsubscribe } = answers;
  answers.unsubscribe = () => Promise.reject({ code: 'not-connected', message: 'no' });
  b.port.leave();
  await settled();
  answers.unsubscribe = unsubscribe;
  calls.length = 0;
  sink().onEvent({ type: 'connect', connack });
  await settled();
  expect(calls).toEqual([['unsubscribe', ['x'], undefined]]);
  sink().onEvent({ type: 'connect', connack });
  await settled();
  expect(calls).toHaveLength(1);
});

test('when the last tab dies the broker publishes the will', async () => {
  const { calls, a, b } = await twoTabs();
  a.port.leave();
  b.port.leave();
  expect(calls).toEqual([['disconnect', { reasonCode: 4, timeout: lastWait }]]);
});

test('a reloaded tab waits a moment for messages in flight, and no longer', async () => {
  const { registry, calls, connects, answers } = scripted();
  const a = tab(registry.attach());
  await a.connect();
  let late = (_: object): void => {};
  answers.disconnect = () => new Promise((_, reject) => (late = reject));
  a.port.leave();
  const coming = tab(registry.attach()).connect();
  await settled();
  expect(connects).toHaveLength(1);
  answers.disconnect = async () => {};
  late({ code: 'timeout', message: 'late' });
  await coming;
  expect(connects).toHaveLength(2);
  expect(calls.map(([, call]) => call)).toEqual([{ reasonCode: 4, timeout: lastWait }, { force: true }]);
});

test('a tab that connects while the last one leaves waits, and gets a new connection', async () => {
  const { registry, connects, answers } = scripted();
  let left = (): void => {};
  answers.disconnect = () => new Promise((resolve) => (left = resolve));
  const leaving = (await tab(registry.attach()).connect()).disconnect();
  const [b, c] = [tab(registry.attach()), tab(registry.attach())];
  const coming = [b.connect(), c.connect()];
  await settled();
  expect(connects).toHaveLength(1);
  left();
  await Promise.all([leaving, ...coming]);
  expect(connects).toHaveLength(2);
});

test('a client in the background whose connection fails ends with the reason', async () => {
  const error = { code: 'storage', message: 'no' };
  const { attach } = createRegistry({ connect: () => Promise.reject(error) });
  const events: ClientEvent[] = [];
  const coming = tab(attach()).connect({ background: true, onEvent: (event) => events.push(event) });
  await expect(coming).rejects.toBe(error);
  expect(events).toEqual([{ type: 'end', error }]);
});
