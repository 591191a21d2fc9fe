import { encode as msgpack } from '@msgpack/msgpack';
import { encode as cbor } from 'cborg';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Message, MessageProperties } from '../../client';
import { limits } from '../core/limits';
import { createChoices } from './choices';
import { encode } from './encode';
import type { ViewFormat } from './format';
import { guess } from './guess';
import { written } from './lines';
import { labels, read, readBoth, readPlain } from './read';
import { fileName } from './save';

const bytes = (text: string) => Uint8Array.from(text.split(' '), (byte) => Number.parseInt(byte, 16));

function message(payload: string | Uint8Array, properties: MessageProperties = {}, topic = 'a/b'): Message {
  const raw = typeof payload === 'string' ? new TextEncoder().encode(payload) : payload;
  return { topic, payload: raw, properties } as Message;
}

const png = bytes('89 50 4e 47 0d 0a 1a 0a 00 00 00 0d 49 48 44 52 00 00 00 02 00 00 00 03 08 06 00 00 00');
const binary = bytes('00 ff fe');

describe('the format', () => {
  it.each<[string, Message, ViewFormat]>([
    ['of the content type', message('x', { contentType: 'application/json; charset=utf-8' }), 'json'],
    ['of the content type', message('x', { contentType: 'Application/CBOR' }), 'cbor'],
    ['of its suffix', message('x', { contentType: 'application/senml+cbor' }), 'cbor'],
    ['of the content type', message('x', { contentType: 'application/x-msgpack' }), 'msgpack'],
    ['of the content type', message('x', { contentType: 'application/protobuf' }), 'protobuf'],
    ['of text', message(binary, { contentType: 'text/plain' }), 'text'],
    ['of a hostile content type', message(binary, { contentType: '__proto__' }), 'hex'],
    ['of the indicator', message(binary, { payloadFormatIndicator: true }), 'text'],
    ['of the indicator', message('{}', { payloadFormatIndicator: true }), 'json'],
    ['of Sparkplug B', message(binary, {}, 'spBv1.0/group/NDATA/node'), 'sparkplug'],
    ['of Sparkplug’s state', message('{"online":true}', {}, 'spBv1.0/STATE/host'), 'json'],
    ['of text', message('hello'), 'text'],
    ['of JSON', message(' [1]'), 'json'],
    ['of bytes', message(binary), 'hex'],
    ['of registers with small values, which are UTF-8', message(bytes('00 01 00 02 00 41 00 7f')), 'hex'],
    ['of a status byte', message(bytes('01')), 'hex'],
    ['of a counter', message(bytes('41 00 00 00')), 'hex'],
    ['of Protobuf with small numbers', message(bytes('08 01 10 02 1a 02 4f 4b')), 'hex'],
    ['of text that C ended', message('ON\0'), 'text'],
    ['of a line from a scale, framed by STX and ETX', message('\x02+  12.5 kg\x03'), 'text'],
    ['of a log line in colour', message('\x1b[0;36m[D] on\x1b[0m\r\n'), 'text'],
    ['of PNG, whatever the message says', message(png, { contentType: 'image/svg+xml' }), 'image'],
    ['of JPEG', message(bytes('ff d8 ff e0')), 'image'],
    ['of SVG', message('<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg"/>'), 'image'],
    ['of SVG that could take for ever', message('<svg><use href="#a"/></svg>'), 'image'],
    ['of markup that is no SVG', message('<html><svg></svg></html>'), 'text'],
    ['of CBOR that says so', message(bytes('d9 d9 f7 01')), 'cbor'],
    ['of a CBOR map', message(bytes('a1 61 61 19 ff ff')), 'cbor'],
    ['of a MessagePack map', message(bytes('81 a1 61 cd ff ff')), 'msgpack'],
    ['of a CBOR map without end', message(bytes('bf 61 61 19 ff ff ff')), 'cbor'],
    ['of SenML in CBOR', message(bytes('82 a2 21 61 78 02 f9 4d 66 a1 00 63 68 75 6d')), 'cbor'],
    ['of a CBOR map with numbers for keys', message(bytes('a2 01 1a 6b 0d e1 00 02 38 28')), 'cbor'],
    ['of a MessagePack array', message(bytes('93 cf 00 00 01 a2 2e 38 79 c3 a2 61 62 05')), 'msgpack'],
    [
      'of a MessagePack map with an extension',
      message(bytes('82 01 d6 ff 51 4b 67 b0 02 d9 01 61')),
      'msgpack',
    ],
    ['of bytes that begin like CBOR', message(bytes('a2 01 1a 6b 0d e1 00 02 38 28 00')), 'hex'],
    ['of bytes that begin like MessagePack', message(bytes('93 cf 00 00 01 a2 2e 38 79 c3')), 'hex'],
    ['of a few bytes that could be anything', message(bytes('82 01 ff')), 'hex'],
    ['of more numbers than are looked through', message(msgpack(new Array(300_000).fill(200))), 'hex'],
  ])('%s: %#', (_, from, format) => expect(guess(from).format).toBe(format));

  it('is that of any map that an encoder wrote, unless that is text', () => {
    fc.assert(
      fc.property(
        fc.dictionary(fc.string({ minLength: 1, maxLength: 20 }), fc.jsonValue({ maxDepth: 4 }), {
          minKeys: 1,
          maxKeys: 15,
        }),
        (value) => {
          const found = [cbor(value), msgpack(value)].map((encoded) => guess(message(encoded)).format);
          expect(['cbor', 'text']).toContain(found[0]);
          expect(found[1]).toBe('msgpack');
        },
      ),
    );
  });

  it('falls back silently if it was only a guess', async () => {
    expect(await read(message('{no json'), {}, 0)).toEqual({
      kind: 'text',
      format: 'text',
      wide: false,
      text: '{no json',
      left: 0,
    });
    expect(await read(message(bytes('81 a1 61 c1')), {}, 0)).toMatchObject({ kind: 'text', format: 'hex' });
    expect((await read(message(bytes('81 a1 61 c1')), {}, 0)).error).toBeUndefined();
  });
});

