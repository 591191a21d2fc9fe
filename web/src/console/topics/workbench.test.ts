import { afterEach, expect, it, vi } from 'vitest';
import type { Client } from '../../client';
import { limits } from '../core/limits';
import { tableOf } from './series';
import { clock, made, message } from './testing-workbench';

const { lines: maxSeries, points: maxPoints } = limits.chart;
afterEach(() => {
  vi.useRealTimers();
});

it('a history starts with the feed’s messages, and continues', () => {
  const { bench, push, node } = made();
  push(message('t', '1'), message('u', 'x'), message('t', '2'));
  bench.select(node('t'));
  push(message('t', '3'), message('u', 'y'));
  const texts = () => bench.history.value?.values.map(({ payload }) => new TextDecoder().decode(payload));
  expect(texts()).toEqual(['1', '2', '3']);
  for (let n = 4; n <= limits.history.values + 2; n++) push(message('t', String(n)));
  expect(texts()).toHaveLength(limits.history.values);
  expect(texts()?.at(-1)).toBe(String(limits.history.values + 2));
});

it('keeps truncated long values, and the histories of the topics viewed last', () => {
  const { bench, push, node, topics } = made();
  push(message('long', 'x'.repeat(100_000)));
  bench.select(node('long'));
  expect(bench.history.value?.values[0]).toMatchObject({ size: 100_000, payload: { length: 65_536 } });
  for (let n = 0; n < limits.history.topics; n++) {
    push(message(`t${n}`, '1'));
    bench.select(node(`t${n}`));
  }
  expect(node('long').watchers).toBeUndefined();
  expect(topics.model.topics.filter(({ watchers }) => watchers)).toHaveLength(limits.history.topics);
});

it('closing a branch moves keyboard focus from a row inside to the branch', () => {
  const { bench, push, node } = made();
  push(message('a/b/c', '1'), message('a/b/d', '1'), message('x', '1'));
  bench.select(node('a', 'b', 'c'));
  bench.setOpen([node('a', 'b')], false);
  expect(bench.active.value).toBe(node('a', 'b'));
  expect(bench.selected.value).toBe(node('a', 'b', 'c'));
});

it('keyboard focus survives the split of a closed row', () => {
  const { bench, push, node } = made();
  push(message('a/b/c', '1'), message('a/b/d', '1'));
  bench.select(node('a', 'b'));
  bench.setOpen([node('a', 'b')], false);
  push(message('a/z', '1'));
  expect(bench.rows.value.nodes).toEqual([node('a')]);
  expect(bench.active.value).toBe(node('a'));
  bench.find('nothing of it');
  expect(bench.active.value).toBe(node('a'));
});

it('restores the lines after a reload, each once its topic has a number', () => {
  const { bench, push, node, topics } = made();
  const lines = () => bench.charted.value.map(({ topic, path, values }) => [topic, path, values]);
  topics.pins = [
    ['a', 'v'],
    ['b', ''],
  ];
  bench.restorePins();
  push(message('a', '{"v":1}'), message('b', 'none yet'));
  bench.restorePins();
  expect(lines()).toEqual([['a', 'v', [1]]]);
  push(message('b', '7'), message('a', '{"v":2}'));
  bench.restorePins();
  bench.restorePins();
  expect(lines()).toEqual([
    ['a', 'v', [1, 2]],
    ['b', '', [7]],
  ]);
  expect(topics.pins).toHaveLength(2);

  push(message('c', '5'));
  bench.chart(node('c'), '');
  bench.unchart(bench.charted.value[0]?.id ?? -1);
  expect(topics.pins).toEqual([
    ['b', ''],
    ['c', ''],
  ]);
  bench.forgetAll();
  expect(topics.pins).toEqual([]);
});

