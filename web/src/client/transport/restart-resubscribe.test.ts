/** Resubscribing by the program that follows one that crashed. */

import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { MqttError } from '../errors';
import { client, connectedNow, crash, program } from './testing-restart';

beforeEach(() => {
  vi.useFakeTimers();
  vi.spyOn(Math, 'random').mockReturnValue(0.999_999);
});
afterEach(() => {
  vi.restoreAllMocks();
  vi.useRealTimers();
});

test('a connection lost before resubscribing is not reported, and the next one is', async () => {
  const [first, second] = [program(), program(undefined, 'later')];
  const { link, types } = await client([first, second], { background: true });
  await link.subscribe([{ topic: 'a', qos: 0 }]);
  let fail = (_: object): void => {};
  const { subscribe } = second.link;
  second.link.subscribe = () => new Promise((_, reject) => (fail = reject));
  first.sink().onEvent({ type: 'end', error: crash });
  await vi.advanceTimersByTimeAsync(1000);
  second.sink().onEvent(connectedNow());
  second.sink().onEvent({ type: 'close' });
  second.sink().onEvent({ type: 'reconnect', attempt: 1, delay: 1 });
  second.link.subscribe = subscribe;
  fail(new MqttError('not-connected', 'lost'));
  await vi.advanceTimersByTimeAsync(0);
  expect(types()).toEqual(['connect', 'close', 'reconnect', 'reconnect']);
  second.sink().onEvent(connectedNow());
  await vi.advanceTimersByTimeAsync(0);
  expect(types().at(-1)).toBe('connect');
  expect(second.calls.map(([name]) => name)).toEqual(['subscribe']);
});

test('a failed resubscribe causes another attempt, with back-off', async () => {
  const stubborn = () => {
    const next = program();
    next.link.subscribe = async () => {
      throw new MqttError('timeout', 'no answer');
    };
    return next;
  };
  const [first, second, third, last] = [program(), stubborn(), stubborn(), program()];
  const { link, events } = await client([first, second, third, last]);
  await link.subscribe([{ topic: 'a', qos: 0 }]);
  first.sink().onEvent({ type: 'end', error: crash });
  await vi.runAllTimersAsync();
  second.sink().onEvent({ type: 'end' });
  const told = events.slice(2).map((event) => (event.type === 'reconnect' ? event.delay : event.type));
  expect(told).toEqual([1000, 'error', 2000, 'error', 4000, 'connect']);
  expect(second.calls).toEqual([['disconnect', { force: true }]]);
});

test('a crash before resubscribing, and an end, are reported at once', async () => {
  const programs = [program(), program(), program()];
  const { link, types } = await client(programs);
  await link.subscribe([{ topic: 'a', qos: 0 }]);
  const [first, second, third] = programs as [
    (typeof programs)[0],
    (typeof programs)[0],
    (typeof programs)[0],
  ];
  second.link.subscribe = third.link.subscribe = () => new Promise(() => {});
  first.sink().onEvent({ type: 'end', error: crash });
  await vi.advanceTimersByTimeAsync(1000);
  second.sink().onEvent({ type: 'end', error: crash });
  expect(types()).toEqual(['connect', 'close', 'reconnect', 'reconnect']);
  await vi.advanceTimersByTimeAsync(2000);
  third.sink().onEvent({ type: 'end', error: { code: 'refused', message: 'no' } });
  expect(types()).toEqual(['connect', 'close', 'reconnect', 'reconnect', 'end']);
});

test('a filter refused on resubscribing is an error, and is not requested again', async () => {
  const [first, second, third] = [program(), program(undefined, false, [0x87]), program()];
  const { link, events } = await client([first, second, third]);
  await link.subscribe([{ topic: 'a', qos: 0 }]);
  first.sink().onEvent({ type: 'end', error: crash });
  await vi.runAllTimersAsync();
  expect(events.at(-1)).toMatchObject({ type: 'error', error: { code: 'refused', reasonCode: 0x87 } });
  second.sink().onEvent({ type: 'end', error: crash });
  await vi.runAllTimersAsync();
  expect(third.calls).toEqual([]);
});

test.each<[boolean, boolean, string[]]>([
  [true, false, ['subscribe']],
  [false, false, []],
  [true, true, ['subscribe']],
  [false, true, []],
])(
  'without resubscribing, the session present: %s, in the background: %s',
  async (present, background, calls) => {
    const [first, second] = [program(), program(undefined, background ? 'later' : present)];
    const { link, types } = await client([first, second], { resubscribe: false, background });
    await link.subscribe([{ topic: 'a', qos: 0 }]);
    first.sink().onEvent({ type: 'end', error: crash });
    await vi.runAllTimersAsync();
    if (background) second.sink().onEvent(connectedNow(present));
    await vi.runAllTimersAsync();
    expect(types().at(-1)).toBe('connect');
    expect(second.calls.map(([name]) => name)).toEqual(calls);
  },
);
