import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { MqttError } from './errors';
import { decodeBatch } from './message';
import { encodeBatch, encodeRecord, type Given, join, varint } from './testing';

const everything: Given = {
  topic: 'a/中文/😀',
  payload: new Uint8Array([0, 255, 128]),
  qos: 2,
  retain: true,
  dup: true,
  receivedAt: 1_700_000_000_123.5,
  properties: {
    payloadFormatIndicator: true,
    messageExpiryInterval: 0xffff_fffe,
    contentType: 'text/plain',
    responseTopic: 'reply/here',
    correlationData: new Uint8Array([1, 0, 2]),
    subscriptionIdentifier: [1, 268_435_455],
    userProperties: [
      ['k', 'v'],
      ['k', 'again'],
    ],
  },
};

test('every part of a message', () => {
  const [message, ...rest] = decodeBatch(encodeBatch([everything]), 1);
  expect(rest).toEqual([]);
  expect(message).toMatchObject(everything);
});

test('a message without optional parts', () => {
  const [message] = decodeBatch(encodeBatch([{ topic: 't' }]), 1);
  expect(message).toMatchObject({ topic: 't', qos: 0, retain: false, dup: false, receivedAt: 0, size: 1 });
  expect(message?.payload).toEqual(new Uint8Array());
  expect(message?.properties).toEqual({});
});

test('one subscription identifier is a number', () => {
  const given = { topic: 't', properties: { subscriptionIdentifier: 5 } };
  expect(decodeBatch(encodeBatch([given]), 1)[0]?.properties).toEqual({ subscriptionIdentifier: 5 });
});

test('the topic cache does not mix up topics', () => {
  // Read as Latin-1, the UTF-8 bytes of the second topic equal the first.
  for (let n = 0; n < 64 * 30 * 64; n++) {
    const bytes = [0x40 + (n >> 11), 0xc2 + ((n >> 6) % 30), 0x80 + (n & 63)];
    const topics = [String.fromCharCode(...bytes), new TextDecoder().decode(new Uint8Array(bytes))];
    const read = decodeBatch(encodeBatch(topics.map((topic) => ({ topic }))), 2);
    if (read.some(({ topic }, index) => topic !== topics[index])) throw new Error(`${topics} became others`);
  }
});

test('[MQTT-1.5.4-3] U+FEFF is part of the topic', () => {
  expect(decodeBatch(encodeBatch([{ topic: '\uFEFFt' }]), 1)[0]?.topic).toBe('\uFEFFt');
});

test('text() and json() of a payload', () => {
  const payloads = ['{"a":"中"}', 'nonsense'].map((one) => new TextEncoder().encode(one));
  const batch = encodeBatch(payloads.map((payload) => ({ topic: 't', payload })));
  const [json, nonsense] = decodeBatch(batch, 2);
  expect(json?.json()).toEqual({ a: '中' });
  expect(nonsense?.text()).toBe('nonsense');
  expect(() => nonsense?.json()).toThrow(SyntaxError);
  const invalid = decodeBatch(encodeBatch([{ topic: 't', payload: new Uint8Array([0x61, 0xff]) }]), 1);
  expect(invalid[0]?.text()).toBe('a\uFFFD');
});

test('an empty batch', () => {
  expect(decodeBatch(new ArrayBuffer(0), 0)).toEqual([]);
});

const bytes = fc.uint8Array({ maxLength: 300 });
const string = fc.string({ unit: 'binary', maxLength: 50 });

const given: fc.Arbitrary<Given> = fc.record(
  {
    topic: string,
    payload: bytes,
    qos: fc.constantFrom(0, 1, 2),
    retain: fc.boolean(),
    dup: fc.boolean(),
    receivedAt: fc.double({ noNaN: true }),
    properties: fc.record(
      {
        payloadFormatIndicator: fc.boolean(),
        messageExpiryInterval: fc.integer({ min: 0, max: 0xffff_ffff }),
        contentType: string,
        responseTopic: string,
        correlationData: bytes,
        subscriptionIdentifier: fc.integer({ min: 1, max: 268_435_455 }),
        userProperties: fc.array(fc.tuple(string, string), { minLength: 1, maxLength: 4 }),
      },
      { requiredKeys: [] },
    ),
  },
  { requiredKeys: ['topic'] },
);

