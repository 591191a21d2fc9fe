import { expect, it } from 'vitest';
import type { Message } from '../../client';
import { createFeed } from './store';

function made(caps?: { messages: number; bytes: number }) {
  const frames: (() => void)[] = [];
  const seconds: (() => void)[] = [];
  const feed = createFeed({ frame: (call) => frames.push(call), second: (call) => seconds.push(call) }, caps);
  function run(queue: (() => void)[]) {
    for (const call of queue.splice(0)) call();
  }
  return { feed, frames, seconds, frame: () => run(frames), second: () => run(seconds) };
}

const messages = (count: number, size = 10) => Array.from({ length: count }, () => ({ size }) as Message);

it('renders once a frame, however many batches come', () => {
  const { feed, frames, frame } = made();
  const before = feed.view.value;
  for (let i = 0; i < 50; i++) feed.push(messages(20), 0);
  expect(feed.view.value).toBe(before);
  expect(frames).toHaveLength(1);
  frame();
  expect(feed.view.value).toMatchObject({ first: 0, end: 1000, received: 1000, bytes: 10_000 });
  feed.push(messages(1), 0);
  expect(frames).toHaveLength(1);
});

it('accounts for every message', () => {
  const { feed, frame } = made({ messages: 100, bytes: 1e6 });
  feed.push(messages(250), 7);
  feed.push([], 3);
  frame();
  const { first, end, received, evicted, dropped } = feed.view.value;
  expect({ kept: end - first, received, evicted, dropped }).toEqual({
    kept: 100,
    received: 250,
    evicted: 150,
    dropped: 10,
  });
});

it('keeps within its bytes', () => {
  const { feed, frame } = made({ messages: 1000, bytes: 1000 });
  feed.push(messages(30, 300), 0);
  frame();
  expect(feed.view.value).toMatchObject({ first: 27, end: 30, bytes: 900, evicted: 27 });
});

it('clearing empties the list and is not eviction', () => {
  const { feed, frame } = made({ messages: 10, bytes: 1e6 });
  feed.push(messages(15), 0);
  feed.clear();
  expect(feed.view.value).toMatchObject({ first: 15, end: 15, bytes: 0, received: 15, evicted: 5 });
  feed.push(messages(12), 0);
  frame();
  expect(feed.view.value).toMatchObject({ received: 27, evicted: 7 });
});

it('keeps the open message when the feed moves on', () => {
  const { feed } = made({ messages: 2, bytes: 1e6 });
  const [first] = messages(1);
  feed.push([first as Message], 0);
  feed.select(0);
  feed.push(messages(5), 0);
  expect(feed.get(0)).toBeUndefined();
  expect(feed.open.value).toEqual({ number: 0, message: first });
  feed.select(undefined);
  expect(feed.open.value).toBeUndefined();
  feed.select(0);
  expect(feed.open.value).toBeUndefined();
});

it('measures the rate over three seconds and rests when nothing comes', () => {
  const { feed, seconds, second } = made();
  const rates: number[] = [];
  for (const count of [300, 600, 300, 0, 0, 0]) {
    if (count) feed.push(messages(count), 0);
    second();
    rates.push(feed.rate.value);
  }
  expect(rates).toEqual([300, 450, 400, 300, 100, 0]);
  expect(seconds).toHaveLength(0);
  feed.push(messages(5), 0);
  feed.push(messages(5), 0);
  expect(seconds).toHaveLength(1);
  second();
  expect(feed.rate.value).toBe(10);
});
