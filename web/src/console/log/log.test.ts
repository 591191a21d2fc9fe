import { expect, it, vi } from 'vitest';
import { createLog } from './log';
import { fakeTiming } from './testing';

interface Entry {
  size: number;
  text: string;
}

const noFilter = { search: '' };

function made(most = 1000, bytes = 10_000) {
  const time = fakeTiming();
  const look = vi.fn((entry: Entry, search: string) => entry.text.includes(search));
  const log = createLog({
    ...time,
    most,
    bytes,
    filter: noFilter,
    select: ({ search }: typeof noFilter) =>
      search === '('
        ? { errors: { search: () => 'wrong' } }
        : { selection: { test: (entry: Entry) => look(entry, search) } },
    counts: () => ({}),
  });
  const views: object[] = [];
  log.view.subscribe((view) => views.push(view));
  views.length = 0;
  function push(...texts: string[]): void {
    for (const text of texts) log.push({ size: 1, text });
    log.show();
  }
  return { ...time, log, look, views, push };
}

const many = (count: number) => Array.from({ length: count }, (_, index) => `${index}`);

it('shows a change after a pause with the next frame, and a flood four times a second', () => {
  const { push, frame, frames, pass, views, log } = made();
  push('first');
  expect(views).toHaveLength(0);
  frame();
  expect(views).toHaveLength(1);
  for (let milliseconds = 0; milliseconds < 1000; milliseconds += 10) {
    push(...many(5));
    pass(9); // plus one for reading the clock
  }
  expect(views.length).toBeGreaterThanOrEqual(4);
  expect(views.length).toBeLessThanOrEqual(5);
  pass(250);
  expect(log.view.value.end).toBe(501);
  views.length = 0;
  pass(10_000);
  expect(views).toHaveLength(0);
  expect(frames).toHaveLength(0);
});

it('does not update while hidden, and shows everything at once when shown again', () => {
  const { push, pass, frames, timers, views, look, log, shown } = made();
  push('a');
  shown.value = false;
  pass(250);
  push(...many(500));
  pass(250);
  expect([views.length, look.mock.calls.length, frames.length, timers.length]).toEqual([0, 0, 0, 0]);
  expect([...log.kept()]).toHaveLength(501);
  shown.value = true;
  pass(250);
  expect(log.view.value).toMatchObject({ end: 501, kept: 501, looked: 1 });
});

it('shows the result of a filter at once, even during a flood', () => {
  const { push, frame, log } = made();
  push('a', 'b');
  frame();
  push('ab');
  log.edit({ search: 'a' });
  expect(log.listed().map(({ text }) => text)).toEqual(['a', 'ab']);
  expect(log.at(1)).toEqual({ number: 2, entry: { size: 1, text: 'ab' } });
  expect(log.view.value).toMatchObject({ first: 0, end: 2, generation: 1 });
});

it('goes on searching with each frame, even if the view does not change', () => {
  const { push, frame, log } = made(5000, 50_000);
  push(...many(5000));
  log.edit({ search: '9' });
  const { looked } = log.view.value;
  expect(looked).toBeLessThan(1);
  frame();
  frame();
  frame();
  expect(log.listed().length).toBeGreaterThan(log.view.value.end - log.view.value.first);
});

it('evicts for entries that grow, and forgets their matches', () => {
  const { push, log, pass } = made(10, 5);
  push(...many(5));
  pass(250);
  log.grow(4, 2);
  log.show();
  pass(250);
  expect([...log.kept()].map(({ text }) => text)).toEqual(['2', '3', '4']);
  expect(log.view.value).toMatchObject({ first: 2, end: 5, bytes: 5, evicted: 2 });
  log.grow(0, 100); // evicted by now
  expect(log.listed()).toHaveLength(3);
});

it('keeps its list while there is an error in the filter', () => {
  const { push, log } = made();
  push('a');
  log.edit({ search: '(' });
  expect(log.filterErrors.value).toEqual({ search: 'wrong' });
  expect(log.view.value.generation).toBe(0);
});

it('does nothing after it was disposed of', () => {
  const { log, shown, views } = made();
  shown.value = false;
  log.dispose();
  shown.value = true;
  expect(views).toHaveLength(0);
});