it('draws numbers, reports values without one, and limits the number of lines', () => {
  const { bench, push, node } = made();
  push(message('t', '{"a":1,"b":2}'), message('word', 'warm'));
  expect(bench.chart(node('t'), 'a')).toBeUndefined();
  expect(bench.chart(node('t'), 'a')?.()).toMatch(/Already/);
  expect(bench.chart(node('t'), 'a[')?.()).toMatch(/Not a path/);
  expect(bench.chart(node('t'), 'c')?.()).toMatch(/No number/);
  expect(bench.chart(node('word'), '')?.()).toMatch(/not a number/);
  push(message('t', '{"a":5}'), message('t', 'broken'));
  const [series] = bench.charted.value;
  expect(series).toMatchObject({ values: [1, 5], missing: 1, colour: 0 });

  for (let n = 1; n < maxSeries; n++) {
    push(message(`n${n}`, '1'));
    expect(bench.chart(node(`n${n}`), '')).toBeUndefined();
  }
  push(message('one more', '1'));
  expect(bench.chart(node('one more'), '')?.()).toMatch(/takes 8/);
  bench.unchart(series?.id ?? -1);
  expect(bench.chart(node('one more'), '')).toBeUndefined();
  expect(bench.charted.value.at(-1)?.colour).toBe(0);
});

it('a line starts with all that the feed has of its topic, and older values from the history', () => {
  const { bench, push, node, feed } = made();
  const values = () => bench.charted.value[0]?.values;
  push(message('t', '{"a":0}'), message('u', '{"a":-1}'));
  bench.select(node('t'));
  for (let n = 1; n <= 100; n++) push(message('t', `{"a":${n}}`), message('u', '{"a":-1}'));
  bench.chart(node('t'), 'a');
  expect(values()).toEqual(Array.from({ length: 101 }, (_, n) => n));
  bench.unchart(bench.charted.value[0]?.id ?? -1);

  feed.splice(0, feed.length - 4);
  bench.chart(node('t'), 'a');
  push(message('t', '{"a":101}'));
  // The history's values, each once, then the new one.
  expect(values()).toEqual(Array.from({ length: limits.history.values + 1 }, (_, n) => n + 51));
  expect(bench.charted.value[0]?.times).toEqual(bench.charted.value[0]?.times.toSorted((a, b) => a - b));
});

it('a long history is read over several frames, while values continue to arrive', () => {
  const { bench, push, node, frames, tired } = made();
  push(...Array.from({ length: 1000 }, (_, n) => message('t', String(n))));
  tired.by = 1; // a millisecond for each reading of the clock
  bench.chart(node('t'), '');
  const [series] = bench.charted.value;
  const begun = series?.values.length ?? 0;
  expect(begun).toBeGreaterThan(0);
  expect(begun).toBeLessThan(100);
  push(message('t', '1000'));
  for (let rounds = 0; frames.length > 0; rounds++) {
    expect(rounds).toBeLessThan(1000);
    frames.shift()?.();
  }
  expect(series?.values).toEqual(Array.from({ length: 1001 }, (_, n) => n));
});

it('the history of a line is bounded, and reading it stops when the line is removed', () => {
  const { bench, push, node, frames, tired } = made();
  push(...Array.from({ length: maxPoints + 10 }, (_, n) => message('t', String(n))));
  bench.chart(node('t'), '');
  const [first] = bench.charted.value;
  expect(first?.values).toHaveLength(maxPoints);
  expect(first?.values.at(-1)).toBe(maxPoints + 9);
  bench.unchart(first?.id ?? -1);
  tired.by = 1;
  bench.chart(node('t'), '');
  const [second] = bench.charted.value;
  bench.unchart(second?.id ?? -1);
  const left = second?.values.length;
  while (frames.length > 0) frames.shift()?.();
  expect(second?.values).toHaveLength(left ?? -1);
});

it('lines of the same name share a scale', () => {
  const { bench, push, node } = made();
  push(message('a/climate', '{"t":[1,{"temperature":2}]}'), message('b/level', '3'));
  for (const path of ['t[0]', 't[1].temperature']) bench.chart(node('a', 'climate'), path);
  bench.chart(node('b', 'level'), '');
  expect(bench.charted.value.map(({ name }) => name)).toEqual(['t', 'temperature', 'level']);
});