describe('a payload', () => {
  it.each<[ViewFormat, string]>([
    ['cbor', 'Not CBOR: 2 more bytes follow the value'],
    ['json', 'Not JSON: not UTF-8'],
    ['msgpack', 'Not MessagePack: 2 more bytes follow the value'],
    ['sparkplug', 'Not Sparkplug B: there is no field number 0'],
    ['protobuf', 'Not Protobuf: there is no field number 0'],
    ['image', 'Not Image: it does not begin like PNG, JPEG, GIF, WebP or SVG'],
  ])('that is not %s is shown as bytes, with the reason', async (format, error) => {
    const shown = await read(message(binary), { format }, 0);
    expect(shown).toMatchObject({ kind: 'text', format });
    expect(shown.kind === 'text' && shown.text).toContain('00 ff fe');
    expect(shown.error).toBe(error);
  });

  it('that is not UTF-8 can be shown as text', async () => {
    expect(await read(message(bytes('61 ff')), { format: 'text' }, 0)).toMatchObject({
      text: 'a\ufffd',
      error: 'Not UTF-8: � stands for what is malformed.',
    });
  });

  it.each<[ViewFormat]>([['cbor'], ['msgpack']])('in %s becomes lines of JSON', async (format) => {
    const text = '{\n  "a": [\n    1,\n    "é"\n  ]\n}';
    const shown = await read(message(await encode(format as 'cbor', text)), { format }, 0);
    expect(shown.kind === 'lines' && written(shown.lines)).toBe(text);
  });

  it('shows escaped characters, except those that would mislead', async () => {
    const shown = await read(
      message(String.raw`{"\u5355\u4f4d":"\u00b0C \ud83c\udf89","x":"\u0000\u0022\ud800\\u00b0\u202e"}`),
      {},
      0,
    );
    expect(shown.kind === 'lines' && written(shown.lines)).toBe(
      String.raw`{
  "单位": "°C 🎉",
  "x": "\u0000\u0022\ud800\\u00b0\u202e"
}`,
    );
  });

  it('is shown in parts', async () => {
    const large = message(new Uint8Array(1_000_000).fill(0x61));
    expect(await read(large, { format: 'hex' }, 0)).toMatchObject({ left: 1_000_000 - 16_384 });
    expect(await read(large, { format: 'text' }, 1)).toMatchObject({ left: 0 });
    const many = message(`[${'1,'.repeat(50_000)}1]`);
    expect(await read(many, {}, 0)).toMatchObject({ kind: 'lines', shown: 500, whole: false });
    expect(await read(many, {}, 40)).toMatchObject({ shown: 60_500, whole: true });
  });

  it('that is too large to decode is shown as bytes', async () => {
    const shown = await read(message(new Uint8Array(9 * 1024 * 1024).fill(0x20)), { format: 'json' }, 0);
    expect(shown.error).toMatch(/^Not JSON: only payloads up to 8 MiB are decoded/);
  });

  it('of many small parts is decoded as far as it can be folded, and no further', async () => {
    const million = [0, 0x0f, 0x42, 0x40];
    const ones = (head: number[]) => {
      const payload = new Uint8Array(head.length + 1_000_000).fill(1);
      payload.set(head);
      return payload;
    };
    const payloads: [ViewFormat, Uint8Array][] = [
      ['json', new TextEncoder().encode(`[${'1,'.repeat(1_000_000)}1]`)],
      ['cbor', ones([0x9a, ...million])],
      ['msgpack', ones([0xdd, ...million])],
    ];
    for (const [format, payload] of payloads) {
      const shown = await read(message(payload), { format }, 0);
      expect(shown).toMatchObject({ kind: 'lines', whole: false });
      expect(shown.kind === 'lines' && shown.lines.length).toBe(20_000);
    }
  });

  it('of a hostile kind is refused early', async () => {
    const payloads: [ViewFormat, Uint8Array, string][] = [
      ['cbor', new Uint8Array(4_000_000).fill(0x81), 'nested deeper than 200 levels'],
      ['msgpack', new Uint8Array(4_000_000).fill(0x91), 'nested deeper than 200 levels'],
      ['json', new TextEncoder().encode('['.repeat(4_000_000)), 'nested deeper than 200 levels'],
      ['protobuf', new Uint8Array(4_000_000).fill(0x08), 'more than 100,000 fields in one message'],
    ];
    for (const [format, payload, reason] of payloads) {
      expect((await read(message(payload), { format }, 0)).error).toContain(reason);
    }
  });

  it('is decoded or shown as bytes, for any content and format', async () => {
    const format = fc.option(fc.constantFrom(...(Object.keys(labels) as ViewFormat[])), { nil: undefined });
    const payload = fc.oneof(
      fc.uint8Array({ maxLength: 100 }),
      fc.string({ unit: 'binary' }).map((text) => new TextEncoder().encode(text)),
      fc
        .constantFrom(
          '89504e470d0a1a0a',
          'ffd8ffc0',
          '474946383961',
          '5249464600000000574542505650385',
          'd9d9f7',
          '81a161',
        )
        .chain((head) =>
          fc
            .uint8Array({ maxLength: 40 })
            .map((rest) =>
              Uint8Array.from([
                ...(head.match(/../g) ?? []).map((pair) => Number.parseInt(pair, 16)),
                ...rest,
              ]),
            ),
        ),
    );
    await fc.assert(
      fc.asyncProperty(format, payload, fc.string(), fc.nat(3), async (chosen, raw, contentType, step) => {
        const shown = await read(message(raw, { contentType }), chosen ? { format: chosen } : {}, step);
        expect(shown.kind).toMatch(/^(text|lines|image)$/);
        expect(fileName(message(raw))).toMatch(/^b\.[a-z]+$/);
      }),
      { numRuns: 300 },
    );
  });
});

