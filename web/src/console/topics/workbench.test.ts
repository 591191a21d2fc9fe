import { afterEach, expect, it, vi } from 'vitest';
import type { Client, Message } from '../../client';
import { limits } from '../core/limits';
import type { TopicNode } from './model';
import { tableOf } from './series';
import { createTopics } from './store';
import { createWorkbench } from './workbench';

const bytes = (text: string) => new TextEncoder().encode(text);
const { lines: maxSeries, points: maxPoints } = limits.chart;
let clock = 0;
afterEach(() => {
  vi.useRealTimers();
});

function message(topic: string, text: string, rest: Partial<Message> = {}): Message {
  const payload = bytes(text);
  const size = topic.length + payload.length;
  return {
    topic,
    payload,
    size,
    qos: 0,
    retain: false,
    receivedAt: ++clock,
    properties: {},
    ...rest,
  } as Message;
}

function made(publish: Client['publish'] = async () => ({ reasonCode: 0 })) {
  const feed: Message[] = [];
  const client = {
    url: 'ws://one',
    connected: true,
    publish: vi.fn(publish),
    on: () => client,
  } as unknown as Client & { connected: boolean; publish: ReturnType<typeof vi.fn> };
  const current = { client: client as Client | undefined };
  /** Milliseconds that each reading of the clock takes. */
  const tired = { by: 0 };
  let past = 0;
  const topics = createTopics({
    id: 1,
    now() {
      past += tired.by;
      return clock + past;
    },
    client: () => current.client,
    kept: () => feed.toReversed(),
  });
  const frames: (() => void)[] = [];
  const paints: (() => void)[] = [];
  const bench = createWorkbench(topics, {
    frame: (call) => frames.push(call),
    paint: Object.assign((call: () => void) => void paints.push(call), { dispose() {} }),
    birthBefore: () => undefined,
    recall: () => ({}),
  });
  function push(...messages: Message[]): void {
    topics.push(messages);
    feed.push(...messages);
    bench.refresh();
  }
  function node(...names: string[]): TopicNode {
    let at: TopicNode | undefined = topics.model.root;
    for (const name of names) at = at?.children?.get(name);
    if (!at) throw new Error(`no ${names}`);
    return at;
  }
  return { topics, bench, client, current, push, node, frames, paints, feed, tired };
}

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
  clock = 1000;
  push(message('t', '0'));
  bench.chart(node('t'), '');
  const fast = Array.from({ length: 3000 }, () => message('t', '1', { receivedAt: 1 }));
  clock = 2000;
  push(...fast);
  expect(bench.charted.value[0]).toMatchObject({ skipped: 2000 });
  for (let second = 3; second < 15; second++) {
    clock = second * 1000;
    push(...Array.from({ length: 1000 }, () => message('t', '1', { receivedAt: 1 })));
    clock = second * 1000;
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

const retained = (topic: string, text = '1', rest: Partial<Message> = {}) =>
  message(topic, text, { retain: true, ...rest });

it('clears retained messages below a branch, and nothing else', async () => {
  const { bench, push, node, client } = made();
  push(retained('a/x'), retained('a/y/z'), retained('b'), message('a/live', '1'));
  bench.askToClear(node('a'));
  expect(bench.clearing.value).toMatchObject({ topic: 'a', nodes: { length: 2 } });
  expect(client.publish).not.toHaveBeenCalled();
  await bench.clear();
  expect(
    client.publish.mock.calls.map(([topic, payload, options]) => [topic, payload, options.retain]),
  ).toEqual([
    ['a/x', '', true],
    ['a/y/z', '', true],
  ]);
  expect(bench.clearing.value?.progress).toMatchObject({ published: 2, failed: 0, done: true });
  expect([node('a').retainedBelow, node('b').retained]).toEqual([0, true]);
  bench.stopClearing();
  expect(bench.clearing.value).toBeUndefined();
});

it('reports what could not be cleared, and why', async () => {
  const { bench, push, node } = made(async (topic) => {
    if (topic === 'a/x') throw new Error('refused');
    return { reasonCode: 0 };
  });
  push(retained('a/x'), retained('a/y'));
  bench.askToClear(node('a'));
  await bench.clear();
  expect(bench.clearing.value?.progress).toMatchObject({ published: 1, failed: 1, done: true });
  expect(bench.clearing.value?.progress?.reason).toMatch(/refused/);
  expect(node('a', 'x').retained).toBe(true);
});

it('stops clearing on request, and when the broker changes', async () => {
  for (const end of ['asked', 'gone'] as const) {
    const { bench, push, node, client, current } = made(async () => {
      if (end === 'asked') bench.stopClearing();
      else current.client = undefined;
      return { reasonCode: 0 };
    });
    push(...Array.from({ length: 100 }, (_, n) => retained(`a/${n}`)));
    bench.askToClear(node('a'));
    await bench.clear();
    const progress = bench.clearing.value?.progress;
    expect(progress?.done).toBe(true);
    expect(progress?.published).toBe(client.publish.mock.calls.length);
    expect(client.publish.mock.calls.length).toBeLessThan(20);
  }
});

it('undoes a clearing, except for what has changed since', async () => {
  vi.useFakeTimers({ now: 1_000_000 });
  const { bench, push, node, client } = made();
  const properties = {
    contentType: 'text/plain',
    messageExpiryInterval: 60,
    correlationData: bytes('c'),
    subscriptionIdentifier: 7,
    userProperties: [['k', 'v']] as [string, string][],
  };
  const at = { receivedAt: Date.now() };
  push(retained('a/x', 'one', { qos: 2, properties, size: 100, ...at }));
  push(retained('a/expired', 'two', { properties: { messageExpiryInterval: 5 }, size: 100, ...at }));
  push(retained('a/again', 'three'), retained('a/live', 'four'), message('a/live', 'five'));
  bench.askToClear(node('a'));
  // A live message may differ from the retained one.
  expect(bench.clearing.value).toMatchObject({ nodes: { length: 4 }, restorable: 3 });
  await bench.clear();
  expect(node('a').retainedBelow).toBe(0);
  push(message('a/x', ''), message('a/again', 'newer'));
  client.publish.mockClear();
  vi.advanceTimersByTime(10_000);
  await bench.undo();
  const restored = { qos: 2, retain: true, timeout: 10_000 };
  const { subscriptionIdentifier: _, ...rest } = properties;
  expect(client.publish.mock.calls).toEqual([
    ['a/x', bytes('one'), { ...restored, properties: { ...rest, messageExpiryInterval: 50 } }],
  ]);
  expect(bench.clearing.value).toMatchObject({
    undoing: true,
    progress: { published: 1, total: 3, failed: 0 },
  });
  expect([node('a', 'x').retained, node('a').retainedBelow, bench.cleared.value]).toEqual([
    true,
    1,
    undefined,
  ]);
});

it('keeps what can be undone for a while, within a byte limit, and for one broker', async () => {
  vi.useFakeTimers();
  const { topics, bench, push, node, client } = made();
  topics.onClient(client);
  push(...Array.from({ length: 20 }, (_, n) => retained(`a/${n}`, 'x'.repeat(500_000))));
  const clear = async () => {
    bench.askToClear(node('a'));
    await bench.clear();
  };
  bench.askToClear(node('a'));
  expect(bench.clearing.value).toMatchObject({ nodes: { length: 20 }, restorable: 16 });
  await bench.clear();
  expect(bench.cleared.value?.kept.size).toBe(16);
  vi.advanceTimersByTime(limits.undo.seconds * 1000 - 1);
  expect(bench.cleared.value).toBeDefined();
  vi.advanceTimersByTime(1);
  expect(bench.cleared.value).toBeUndefined();

  push(retained('a/b'));
  await clear();
  expect(bench.cleared.value?.kept.size).toBe(1);
  topics.onClient({ ...client, url: 'ws://two' } as Client);
  expect(bench.cleared.value).toBeUndefined();
});

it('a failed undo can be retried', async () => {
  vi.useFakeTimers();
  let refused = 0;
  const { bench, push, node, current } = made(async (topic, payload) => {
    if (topic === 'a/x' && payload !== '' && refused++ === 0) throw new Error('refused');
    return { reasonCode: 0 };
  });
  push(retained('a/x'), retained('a/y'));
  bench.askToClear(node('a'));
  await bench.clear();
  const { client } = current;
  current.client = undefined;
  await bench.undo();
  expect(bench.clearing.value?.progress).toMatchObject({ published: 0, total: 2, done: true });
  current.client = client;
  await bench.undo();
  expect(bench.clearing.value?.progress).toMatchObject({ published: 1, failed: 1 });
  await bench.undo();
  expect(bench.clearing.value?.progress).toMatchObject({ published: 1, total: 1, failed: 0 });
  expect([node('a').retainedBelow, bench.cleared.value]).toEqual([2, undefined]);
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
