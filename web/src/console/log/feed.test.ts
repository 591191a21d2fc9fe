import { afterEach, describe, expect, it, vi } from 'vitest';
import { limits } from '../core/limits';
import { overhead } from './entry';
import { MiB, made, message, messages, via } from './testing-feed';

it('updates the view once for any number of batches', () => {
  const { feed, frames, frame } = made();
  const before = feed.view.value;
  for (let i = 0; i < 50; i++) feed.push(messages(20), 0, via);
  expect(feed.view.value).toBe(before);
  expect(frames).toHaveLength(1);
  frame();
  expect(feed.view.value).toMatchObject({ received: 1000, kept: 1000, bytes: 1000 * (10 + overhead) });
});

it('stays within its time budget per frame', async () => {
  const { feed, frame, settle } = made();
  feed.push(messages(10_000), 0, via);
  frame();
  const { end, looked } = feed.view.value;
  expect(end).toBeGreaterThan(0);
  expect(end).toBeLessThan(1000);
  expect(looked).toBeCloseTo(end / 10_000);
  await settle();
  expect(feed.view.value).toMatchObject({ first: 0, end: 10_000, looked: 1 });
});

it('accounts for every message', () => {
  const { feed, frame } = made(100);
  feed.push(messages(250), 7, via);
  feed.push([], 3, via);
  frame();
  const { kept, received, evicted, dropped } = feed.view.value;
  expect({ kept, received, evicted, dropped }).toEqual({
    kept: 100,
    received: 250,
    evicted: 150,
    dropped: 10,
  });
});

it('clearing empties the list and does not count as eviction', () => {
  const { feed, frame } = made(10);
  feed.push(messages(15), 0, via);
  feed.clear();
  expect(feed.view.value).toMatchObject({ kept: 0, bytes: 0, received: 15, evicted: 5 });
  feed.push(messages(12), 0, via);
  frame();
  expect(feed.view.value).toMatchObject({ received: 27, evicted: 7 });
});

describe('the budget', () => {
  const key = 'mqttwasm.feed.bytes';
  function storing(stored: Record<string, string>): void {
    vi.stubGlobal('localStorage', {
      getItem: (name: string) => stored[name] ?? null,
      setItem: (name: string, value: string) => {
        stored[name] = value;
      },
    });
  }
  afterEach(() => {
    vi.unstubAllGlobals();
  });

  it('covers the browser’s overhead too', () => {
    const { feed, frame } = made();
    feed.resize(8 * MiB);
    feed.push(messages(30, MiB - overhead), 0, via);
    frame();
    expect(feed.view.value).toMatchObject({ kept: 8, bytes: 8 * MiB, evicted: 22 });
  });

  it('is reduced at once, and remembered', () => {
    storing({});
    const { feed } = made();
    feed.push(messages(20, MiB), 0, via);
    feed.resize(16 * MiB);
    expect(feed.view.value).toMatchObject({ kept: 15, evicted: 5 });
    expect(made().feed.budget.value).toBe(16 * MiB);
  });

  it.each(['', '7', 'NaN', '1e99', '-8388608'])('falls back to the default if %j is stored', (value) => {
    storing({ [key]: value });
    expect(made().feed.budget.value).toBe(32 * MiB);
  });
});

it('keeps the open message when it is evicted', () => {
  const { feed } = made(2);
  const first = message();
  feed.push([first], 0, via);
  feed.select(0);
  feed.push(messages(5), 0, via);
  expect(feed.get(0)).toBeUndefined();
  expect(feed.open.value).toMatchObject({ number: 0, entry: { message: first } });
  feed.select(undefined);
  expect(feed.open.value).toBeUndefined();
  feed.select(0);
  expect(feed.open.value).toBeUndefined();
});

