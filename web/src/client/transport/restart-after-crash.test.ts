import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { ClientEvent, WireError } from '../../protocol/boundary';
import { MqttError } from '../errors';
import { decodeBatch } from '../message';
import { encodeBatch, encodeBeside } from '../testing';
import { client, connectedNow, crash, program, type Request } from './testing-restart';

beforeEach(() => {
  vi.useFakeTimers();
  vi.spyOn(Math, 'random').mockReturnValue(0.999_999);
});
afterEach(() => {
  vi.restoreAllMocks();
  vi.useRealTimers();
});

test('a crash counts as a lost connection: the next program connects and resubscribes', async () => {
  const [first, second] = [program(), program()];
  const { link, events, types } = await client([first, second]);
  const properties = { subscriptionIdentifier: 3 };
  await link.subscribe([{ topic: 'a', qos: 1 }], { properties, timeout: 5 });
  await link.subscribe([{ topic: 'b', qos: 0 }]);
  await link.unsubscribe(['b']);
  await link.subscribe([{ topic: 'c', qos: 2, nl: true }]);
  first.sink().onEvent({ type: 'end', error: crash });
  expect(events.slice(1)).toEqual([
    { type: 'close', error: crash },
    { type: 'reconnect', attempt: 1, delay: 1000 },
  ]);
  await expect(link.publish('t', new Uint8Array())).rejects.toMatchObject({ code: 'not-connected' });
  await vi.advanceTimersByTimeAsync(999);
  expect(second.sink()).toBeUndefined();
  await vi.advanceTimersByTimeAsync(1);
  expect(types()).toEqual(['connect', 'close', 'reconnect', 'connect']);
  expect(second.sink()).toMatchObject({ url: 'ws://broker.test/mqtt', keepalive: 7 });
  expect(second.calls).toEqual([
    ['subscribe', [{ topic: 'a', qos: 1 }], expect.objectContaining({ properties })],
    ['subscribe', [{ topic: 'c', qos: 2, nl: true }], expect.anything()],
  ]);
  await link.publish('t', new Uint8Array());
  expect(second.calls.at(-1)?.[0]).toBe('publish');
});

test('the next program knows the subscriptions at once, and does not deliver QoS 2 messages twice', async () => {
  const [first, second] = [program(), program()];
  const got: string[] = [];
  const onBatch = (buffer: ArrayBuffer, count: number) => {
    for (const message of decodeBatch(buffer, count)) got.push(message.text());
    return undefined;
  };
  const { link } = await client([first, second], { onBatch });
  await link.subscribe([{ topic: 'a', qos: 2 }]);
  await link.subscribe([{ topic: 'b', qos: 1, nl: true }]);
  await link.subscribe([{ topic: 'c', qos: 1 }]);
  await link.unsubscribe(['c']);
  const message = (text: string, dup: boolean) =>
    encodeBatch([{ topic: 'a', qos: 2, dup, payload: new TextEncoder().encode(text) }]);
  first.sink().onBatch(message('1', false), 1, 0);
  expect(first.sink()).not.toHaveProperty('filters');
  first.sink().onEvent({ type: 'end', error: crash });
  await vi.runAllTimersAsync();
  expect(second.sink().filters).toEqual([
    { topic: 'a', qos: 2 },
    { topic: 'b', qos: 1, nl: true },
  ]);
  second.sink().onBatch(message('1', true), 1, 0);
  second.sink().onBatch(message('2', true), 1, 0);
  expect(got).toEqual(['1', '2']);
});

test('separately transferred payloads come with their batch', async () => {
  const first = program();
  const onBatch = vi.fn(() => undefined);
  await client([first], { onBatch });
  const payload = new Uint8Array(40_000).fill(65);
  const { buffer, payloads } = encodeBeside([{ topic: 'large', qos: 1, payload }]);
  first.sink().onBatch(buffer, 1, 0, payloads);
  expect(onBatch).toHaveBeenCalledWith(buffer, 1, 0, [payload]);
});

test('connect is emitted once everything is resubscribed, and before later events', async () => {
  const [first, second] = [program(), program()];
  const { link, types } = await client([first, second]);
  await link.subscribe([{ topic: 'a', qos: 0 }]);
  let granted = (): void => {};
  second.link.subscribe = () =>
    new Promise((resolve) => {
      granted = () => resolve({ reasonCodes: [0] });
    });
  first.sink().onEvent({ type: 'end', error: crash });
  await vi.advanceTimersByTimeAsync(1000);
  second.sink().onEvent({ type: 'close' });
  second.sink().onEvent({ type: 'reconnect', attempt: 1, delay: 1 });
  expect(types()).toEqual(['connect', 'close', 'reconnect']);
  granted();
  await vi.advanceTimersByTimeAsync(0);
  expect(types().slice(3)).toEqual(['connect', 'close', 'reconnect']);
});