describe('an image', () => {
  const shown = async (text: string) => {
    const result = await read(message(bytes(text)), { format: 'image' }, 0);
    return result.kind === 'image' ? result.picture : result.error;
  };
  it.each<[string, string, unknown]>([
    ['GIF', '47 49 46 38 39 61 02 00 03 00', { type: 'image/gif', size: [2, 3] }],
    ['JPEG', 'ff d8 ff e0 00 04 00 00 ff c0 00 11 08 00 03 00 02 03', { type: 'image/jpeg', size: [2, 3] }],
    [
      'WebP',
      '52 49 46 46 0 0 0 0 57 45 42 50 56 50 38 58 0 0 0 0 0 0 0 0 01 0 0 02 0 0',
      { type: 'image/webp', size: [2, 3] },
    ],
    [
      'WebP',
      '52 49 46 46 0 0 0 0 57 45 42 50 56 50 38 20 0 0 0 0 0 0 0 9d 01 2a 02 00 03 00',
      { type: 'image/webp', size: [2, 3] },
    ],
    [
      'WebP',
      '52 49 46 46 0 0 0 0 57 45 42 50 56 50 38 4c 0 0 0 0 2f 01 80 00 00',
      { type: 'image/webp', size: [2, 3] },
    ],
    ['cut PNG', '89 50 4e 47 0d 0a 1a 0a 00', 'Not Image: its size is missing'],
    ['cut JPEG', 'ff d8 ff e0 00 04 00 00', 'Not Image: its size is missing'],
    ['JPEG without end', 'ff d8 ff ff ff ff ff ff ff ff ff ff ff ff', 'Not Image: its size is missing'],
  ])('%s: %#', async (_, payload, expected) => expect(await shown(payload)).toEqual(expected));

  it('has its size', async () => {
    expect(await read(message(png), {}, 0)).toMatchObject({ picture: { type: 'image/png', size: [2, 3] } });
  });

  it('is not shown if it would unpack into gigabytes', async () => {
    const bomb = png.slice();
    new DataView(bomb.buffer).setUint32(16, 100_000);
    new DataView(bomb.buffer).setUint32(20, 100_000);
    expect((await read(message(bomb), { format: 'image' }, 0)).error).toBe(
      'Not Image: 100,000 × 100,000 pixels are too many to show',
    );
  });
});