it('all lines together stay within their time budget per second', () => {
  const { bench, push, node, tired } = made();
  push(message('t', '0'), message('u', '0'));
  bench.chart(node('t'), '');
  bench.chart(node('u'), '');
  tired.by = 1;
  push(...Array.from({ length: 100 }, () => [message('t', '1'), message('u', '1')]).flat());
  const read = bench.charted.value.map(({ values, skipped }) => [values.length, skipped]);
  expect(read.reduce((sum, [values = 0]) => sum + values, 0)).toBeLessThan(2 + 50);
  expect(read.every(([values = 0, skipped]) => values + Number(skipped) === 101)).toBe(true);
});

it('reads a limited number of messages a second for a line, and counts the rest', () => {
  const { bench, push, node } = made();
  clock.now = 1000;
  push(message('t', '0'));
  bench.chart(node('t'), '');
  const fast = Array.from({ length: 3000 }, () => message('t', '1', { receivedAt: 1 }));
  clock.now = 2000;
  push(...fast);
  expect(bench.charted.value[0]).toMatchObject({ skipped: 2000 });
  for (let second = 3; second < 15; second++) {
    clock.now = second * 1000;
    push(...Array.from({ length: 1000 }, () => message('t', '1', { receivedAt: 1 })));
    clock.now = second * 1000;
  }
  const length = bench.charted.value[0]?.values.length ?? 0;
  expect(length).toBeGreaterThanOrEqual(maxPoints);
  expect(length).toBeLessThan(maxPoints * 1.1);
});

it('exports one table of lines with their own times', () => {
  expect(
    tableOf([
      { times: [1000, 3000, 3000], values: [1, 2, 3] },
      { times: [2000, 3000], values: [7, 8] },
    ]),
  ).toEqual({
    times: [1, 2, 3],
    columns: [
      [1, null, 3],
      [null, 7, 8],
    ],
    exponent: 0,
  });
});

it.each([
  [[1.79e308, -1.79e308], 308, [1.79, -1.79]],
  [[5e-324, 2e-320], -320, [expect.closeTo(0, 3), expect.closeTo(2, 3)]],
  [[3.4e38, 0], 38, [3.4, 0]],
  [[1e15], 15, [1]],
  [[99e12, 1e-300], 0, [99e12, 1e-300]],
  [[0], 0, [0]],
])('%j are charted as multiples of 10^%i', (values, exponent, divided) => {
  const lines = [{ times: values.map((_, time) => time), values }];
  expect(tableOf(lines)).toMatchObject({ exponent, columns: [divided] });
});

it("another broker's topics start a new tree", () => {
  const { topics, bench, client, push, node } = made();
  topics.onClient(client);
  push(message('t', '1'));
  bench.select(node('t'));
  bench.chart(node('t'), '');
  topics.onClient(client);
  expect(topics.model.nodes).toBe(1);
  topics.onClient({ ...client, url: 'ws://two' } as Client);
  // Even while the tree is not shown.
  expect(bench.charted.value).toEqual([]);
  bench.refresh();
  expect(topics.model.nodes).toBe(0);
  expect([bench.selected.value, bench.charted.value.length, bench.rows.value.nodes.length]).toEqual([
    undefined,
    0,
    0,
  ]);
});

it('continues a search each frame, and shows results when painted', () => {
  const { topics, bench, frames, paints } = made();
  bench.find('99');
  topics.push(Array.from({ length: 6000 }, (_, n) => message(`t${n}`, '')));
  const { value: rows } = bench.rows;
  let drawn = 0;
  bench.tick.subscribe(() => drawn++);
  bench.update();
  for (let rounds = 0; frames.length > 0; rounds++) {
    expect(rounds).toBeLessThan(100);
    frames.shift()?.();
  }
  expect([bench.rows.value, drawn]).toEqual([rows, 1]);
  paints.at(-1)?.();
  expect(bench.searched.value).toMatchObject({ found: 114, done: true });
  expect(bench.rows.value.nodes).toHaveLength(114);
});