test('encoding and decoding are inverse', () => {
  fc.assert(
    fc.property(fc.array(given, { maxLength: 5 }), (messages) => {
      const decoded = decodeBatch(encodeBatch(messages), messages.length);
      expect(decoded).toHaveLength(messages.length);
      for (const [index, message] of messages.entries()) expect(decoded[index]).toMatchObject(message);
    }),
  );
});

/** Decodes the batch and reads every field; only the expected error may be thrown. */
function lookAtAll(buffer: ArrayBuffer, count: number): void {
  try {
    for (const message of decodeBatch(buffer, count)) {
      for (const part of [message.topic, message.payload, message.properties, message.receivedAt]) {
        expect(part).toBeDefined();
      }
      expect(message.payload.length).toBeLessThanOrEqual(buffer.byteLength);
    }
  } catch (error) {
    expect(error).toBeInstanceOf(MqttError);
    expect((error as MqttError).code).toBe('protocol');
  }
}

test('random bytes at most throw', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), fc.nat(3), (random, count) => {
      lookAtAll(random.slice().buffer, count);
      // As the content of a single record, to get past the length check.
      const length = new Uint8Array(4);
      new DataView(length.buffer).setUint32(0, random.length, true);
      lookAtAll(join([length, random]).buffer, 1);
    }),
    { numRuns: 2000 },
  );
});

test('a batch with bytes changed or missing at most throws', () => {
  const whole = new Uint8Array(encodeBatch([everything, everything]));
  fc.assert(
    fc.property(fc.nat(whole.length - 1), fc.nat(255), fc.nat(whole.length), (at, byte, length) => {
      const damaged = whole.slice();
      damaged[at] = byte;
      lookAtAll(damaged.buffer, 2);
      lookAtAll(damaged.slice(0, length).buffer, 2);
    }),
    { numRuns: 2000 },
  );
});

test('a message cannot read into the next record', () => {
  const first = encodeRecord({ topic: 'a', payload: new Uint8Array([1]) });
  const second = encodeRecord({ topic: 'secret' });
  // Makes the first record's topic longer than the record.
  first[4 + 1 + 8 + 1] = 9;
  expect(() => decodeBatch(join([first, second]).buffer, 2)).toThrow(/goes past the end/);
});

test.each<[string, ArrayBuffer, number]>([
  ['a count that is wrong', encodeBatch([{ topic: 'a' }]), 2],
  ['QoS 3', encodeBatch([{ topic: 'a', qos: 3 as 2 }]), 1],
  [
    'a length of five bytes',
    encodeBatch([{ topic: 'a', rawProperties: new Uint8Array([0x80, 0x80, 0x80, 0x80, 1]) }]),
    1,
  ],
  ['half a length', new Uint8Array([1, 0]).buffer, 0],
])('%s is malformed', (_, buffer, count) => {
  expect(() => decodeBatch(buffer, count)).toThrow(expect.objectContaining({ code: 'protocol' }));
});

test.each([
  ['unknown', [0x7f, 1]],
  ['of another packet', [0x11, 0, 0, 0, 1]],
  ['cut short', [0x03, 0, 9, 0x61]],
])('a property %s is malformed when read', (_, content) => {
  const rawProperties = join([varint(content.length), new Uint8Array(content)]);
  const [message] = decodeBatch(encodeBatch([{ topic: 'a', rawProperties }]), 1);
  expect(message?.topic).toBe('a');
  expect(() => message?.properties).toThrow(expect.objectContaining({ code: 'protocol' }));
});
