import { encode as encodeMessagePack } from '@msgpack/msgpack';
import { encode as encodeCbor } from 'cborg';
import { afterEach, describe, expect, it, vi } from 'vitest';
import type { Message } from '../../client';
import { limits } from '../core/limits';
import { createBirths } from '../payload/births';
import { createChoices } from '../payload/choices';
import { encode as encodeSparkplug } from '../payload/codecs/sparkplug';
import type { Readable } from '../payload/guess';
import { overhead } from './entry';
import { createFeed } from './feed';
import { find, type Haystack, type Pattern, split } from './find';
import { TooSlow } from './finder';
import { fakeTiming } from './testing';

const MiB = 1024 * 1024;

function made(most?: number) {
  const asked: Haystack[] = [];
  const state = { drops: 0, fail: undefined as Error | undefined };
  const time = fakeTiming();
  const feed = createFeed(
    {
      ...time,
      choices: createChoices(),
      finder: {
        async find(pattern: Pattern, haystack: Haystack) {
          asked.push(haystack);
          if (state.fail) throw state.fail;
          return find(pattern, haystack);
        },
        split: async (pattern, texts) => texts.map((text) => split(pattern, text)),
        drop: () => {
          state.drops++;
        },
      },
    },
    most,
  );
  return { ...time, feed, asked, state };
}

function message({ text = '', ...rest }: Omit<Partial<Message>, 'text'> & { text?: string } = {}): Message {
  const payload = new TextEncoder().encode(text);
  return { topic: 'a/b', payload, qos: 0, retain: false, properties: {}, size: 10, ...rest } as Message;
}

const via = { id: 1, name: 'one' };

const messages = (count: number, size = 10) => Array.from({ length: count }, () => message({ size }));

function topics({ feed }: ReturnType<typeof made>): string[] {
  const { first, end } = feed.view.value;
  return Array.from({ length: end - first }, (_, index) => {
    return feed.at(first + index)?.entry.message.topic ?? 'gone';
  });
}

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

