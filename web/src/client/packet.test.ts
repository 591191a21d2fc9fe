import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { MqttError } from './errors';
import { decodePackets, packetOf } from './packet';

const bytes = (...parts: (number | string)[]): Uint8Array =>
  new Uint8Array(parts.flatMap((part) => (typeof part === 'string' ? [...Buffer.from(part)] : [part])));
/** UTF-8 Encoded String of at most 255 bytes. */
const text = (value: string): (number | string)[] => [0, Buffer.byteLength(value), value];
const packet = (header: number, ...parts: (number | string)[]) => {
  const body = bytes(...parts);
  return packetOf(bytes(header, body.length, ...body), 5);
};

describe('decodes', () => {
  test('CONNECT with a will and credentials', () => {
    const { cmd, fields } = packet(
      0x10,
      ...text('MQTT'),
      5,
      0b1110_1110,
      0,
      60,
      ...[5, 17, 0, 0, 1, 0],
      ...text('me'),
      ...[5, 24, 0, 0, 0, 9],
      ...text('gone'),
      ...text('bye'),
      ...text('user'),
      ...text('pass'),
    );
    expect(cmd).toBe('connect');
    expect(fields).toEqual({
      clean: true,
      keepalive: 60,
      properties: { sessionExpiryInterval: 256 },
      clientId: 'me',
      will: {
        topic: 'gone',
        payload: bytes('bye'),
        qos: 1,
        retain: true,
        properties: { willDelayInterval: 9 },
      },
      username: 'user',
      password: bytes('pass'),
    });
  });

  test('PUBLISH with properties, some of them repeated', () => {
    const pairs = [38, ...text('k'), ...text('1'), 38, ...text('k'), ...text('2')];
    const properties = [1, 1, 11, 5, 11, 0x80, 1, 9, 0, 2, 1, 2, ...pairs];
    const size = bytes(...properties).length;
    const { cmd, fields } = packet(0x3d, ...text('a/b'), 1, 2, size, ...properties, 'hi');
    expect(cmd).toBe('publish');
    expect(fields).toEqual({
      topic: 'a/b',
      payload: bytes('hi'),
      qos: 2,
      retain: true,
      dup: true,
      messageId: 258,
      properties: {
        payloadFormatIndicator: 1,
        subscriptionIdentifier: [5, 128],
        correlationData: bytes(1, 2),
        userProperties: [
          ['k', '1'],
          ['k', '2'],
        ],
      },
    });
  });

  test.each([
    [
      'connack',
      packet(0x20, 1, 0x87, 3, 33, 0, 9),
      { sessionPresent: true, reasonCode: 0x87, properties: { receiveMaximum: 9 } },
    ],
    ['puback', packet(0x40, 0, 7), { messageId: 7 }],
    ['pubrec', packet(0x50, 0, 7, 0x97), { messageId: 7, reasonCode: 0x97 }],
    ['pubrel', packet(0x62, 0, 7, 0x92, 0), { messageId: 7, reasonCode: 0x92, properties: {} }],
    ['pubcomp', packet(0x70, 0, 7), { messageId: 7 }],
    [
      'subscribe',
      packet(0x82, 0, 1, 0, ...text('a/#'), 0b0010_1101),
      { messageId: 1, properties: {}, subscriptions: [{ topic: 'a/#', qos: 1, nl: true, rap: true, rh: 2 }] },
    ],
    ['suback', packet(0x90, 0, 1, 0, 1, 0x80), { messageId: 1, properties: {}, granted: [1, 0x80] }],
    [
      'unsubscribe',
      packet(0xa2, 0, 1, 0, ...text('a'), ...text('b')),
      { messageId: 1, properties: {}, unsubscriptions: ['a', 'b'] },
    ],
    ['unsuback', packet(0xb0, 0, 1, 0, 0x11), { messageId: 1, properties: {}, granted: [0x11] }],
    ['pingreq', packet(0xc0), {}],
    ['pingresp', packet(0xd0), {}],
    ['disconnect', packet(0xe0), {}],
    [
      'auth',
      packet(0xf0, 0x18, 4, 21, ...text('m')),
      { reasonCode: 0x18, properties: { authenticationMethod: 'm' } },
    ],
  ])('%s', (cmd, given, fields) => {
    expect(given.cmd).toBe(cmd);
    expect(given.fields).toEqual(fields);
  });

  test.each([
    ['a length that is not its own', packetOf(bytes(0x40, 3, 0, 7), 0)],
    ['a packet that ends too early', packet(0x40, 0)],
    ['an unknown property', packet(0x20, 0, 0, 2, 99, 1)],
    ['a property twice', packet(0x20, 0, 0, 6, 33, 0, 9, 33, 0, 9)],
    ['properties longer than they say', packet(0x20, 0, 0, 1, 33, 0, 9)],
    ['a length without end', packetOf(bytes(0x30, 0xff, 0xff, 0xff, 0xff, 1), 0)],
  ])('%s is an error', (_, given) => {
    expect(() => given.fields).toThrow(MqttError);
    expect(() => given.fields).toThrow(expect.objectContaining({ code: 'protocol' }));
  });

  test('arbitrary bytes give fields or a protocol error', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 1, maxLength: 60 }), fc.boolean(), (given, honest) => {
        // Half of the cases have the right length; otherwise few would get past the length check.
        const whole =
          honest && given.length > 1
            ? bytes(given[0] as number, given.length - 2, ...given.subarray(2))
            : given;
        try {
          expect(packetOf(whole, 0).fields).toBeTypeOf('object');
        } catch (error) {
          expect(error).toMatchObject({ name: 'MqttError', code: 'protocol' });
        }
      }),
      { numRuns: 2000 },
    );
  });
});

describe('records', () => {
  const record = (sent: number, at: number, ...packet: number[]): Uint8Array => {
    const whole = new Uint8Array(13 + packet.length);
    const view = new DataView(whole.buffer);
    view.setUint32(0, 9 + packet.length, true);
    view.setUint8(4, sent);
    view.setFloat64(5, at, true);
    whole.set(packet, 13);
    return whole;
  };

  test('are read one after the other', () => {
    const { buffer } = new Uint8Array([...record(1, 1.5, 0xc0, 0), ...record(0, 2, 0xd0, 0)]);
    const packets = decodePackets(buffer);
    expect(packets.map(({ sent, packet }) => [sent, packet.cmd, packet.at, [...packet.bytes]])).toEqual([
      [true, 'pingreq', 1.5, [0xc0, 0]],
      [false, 'pingresp', 2, [0xd0, 0]],
    ]);
  });

  test('a truncated record ends the list', () => {
    const { buffer } = new Uint8Array([...record(1, 1, 0xc0, 0), ...record(0, 2, 0xd0, 0).subarray(0, 14)]);
    expect(decodePackets(buffer)).toHaveLength(1);
    expect(decodePackets(new ArrayBuffer(0))).toEqual([]);
  });
});
