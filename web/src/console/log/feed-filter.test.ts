import { encode as encodeMessagePack } from '@msgpack/msgpack';
import { encode as encodeCbor } from 'cborg';
import { describe, expect, it, vi } from 'vitest';
import { createBirths } from '../payload/births';
import { encode as encodeSparkplug } from '../payload/codecs/sparkplug';
import type { Readable } from '../payload/guess';
import { TooSlow } from './finder';
import { made, message, messages, topics, via } from './testing-feed';

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