describe('the filter', () => {
  const some = () => [
    message({ topic: 'plant/1/temp', text: '21.5', qos: 1 }),
    message({ topic: 'plant/2/temp', text: 'Error: no sensor', retain: true }),
    message({ topic: 'plant/2/door', text: '{"open":true}', qos: 2 }),
    message({ topic: '$SYS/uptime', text: '12' }),
  ];

  it.each([
    [{}, ['plant/1/temp', 'plant/2/temp', 'plant/2/door', '$SYS/uptime']],
    [{ topic: 'plant/+/temp' }, ['plant/1/temp', 'plant/2/temp']],
    [{ topic: '#' }, ['plant/1/temp', 'plant/2/temp', 'plant/2/door']],
    [{ qos: 2 }, ['plant/2/door']],
    [{ retain: 'yes' }, ['plant/2/temp']],
    [{ retain: 'no', topic: 'plant/#' }, ['plant/1/temp', 'plant/2/door']],
    [{ direction: 'sent' }, ['mine']],
    [{ direction: 'both', topic: '+' }, ['mine']],
    [{ search: 'ERROR' }, ['plant/2/temp']],
    [{ search: 'ERROR', matchCase: true }, []],
    [{ search: 'DOOR' }, ['plant/2/door']],
    [{ search: '2.' }, []],
    [{ search: '^\\d{2}\\.', expression: true }, ['plant/1/temp']],
    [{ search: 'plant', qos: 1 }, ['plant/1/temp']],
  ] as const)('%j', async (changes, expected) => {
    const all = made();
    all.feed.push(some(), 0, via);
    all.feed.enter(message({ topic: 'mine' }), via);
    all.feed.edit(changes);
    await all.settle();
    expect(topics(all)).toEqual(expected);
    expect(all.feed.listed().map(({ message }) => message.topic)).toEqual(expected);
    // The same for later messages.
    all.feed.push(some(), 0, via);
    all.feed.enter(message({ topic: 'mine' }), via);
    await all.settle();
    expect(topics(all)).toEqual([...expected, ...expected]);
  });

  it('reports errors at their field, and leaves the list unchanged', async () => {
    const all = made();
    all.feed.push(some(), 0, via);
    all.feed.edit({ topic: 'plant/+/temp' });
    all.feed.edit({ topic: 'plant/+x' });
    expect(all.feed.filterErrors.value.topic).toMatch(/^\+ must be alone/);
    expect(topics(all)).toHaveLength(2);
    all.feed.edit({ topic: '', search: '(', expression: true });
    expect(all.feed.filterErrors.value).toEqual({
      search: expect.stringMatching(/^Not a regular expression: /),
    });
    expect(topics(all)).toHaveLength(2);
    all.feed.edit({ expression: false });
    await all.settle();
    expect(all.feed.filterErrors.value).toEqual({});
    expect(topics(all)).toEqual([]);
  });

  it('searches everything in slices', async () => {
    const all = made();
    all.feed.push(messages(10_000), 0, via);
    all.feed.edit({ search: 'a/b' });
    await all.settle();
    expect(all.feed.view.value).toMatchObject({ end: 10_000, looked: 1 });
    expect(all.asked.length).toBeGreaterThan(4);
  });

  it('ignores the result of an outdated search', async () => {
    const all = made();
    all.feed.push(some(), 0, via);
    all.feed.edit({ search: 'plant' });
    expect(all.asked).toHaveLength(1);
    const { drops } = all.state;
    all.feed.edit({ search: 'uptime' });
    expect(all.state.drops).toBe(drops + 1);
    await all.settle();
    expect(topics(all)).toEqual(['$SYS/uptime']);
  });

  it('reports an expression that takes too long, and continues with the next', async () => {
    const all = made();
    all.feed.push(some(), 0, via);
    all.state.fail = new TooSlow();
    all.feed.edit({ search: '(a+)+b', expression: true });
    await all.settle();
    expect(all.feed.filterErrors.value.search).toMatch(/takes too long/);
    const asked = all.asked.length;
    all.feed.push(some(), 0, via);
    await all.settle();
    expect(all.asked).toHaveLength(asked);
    all.state.fail = undefined;
    all.feed.edit({ search: 'uptime' });
    await all.settle();
    expect(topics(all)).toEqual(['$SYS/uptime', '$SYS/uptime']);
  });

  it('drops matches that are evicted', async () => {
    const all = made(4);
    all.feed.push(some(), 0, via);
    all.feed.edit({ topic: 'plant/#' });
    all.feed.push([message({ topic: 'plant/new' }), message({ topic: 'x' })], 0, via);
    await all.settle();
    expect(topics(all)).toEqual(['plant/2/door', 'plant/new']);
    expect(all.feed.view.value).toMatchObject({ first: 2, end: 4 });
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

it('finds the matches within the visible rows', async () => {
  const { feed, settle } = made();
  feed.push([message({ topic: 'plant/x', text: 'an X and a \u202ex' })], 0, via);
  const entry = feed.get(0);
  if (!entry) throw new Error('no entry');
  expect(feed.marks(entry)).toBeUndefined();
  feed.edit({ search: 'x' });
  expect(feed.marks(entry)).toBeUndefined();
  await settle();
  expect(feed.marks(entry)).toEqual({
    topic: ['plant/', 'x', ''],
    text: ['an ', 'X', ' and a \\u202e', 'x', ''],
  });
  feed.edit({ search: '' });
  expect(feed.marks(entry)).toBeUndefined();
});

describe('searching binary payloads', () => {
  const found = async ({ feed }: ReturnType<typeof made>, search: string, count: number) => {
    feed.edit({ search });
    await vi.dynamicImportSettled();
    await vi.waitFor(
      () => {
        feed.show();
        expect(feed.listed()).toHaveLength(count);
      },
      { timeout: 10_000 },
    );
    return feed.listed().map(({ message }) => message.topic);
  };
  const bytes = (topic: string, payload: Uint8Array, rest: Partial<Readable> = {}) =>
    Object.assign(message({ topic }), { payload, ...rest });

  it('finds the text of their rows', async () => {
    const all = made();
    const reading = { json: '{"level": 21.5}', by: 'mine' };
    all.feed.push(
      [
        bytes('cbor', encodeCbor({ t: 21.5 })),
        bytes('msgpack', encodeMessagePack({ t: 21.5 })),
        bytes('script', Uint8Array.of(0xff), { decoded: reading }),
        bytes('late', Uint8Array.of(0xff), { pending: Promise.resolve() }),
        bytes('none', Uint8Array.of(0xff, 21, 5)),
        message({ topic: 'text', text: '21.5' }),
        bytes('cbor/other', encodeCbor({ t: 21.25 })),
      ],
      0,
      via,
    );
    const late: Readable | undefined = all.feed.get(3)?.message;
    if (late) late.decoded = reading;
    expect(await found(all, '21.5', 5)).toEqual(['cbor', 'msgpack', 'script', 'late', 'text']);
    expect(await found(all, 'level: 21', 2)).toEqual(['script', 'late']);
    // Undecoded payloads don't match as empty text.
    all.feed.edit({ expression: true });
    expect(await found(all, '^$', 0)).toEqual([]);
  });

  it('finds names given by a BIRTH, and does not decode again on the next key', async () => {
    const all = made();
    const births = createBirths();
    const birth = '{"metrics": [{"name": "Motor/Temp", "alias": 7, "datatype": 9}]}';
    births.note(bytes('spBv1.0/g/NBIRTH/n', encodeSparkplug(birth), { receivedAt: 1 } as object));
    const before = vi.spyOn(births, 'before');
    const data = encodeSparkplug('{"metrics": [{"alias": 7, "float_value": 2.5}]}');
    const payloads = Array.from({ length: 100 }, () =>
      bytes('spBv1.0/g/NDATA/n', data.slice(), { receivedAt: 2 } as object),
    );
    all.feed.push(payloads, 0, { ...via, births });
    await found(all, 'temp', 100);
    expect(before).toHaveBeenCalledTimes(100);
    await found(all, 'tempe', 0);
    await found(all, 'temp', 100);
    expect(before).toHaveBeenCalledTimes(100);
  });

  it('decodes for a few milliseconds at a time, and stops with the search', async () => {
    const all = made();
    const births = createBirths();
    let decoded = 0;
    let inTask = 0;
    let most = 0;
    vi.spyOn(births, 'before').mockImplementation(() => {
      if (inTask++ === 0) {
        setImmediate(() => {
          inTask = 0;
        });
      }
      decoded++;
      most = Math.max(most, inTask);
      return undefined;
    });
    const payload = encodeSparkplug('{"metrics": [{"name": "x", "float_value": 2.5}]}');
    all.feed.push(
      Array.from({ length: 10_000 }, () => bytes('spBv1.0/g/NDATA/n', payload)),
      0,
      {
        ...via,
        births,
      },
    );
    all.feed.edit({ search: '2.5' });
    await vi.waitFor(() => expect(decoded).toBeGreaterThan(0), { interval: 1 });
    all.feed.edit({ search: '' });
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(decoded).toBeLessThan(10_000);
    expect(most).toBeLessThan(10);
  });
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
