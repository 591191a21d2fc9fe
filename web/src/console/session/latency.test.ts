import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { Client } from '../../client';
import { createLatency, formatRoundTrip, pace, spreadOf } from './latency';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

function page() {
  const document = Object.assign(new EventTarget(), { visibilityState: 'visible' });
  vi.stubGlobal('document', document);
  return document;
}

function pinged(...answers: (number | Error)[]) {
  const client = {
    connected: true,
    ping: vi.fn(async () => {
      const answer = answers.shift() ?? 1;
      if (answer instanceof Error) throw answer;
      return answer;
    }),
  };
  return client as typeof client & Client;
}

test('measures at once, then every five seconds, and records missing responses', async () => {
  page();
  const client = pinged(12, new Error('timeout'), 8);
  const { follow, list } = createLatency();
  const stop = follow(client);
  await vi.advanceTimersByTimeAsync(0);
  expect(list.value).toEqual([12]);
  await vi.advanceTimersByTimeAsync(2 * pace);
  expect(list.value).toEqual([12, undefined, 8]);
  stop();
  await vi.advanceTimersByTimeAsync(2 * pace);
  expect(client.ping).toHaveBeenCalledTimes(3);
});

test('does not measure while the page is hidden', async () => {
  const document = page();
  const client = pinged();
  const { follow } = createLatency();
  const stop = follow(client);
  document.visibilityState = 'hidden';
  await vi.advanceTimersByTimeAsync(3 * pace);
  expect(client.ping).toHaveBeenCalledTimes(1);
  document.visibilityState = 'visible';
  document.dispatchEvent(new Event('visibilitychange'));
  expect(client.ping).toHaveBeenCalledTimes(2);
  stop();
});

test('a new client starts over, and late responses of the old one are ignored', async () => {
  page();
  const { follow, list } = createLatency();
  const [first, second] = [pinged(5), pinged(7)];
  follow(first)();
  const stop = follow(second);
  await vi.advanceTimersByTimeAsync(0);
  expect(list.value).toEqual([7]);
  stop();
});

test('a connection lost meanwhile has no round-trip time', async () => {
  page();
  const client = pinged(new Error('network'));
  const { follow, list } = createLatency();
  const stop = follow(client);
  Object.assign(client, { connected: false });
  await vi.advanceTimersByTimeAsync(0);
  expect(list.value).toEqual([]);
  stop();
});

test.each([
  [0.4, '< 1 ms'],
  [11.6, '12 ms'],
  [1240, '1.2 s'],
])('%d ms reads %s', (took, text) => expect(formatRoundTrip(took)).toBe(text));

test('the spread ignores missing responses', () => {
  expect(spreadOf([undefined])).toBeUndefined();
  expect(spreadOf([10, undefined, 2, 30])).toEqual({ least: 2, median: 10, most: 30 });
  expect(spreadOf([1, 4])).toEqual({ least: 1, median: 2.5, most: 4 });
});
