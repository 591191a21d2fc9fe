import { encode as encodeMessagePack } from '@msgpack/msgpack';
import { encode as encodeCbor } from 'cborg';
import { describe, expect, it } from 'vitest';
import type { Message } from '../../client';
import { limits } from '../core/limits';
import { createChoices } from './choices';
import { encode as encodeSparkplug } from './codecs/sparkplug';
import { headsOf, previewOf as preview, propertiesOf } from './preview';

const { remember, recall } = createChoices();
const previewOf = (message: Message, birth?: () => Uint8Array | undefined) => preview(message, recall, birth);

function message(payload: string | Uint8Array, rest: Partial<Message> = {}): Message {
  const bytes = typeof payload === 'string' ? new TextEncoder().encode(payload) : payload;
  return { topic: 'a/b', payload: bytes, properties: {}, ...rest } as Message;
}

describe('previewOf', () => {
  it.each([
    ['文字 🎉', { kind: 'text', text: '文字 🎉', more: 0 }],
    ['', { kind: 'empty', text: '', more: 0 }],
    ['<img src=x onerror=alert(1)>', { kind: 'text', text: '<img src=x onerror=alert(1)>', more: 0 }],
    ['a\nb\0', { kind: 'text', text: 'a␊b␀', more: 0 }],
    [Uint8Array.of(0, 0xff, 0x10), { kind: 'binary', text: '00 ff 10', more: 0 }],
    ['\0\x01\0\x02', { kind: 'binary', text: '00 01 00 02', more: 0 }],
    ['{"text": "\\u6e29\\u5ea6 \\ud83c\\udf89"}', { kind: 'text', text: '{"text": "温度 🎉"}' }],
  ])('%j', (payload, expected) => {
    expect(previewOf(message(payload))).toMatchObject({ topic: 'a/b', ...expected });
  });

  it('gives the number of characters omitted, and splits none', () => {
    const long = previewOf(message('é'.repeat(1000).padStart(1001, 'x')));
    expect(long.text).toBe('é'.repeat(255).padStart(256, 'x'));
    expect(long.more).toBe(2001 - 511);
  });

  it('gives the number of bytes omitted', () => {
    expect(previewOf(message(new Uint8Array(1000).fill(0xff)))).toMatchObject({ kind: 'binary', more: 936 });
  });

  it('finds invalid UTF-8 after the part it shows', () => {
    const payload = new Uint8Array(2000).fill(0x61);
    payload[1999] = 0xff;
    expect(previewOf(message(payload)).kind).toBe('binary');
  });

  it('shows hidden characters in a topic and truncates long ones', () => {
    expect(previewOf(message('', { topic: 'a\u202eb' })).topic).toBe('a\\u202eb');
    expect(previewOf(message('', { topic: 'x'.repeat(60_000) })).topic).toHaveLength(513);
  });

  it('decodes once', () => {
    let reads = 0;
    const once = message('a', {});
    Object.defineProperty(once, 'payload', {
      get() {
        reads++;
        return new Uint8Array(3);
      },
    });
    expect(previewOf(once)).toBe(previewOf(once));
    expect(reads).toBe(1);
  });
});

/** The preview after its decoder has loaded. */
async function settled(payload: Uint8Array, topic = 'a/b', birth?: Uint8Array) {
  const one = message(payload, { topic });
  await previewOf(one, () => birth).ready;
  return previewOf(one, () => birth);
}