test('failed attempts back off up to the limit', async () => {
  const [first, last] = [program(), program()];
  const busy = () => program(new MqttError('refused', 'busy', { reasonCode: 0x89 }));
  const programs = [first, busy(), program(new MqttError('network', 'no')), busy(), last];
  const { events } = await client(programs, { reconnectPeriod: 100, maxReconnectPeriod: 300 });
  first.sink().onEvent({ type: 'end', error: crash });
  await vi.runAllTimersAsync();
  const delays = events.map((event) => event.type === 'reconnect' && event.delay).filter(Boolean);
  expect(delays).toEqual([100, 200, 300, 300]);
  const codes = events.map((event) => event.type === 'error' && event.error.code).filter(Boolean);
  expect(codes).toEqual(['refused', 'network', 'refused']);
  expect(events.at(-1)?.type).toBe('connect');
});

test('the next program may crash too, any number of times', async () => {
  const programs = [program(), program(), program()];
  const { link, types } = await client(programs);
  await link.subscribe([{ topic: 'a', qos: 0 }]);
  for (const crashing of programs.slice(0, 2)) {
    crashing.sink().onEvent({ type: 'end', error: crash });
    await vi.runAllTimersAsync();
  }
  expect(types()).toEqual(['connect', 'close', 'reconnect', 'connect', 'close', 'reconnect', 'connect']);
  expect(programs[2]?.calls.map(([name]) => name)).toEqual(['subscribe']);
});

test('a crash without a connection emits no close', async () => {
  const [first, second] = [program(), program()];
  const { types } = await client([first, second]);
  first.sink().onEvent({ type: 'close' });
  first.sink().onEvent({ type: 'end', error: crash });
  expect(types()).toEqual(['connect', 'close', 'reconnect']);
});

test.each<[string, MqttError, Partial<Request>, boolean]>([
  ['credentials refused', new MqttError('refused', 'no', { reasonCode: 0x86 }), {}, true],
  [
    'credentials refused, and told to go on',
    new MqttError('refused', 'no', { reasonCode: 0x86 }),
    { reconnectOnConnackError: true },
    false,
  ],
  ['options that another tab does not have', new MqttError('bad-option', 'not the same'), {}, true],
  ['a server that is not there', new MqttError('network', 'no'), {}, false],
])('%s', async (_, error, options, ends) => {
  const first = program();
  const { types } = await client([first, program(error), program()], options);
  first.sink().onEvent({ type: 'end', error: crash });
  await vi.runAllTimersAsync();
  expect(types().slice(3)).toEqual(ends ? ['end'] : ['error', 'reconnect', 'connect']);
});

test.each<[string, ClientEvent, Partial<Request>]>([
  ['the end without a crash', { type: 'end', error: { code: 'refused', message: 'no' } }, {}],
  ['a crash without reconnecting', { type: 'end', error: crash }, { reconnectPeriod: 0 }],
])('%s ends the client', async (_, end, options) => {
  const first = program();
  const { events } = await client([first], options);
  first.sink().onEvent(end);
  expect(events.slice(1)).toEqual([end]);
});

test.each([
  ['in-use', 'another client has used its store'],
  ['storage', 'the browser has closed the database'],
  ['timeout', 'no answer in time'],
])('a client whose store could not be had back is replaced: %s', async (code, message) => {
  const [first, second] = [program(), program()];
  const { link, types, events } = await client([first, second], { store: 'kept' });
  const failed: WireError = { code, message };
  first.link.resume = () => Promise.reject(failed);
  await link.resume();
  first.sink().onEvent({ type: 'end' }); // it was told to leave
  await vi.advanceTimersByTimeAsync(1000);
  expect(types()).toEqual(['connect', 'close', 'reconnect', 'connect']);
  expect(events[1]).toEqual({ type: 'close', error: failed });
  expect(first.calls.at(-1)?.[0]).toBe('disconnect');
  await link.publish('t', new Uint8Array());
  expect(second.calls.at(-1)?.[0]).toBe('publish');
});

test('a client without a store is kept when it is slow to resume', async () => {
  const [first, second] = [program(), program()];
  const { link, types } = await client([first, second]);
  const slow = new MqttError('timeout', 'no answer in time');
  first.link.resume = () => Promise.reject(slow);
  await expect(link.resume()).rejects.toBe(slow);
  await vi.advanceTimersByTimeAsync(1000);
  expect(types()).toEqual(['connect']);
  await link.publish('t', new Uint8Array());
  expect(first.calls.at(-1)?.[0]).toBe('publish');
});

test('a crash during the first connect rejects it', async () => {
  await expect(client([program(new MqttError('crashed', 'gone'))])).rejects.toMatchObject(crash);
});