describe('a choice', () => {
  it('is remembered by topic, and the oldest forgotten', () => {
    const { remember, recall } = createChoices();
    remember('t', { format: 'hex' });
    expect(recall('t')).toEqual({ format: 'hex' });
    expect(recall('__proto__')).toEqual({});
    for (let n = 0; n < 500; n++) remember(`other/${n}`, { format: 'text' });
    expect(recall('t')).toEqual({});
    expect(recall('other/0')).toEqual({ format: 'text' });
  });
});

it.each<[string, string | Uint8Array, string]>([
  ['a/state', '{"a":1}', 'state.json'],
  ['a/state/', 'on', 'state.txt'],
  ['a/../..', binary, '_.bin'],
  ['/', binary, 'payload.bin'],
  ['a/.bash\u202erc', 'x', '_bash_rc.txt'],
  ['a/图', png, '图.png'],
  [`a/${'x'.repeat(1000)}`, 'x', `${'x'.repeat(60)}.txt`],
])('%s with %j is saved as %s', (topic, payload, name) => {
  expect(fileName(message(payload, {}, topic))).toBe(name);
});

it('JSON is indented like JSON.stringify', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.oneof(
        fc.array(fc.jsonValue({ maxDepth: 4 }), { minLength: 1 }),
        fc.dictionary(fc.string(), fc.jsonValue(), { minKeys: 1 }),
      ),
      async (value) => {
        // JSON.stringify moves integer-like keys to the front, and the page makes hidden characters visible.
        fc.pre(/^[ -~]*$/.test(JSON.stringify(value)) && !/"\d+":|-0/.test(JSON.stringify(value)));
        const plain = await readPlain(message(JSON.stringify(value)), { format: 'json' });
        expect(plain).toBe(JSON.stringify(value, null, 2));
      },
    ),
  );
});

it('deep nesting does not produce megabytes of indentation', async () => {
  const bracket = fc.constantFrom('[', '{"a":', '[1,', ']', '}', '1', ',', '"a":');
  await fc.assert(
    fc.asyncProperty(fc.array(bracket, { maxLength: 3000 }), fc.nat(3000), async (parts, depth) => {
      for (const text of [parts.join(''), '['.repeat(depth) + parts.join('') + ']'.repeat(depth)]) {
        const shown = await read(message(text), { format: 'json' }, 0);
        const drawn = shown.kind === 'lines' ? written(shown.lines) : '';
        expect(drawn.length).toBeLessThanOrEqual(text.length * (2 * limits.indent + 4));
      }
    }),
  );
  const deep = '['.repeat(6000) + ']'.repeat(6000);
  expect(await read(message(deep), {}, 0)).toMatchObject({ kind: 'text' });
});

it('two payloads are compared as bytes if one of them is bytes', async () => {
  const [float, other] = [bytes('41 51 32 10'), bytes('41 52 e6 b7')].map((payload) => message(payload));
  expect(await readBoth(float as Message, other as Message, {})).toEqual([
    expect.stringContaining('41 51 32 10'),
    expect.stringContaining('41 52 e6 b7'),
  ]);
  expect(await readBoth(float as Message, other as Message, { format: 'base64' })).toEqual([
    'QVEyEA==',
    'QVLmtw==',
  ]);
  expect(await readBoth(message('a'), message('{"a":1}'), {})).toEqual(['a', '{\n  "a": 1\n}']);
});