describe('paused', () => {
  it('stands still, counts waiting messages, and then shows them', () => {
    const { feed, frame } = made();
    feed.push(messages(3), 0, via);
    feed.pause(true);
    expect(feed.view.value).toMatchObject({ end: 3, waiting: 0 });
    feed.push(messages(4), 0, via);
    frame();
    expect(feed.view.value).toMatchObject({ end: 3, waiting: 4, received: 7, kept: 7 });
    feed.pause(false);
    expect(feed.view.value).toMatchObject({ end: 7, waiting: 0 });
  });

  it('stays within its limits, and counts only what it keeps', () => {
    const { feed, frame } = made(10);
    feed.push(messages(5), 0, via);
    feed.pause(true);
    feed.push(messages(50), 0, via);
    frame();
    expect(feed.view.value).toMatchObject({ kept: 10, waiting: 10, evicted: 45 });
    const { first, end } = feed.view.value;
    expect(end - first).toBe(0);
  });

  it('can be cleared', () => {
    const { feed, frame } = made();
    feed.pause(true);
    feed.push(messages(5), 0, via);
    feed.clear();
    expect(feed.view.value).toMatchObject({ kept: 0, waiting: 0 });
    feed.push(messages(2), 0, via);
    frame();
    expect(feed.view.value).toMatchObject({ kept: 2, waiting: 2 });
  });
});

it('numbers sent messages separately, and marks those that failed to be sent', async () => {
  const { feed, settle } = made();
  feed.push(messages(1), 0, via);
  feed.enter(message(), via);
  const fail = feed.enter(message(), via);
  feed.push(messages(1), 0, via);
  fail();
  feed.edit({ direction: 'both' });
  await settle();
  expect(feed.listed().map(({ sent, ordinal, unsent }) => [sent, ordinal, unsent])).toEqual([
    [false, 0, undefined],
    [true, 0, undefined],
    [true, 1, true],
    [false, 1, undefined],
  ]);
  expect(feed.view.value.received).toBe(2);
});

it('measures the rate over three seconds and stops when no messages arrive', () => {
  const { feed, pass, timers } = made();
  const rates: number[] = [];
  for (const count of [300, 600, 300, 0, 0, 0]) {
    if (count) feed.push(messages(count), 0, via);
    pass(1000);
    rates.push(feed.rate.value);
  }
  expect(rates).toEqual([300, 450, 400, 300, 100, 0]);
  expect(timers).toHaveLength(0);
  feed.push(messages(5), 0, via);
  feed.push(messages(5), 0, via);
  pass(1000);
  expect(feed.rate.value).toBe(10);
});

it('passes received and sent messages to its watcher, and does not count a replay', async () => {
  const { feed, settle } = made();
  const heard: string[] = [];
  feed.watch(({ message: { topic }, sent }) => heard.push(`${topic} ${sent}`));
  feed.push([message({ topic: 'in' })], 0, via);
  feed.enter(message({ topic: 'out' }), via);
  const then = { message: message({ topic: 'then' }), via: { id: 0, name: 'old' }, sent: false, ordinal: 0 };
  feed.replay([{ ...then, size: 10, replayed: true }]);
  feed.watch(undefined);
  feed.push([message({ topic: 'later' })], 0, via);
  await settle();
  expect(heard).toEqual(['in false', 'out true']);
  expect(feed.view.value).toMatchObject({ received: 2, kept: 4 });
  expect(feed.listed().map(({ message: { topic } }) => topic)).toEqual(['in', 'then', 'later']);
  expect(feed.names.value).toContain('old');
});

it('names in a huge recording are listed up to a limit, in one pass, and leave room for others', async () => {
  const { feed, settle } = made();
  let changes = 0;
  feed.names.subscribe(() => changes++);
  const entries = Array.from({ length: 20_000 }, (_, id) => ({
    message: message(),
    via: { id, name: `old ${id}` },
    sent: false,
    ordinal: 0,
    size: 10,
  }));
  feed.replay(entries);
  await settle();
  expect(feed.names.value).toHaveLength(limits.connections);
  expect(feed.moreNames.value).toBe(true);
  expect(changes).toBe(2);
  feed.join({ id: 1, name: 'live' });
  feed.join({ id: 1, name: 'live' });
  expect(feed.names.value.slice(-2)).toEqual([`old ${limits.connections - 1}`, 'live']);
});

it('while hidden it does not change, except for counts shown elsewhere', () => {
  const { feed, shown, pass } = made();
  shown.value = false;
  const before = feed.view.value;
  for (let i = 0; i < 3; i++) {
    feed.push(messages(1000), 0, via);
    pass(1000);
  }
  expect(feed.view.value).toBe(before);
  expect(feed.total.value).toBe(3000);
  expect(feed.figures()).toMatchObject({ received: 3000, kept: 3000 });
  expect([...feed.kept()]).toHaveLength(3000);
});