test('wake attempts to connect at once', async () => {
  const [first, second] = [program(), program()];
  const { link, types } = await client([first, second]);
  await link.wake();
  expect(first.calls).toEqual([['wake', undefined]]);
  first.sink().onEvent({ type: 'end', error: crash });
  await link.wake();
  await vi.advanceTimersByTimeAsync(0);
  expect(types().at(-1)).toBe('connect');
});

test('disconnecting stops it: during the back-off, and during an attempt', async () => {
  const [first, never] = [program(), program()];
  const waiting = await client([first, never]);
  first.sink().onEvent({ type: 'end', error: crash });
  await waiting.link.disconnect();
  await vi.runAllTimersAsync();
  expect(waiting.types()).toEqual(['connect', 'close', 'reconnect', 'end']);
  expect(never.sink()).toBeUndefined();

  const [again, second] = [program(), program()];
  const trying = await client([again, second]);
  await trying.link.subscribe([{ topic: 'a', qos: 0 }]);
  let granted = (): void => {};
  second.link.subscribe = () =>
    new Promise((resolve) => {
      granted = () => resolve({ reasonCodes: [0] });
    });
  second.link.disconnect = async () => second.sink().onEvent({ type: 'end' });
  again.sink().onEvent({ type: 'end', error: crash });
  await vi.advanceTimersByTimeAsync(1000);
  await trying.link.disconnect();
  granted();
  await vi.runAllTimersAsync();
  expect(trying.types()).toEqual(['connect', 'close', 'reconnect', 'end']);

  const [last, late] = [program(), program()];
  const opening = await client([last, late]);
  const { connect } = late.boundary;
  let open = (): void => {};
  late.boundary.connect = async (request) => {
    await new Promise<void>((resolve) => (open = resolve));
    return connect(request);
  };
  last.sink().onEvent({ type: 'end', error: crash });
  await vi.advanceTimersByTimeAsync(1000);
  await opening.link.disconnect();
  open();
  await vi.runAllTimersAsync();
  expect(opening.types()).toEqual(['connect', 'close', 'reconnect', 'end']);
  expect(late.calls).toEqual([['disconnect', { force: true }]]);
});

test('in the background, the next program takes calls before it is connected', async () => {
  const [first, second] = [program(), program(undefined, 'later')];
  const { link, types } = await client([first, second], { background: true });
  await link.subscribe([{ topic: 'a', qos: 1 }]);
  first.sink().onEvent({ type: 'end', error: crash });
  await vi.advanceTimersByTimeAsync(1000);
  await link.publish('t', new Uint8Array(), { qos: 1 });
  second.sink().onEvent({ type: 'error', error: { code: 'network', message: 'no' } });
  second.sink().onEvent({ type: 'reconnect', attempt: 1, delay: 1 });
  await vi.advanceTimersByTimeAsync(60_000);
  expect(second.calls.map(([name]) => name)).toEqual(['publish']);
  second.sink().onEvent(connectedNow());
  expect(types()).toEqual(['connect', 'close', 'reconnect', 'error', 'reconnect']);
  await vi.advanceTimersByTimeAsync(0);
  expect(second.calls.map(([name]) => name)).toEqual(['publish', 'subscribe']);
  expect(types().at(-1)).toBe('connect');
  second.sink().onEvent({ type: 'close' });
  second.sink().onEvent(connectedNow());
  expect(types().slice(-2)).toEqual(['close', 'connect']);
});

test('with an offline queue the next program connects in the background', async () => {
  const [first, second] = [program(), program()];
  await client([first, second], { queue: { offline: true } });
  expect(first.sink()).not.toHaveProperty('background');
  first.sink().onEvent({ type: 'end', error: crash });
  await vi.advanceTimersByTimeAsync(1000);
  expect(second.sink()).toMatchObject({ background: true });
});

test('a crash while disconnecting ends the client', async () => {
  const first = program();
  const { link, types } = await client([first, program()]);
  first.link.disconnect = async () => {
    first.sink().onEvent({ type: 'end', error: crash });
    throw new MqttError('crashed', 'gone');
  };
  await expect(link.disconnect()).rejects.toMatchObject(crash);
  expect(types()).toEqual(['connect', 'end']);
});

test('the next program reports packets if the last one did', async () => {
  const [first, second] = [program(), program()];
  const { link } = await client([first, second]);
  await link.tellPackets({ on: true });
  await link.ping({ timeout: 5 });
  expect(first.calls).toEqual([
    ['tellPackets', { on: true }],
    ['ping', { timeout: 5 }],
  ]);
  first.sink().onEvent({ type: 'end', error: crash });
  await vi.advanceTimersByTimeAsync(1000);
  expect(second.sink()).toMatchObject({ packetEvents: true });
});