describe('decoded payloads in a row', () => {
  it.each([
    ['CBOR', encodeCbor({ t: 7.2, on: true, to: ['a', null] }), '{t: 7.2, on: true, to: ["a", null]}'],
    ['MessagePack', encodeMessagePack({ 'two words': { x: -1 } }), '{"two words": {x: -1}}'],
  ])('%s', async (format, payload, text) => {
    expect(await settled(payload)).toMatchObject({ kind: 'decoded', format, text, more: 0 });
  });

  it('Sparkplug B: its metrics by name, also from a BIRTH', async () => {
    const birth = encodeSparkplug(
      '{"timestamp":1,"metrics":[{"name":"Boiler/Temp","alias":7,"datatype":3,"int_value":-1}],"seq":0}',
    );
    const data = encodeSparkplug(
      '{"metrics":[{"alias":7,"timestamp":5,"int_value":-2},{"alias":8,"is_null":true},{"name":"a b","boolean_value":true}]}',
    );
    const expected = { kind: 'decoded', format: 'NDATA', text: 'Boiler/Temp -2, #8 null, "a b" true' };
    expect(await settled(data, 'spBv1.0/g/NDATA/n', birth)).toMatchObject(expected);
    expect((await settled(birth, 'spBv1.0/g/NBIRTH/n')).text).toBe('Boiler/Temp -1');
  });

  it('an image has its size, unless it is too large for a row', async () => {
    const png = (width: number) => {
      const head = Uint8Array.from([0x89, 0x50, 0x4e, 0x47, 13, 10, 26, 10, ...Array(16).fill(0)]);
      new DataView(head.buffer).setUint32(16, width);
      new DataView(head.buffer).setUint32(20, 48);
      return head;
    };
    expect(await settled(png(64))).toMatchObject({
      format: 'PNG',
      text: '64 × 48',
      thumbnail: { size: [64, 48], shown: [27, 20] },
    });
    expect(await settled(png(1_000_000))).toMatchObject({ kind: 'binary' });
  });

  it('bytes that only resemble a format are shown as bytes', async () => {
    expect(await settled(Uint8Array.of(0xa1, 0x61, 0xff))).toMatchObject({
      kind: 'binary',
      text: 'a1 61 ff',
    });
  });

  it('of many values only the first are decoded, and of very large payloads none', async () => {
    const many = await settled(encodeCbor({ all: Array(10_000).fill(1000) }));
    expect(many.tokens?.length).toBeLessThan(limits.row.tokens + 10);
    expect(many.text).toMatch(/…$/);
    const long = await settled(encodeCbor({ text: 'x'.repeat(60_000) }));
    expect(long.text.length).toBeLessThan(2 * limits.row.text);
    expect((await settled(encodeCbor({ text: 'x'.repeat(limits.row.decoded) }))).kind).toBe('binary');
  });

  it('once the decoder is loaded, the next payload is decoded at once', async () => {
    await settled(encodeCbor({ n: 1 }));
    expect(previewOf(message(encodeCbor({ n: 2 }))).text).toBe('{n: 2}');
  });

  it('in the format chosen for the topic, from then on', async () => {
    const one = message(encodeCbor({ n: 1 }), { topic: 'chosen/hex' });
    await previewOf(one).ready;
    expect(previewOf(one).kind).toBe('decoded');
    remember('chosen/hex', { format: 'hex' });
    expect(previewOf(one)).toMatchObject({ kind: 'binary', text: 'a1 61 6e 01' });
  });
});

it('multi-line JSON is one line, in a row and for the search', () => {
  const lines = message('{\n  "a": 1,\r\n  "b": "x"\n}');
  expect(previewOf(lines).text).toBe('{ "a": 1, "b": "x" }');
  expect(headsOf(lines, recall)).toEqual(['a/b', '{ "a": 1, "b": "x" }']);
});

it('names every property', () => {
  const properties: Message['properties'] = {
    payloadFormatIndicator: true,
    contentType: 'text/plain',
    messageExpiryInterval: 60,
    responseTopic: 'answers',
    correlationData: Uint8Array.of(0xff, 1),
    subscriptionIdentifier: [3, 4],
    userProperties: [
      ['k', 'v\n'],
      ['k', '2'],
    ],
  };
  expect(propertiesOf(message('', { properties }))).toEqual([
    ['Payload format', 'UTF-8 text'],
    ['Content type', 'text/plain'],
    ['Expires in', '60 s'],
    ['Response topic', 'answers'],
    ['Correlation data', 'ff 01'],
    ['Subscription identifier', '3'],
    ['Subscription identifier', '4'],
    ['User: k', 'v␊'],
    ['User: k', '2'],
  ]);
  expect(propertiesOf(message(''))).toEqual([]);
});

it('of countless properties the first are rendered, and the others counted', () => {
  let looked = 0;
  const pair = ['', ''];
  const pairs = new Proxy(
    Array.from({ length: 65_000 }, () => pair),
    {
      get(target, key) {
        if (typeof key === 'string' && /^\d+$/.test(key)) looked++;
        return Reflect.get(target, key);
      },
    },
  );
  const properties = { userProperties: pairs, subscriptionIdentifier: Array(65_000).fill(1) };
  const rows = propertiesOf(message('', { properties: properties as Message['properties'] }));
  expect(rows).toHaveLength(2 * limits.properties + 1);
  expect(rows.at(-1)).toEqual(['Not shown', '… and 129,800 more']);
  expect(looked).toBeLessThanOrEqual(limits.properties);
});

it('a property of 64 KiB is truncated', () => {
  const long = 'x'.repeat(65_535);
  const properties = {
    contentType: long,
    userProperties: [[long, long]],
    correlationData: new Uint8Array(65_535),
  };
  const rows = propertiesOf(message('', { properties: properties as Message['properties'] }));
  for (const [name, value] of rows) {
    expect(name.length).toBeLessThan(limits.name + 20);
    expect(value.length).toBeLessThanOrEqual(3 * limits.text);
  }
});
