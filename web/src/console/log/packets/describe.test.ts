import { describe, expect, test } from 'vitest';
import { packetOf } from '../../../client/packet';
import { limits } from '../../core/limits';
import { detailsOf, summaryOf } from './describe';
import { recordOf } from './export';
import { maskedDump } from './secrets';
import { connectPacket, packet, sized } from './testing';

describe('summaries', () => {
  test.each([
    ['CONNECT', connectPacket(), 'me · user alice · keep alive 60 s · clean start'],
    ['CONNACK', packet(0x20, [1, 0, 0]), '0x00 Success · session present'],
    ['a refusal', packet(0x20, [0, 0x87, 0]), '0x87 Not authorized'],
    ['PUBLISH', packet(0x3b, [...sized('a/b'), 0, 5, 0, 'hi']), 'a/b · QoS 1 · retain · DUP · 2 bytes'],
    ['a topic alias', packet(0x30, [0, 0, 3, 35, 0, 7]), 'topic alias 7 · QoS 0 · 0 bytes'],
    ['PUBACK', packet(0x40, [0, 5]), '0x00 Success'],
    ['PUBREC', packet(0x50, [0, 5, 0x97]), '0x97 Quota exceeded'],
    ['SUBSCRIBE', packet(0x82, [0, 1, 0, ...sized('a/#'), 1, ...sized('b'), 2]), 'a/# · QoS 1, b · QoS 2'],
    ['SUBACK', packet(0x90, [0, 1, 0, 0, 0x8f]), '0x00 Granted QoS 0, 0x8F Topic Filter invalid'],
    ['UNSUBSCRIBE', packet(0xa2, [0, 1, 0, ...sized('a')]), 'a'],
    ['UNSUBACK', packet(0xb0, [0, 1, 0, 0x11]), '0x11 No subscription existed'],
    ['PINGREQ', packet(0xc0), ''],
    ['DISCONNECT', packet(0xe0), '0x00 Normal disconnection'],
    ['AUTH', packet(0xf0, [0x18, 4, 21, ...sized('m')]), '0x18 Continue authentication · m'],
    ['what is broken', packet(0x20, [0]), 'cannot be read: it breaks the rules of MQTT 5'],
    ['a hostile topic', packet(0x30, [...sized('a\u202eb\n'), 0]), 'a\\u202eb␊ · QoS 0 · 0 bytes'],
  ])('%s', (_, given, line) => expect(summaryOf(given)).toBe(line));
});

test('summary and details are short, however many topic filters a packet has', () => {
  const filters = Array.from({ length: 5000 }, () => [...sized('x'.repeat(10)), 0]).flat();
  const length = 3 + filters.length;
  const bytes = [
    0x82,
    0x80 | (length & 127),
    0x80 | ((length >> 7) & 127),
    length >> 14,
    0,
    1,
    0,
    ...filters,
  ];
  const given = packetOf(new Uint8Array(bytes), 0);
  const line = summaryOf(given);
  expect(line).toMatch(/^x{10} · QoS 0, .*, … and 4,990 more$/);
  expect(line.length).toBeLessThan(1000);
  const details = detailsOf(given);
  expect(details.length).toBeLessThan(3 * limits.properties);
  expect(details.map(([, , value]) => value)).toContain('… and 4,900 more');
});

describe('every field with its name and clause', () => {
  const named = (...args: Parameters<typeof detailsOf>) =>
    detailsOf(...args).map(([name, clause, value]) => `${name} (${clause}): ${value}`);

  test('CONNECT', () => {
    expect(named(connectPacket())).toEqual([
      'Packet type (2.1.2): 1 CONNECT',
      'Flags (2.1.3): 0000',
      'Protocol Name (3.1.2.1): MQTT',
      'Protocol Version (3.1.2.2): 5',
      'Clean Start (3.1.2.4): 1',
      'Keep Alive (3.1.2.10): 60 s',
      'Authentication Method (3.1.2.11.9): SCRAM',
      'Authentication Data (3.1.2.11.10): •••••• hidden, 5 bytes',
      'Client Identifier (3.1.3.1): me',
      'User Name (3.1.3.5): alice',
      'Password (3.1.3.6): •••••• hidden, 6 bytes',
    ]);
  });

  test('PUBLISH', () => {
    const properties = [1, 1, 38, ...sized('k'), ...sized('v'), 38, ...sized('k'), ...sized('w')];
    const given = packet(0x32, [...sized('a'), 0, 9, properties.length, ...properties, 'hi']);
    expect(named(given).slice(2)).toEqual([
      'DUP (3.3.1.1): 0',
      'QoS (3.3.1.2): 1',
      'RETAIN (3.3.1.3): 0',
      'Topic Name (3.3.2.1): a',
      'Packet Identifier (2.2.1): 9',
      'Payload Format Indicator (3.3.2.3.2): 1',
      'User Property (3.3.2.3.7): k: v',
      'User Property (3.3.2.3.7): k: w',
      'Payload (3.3.3): hi',
    ]);
  });

  test('CONNACK, SUBSCRIBE, DISCONNECT', () => {
    expect(named(packet(0x20, [0, 0, 3, 33, 0, 9])).at(-1)).toBe('Receive Maximum (3.2.2.3.3): 9');
    expect(named(packet(0x82, [0, 1, 0, ...sized('a'), 0b0010_1101])).at(-1)).toBe(
      'Subscription Options (3.8.3.1): QoS 1, No Local 1, Retain As Published 1, Retain Handling 2',
    );
    expect(named(packet(0xe0, [0x8b])).at(-1)).toBe('Reason Code (3.14.2.1): 0x8B Server shutting down');
  });
});

describe('secrets', () => {
  const recorded = (given = connectPacket()) =>
    JSON.stringify(
      recordOf({ number: 0, sent: true, packet: given, identifier: undefined, gap: undefined, size: 0 }),
    );
  const ascii = (dump: string) =>
    dump
      .split('\n')
      .map((line) => line.slice(-16))
      .join('');

  test('are in neither the dump nor the export', () => {
    const dump = maskedDump(connectPacket(), 4096);
    expect(ascii(dump)).toContain('alice');
    expect(ascii(dump)).not.toMatch(/pencil|proof/);
    expect(dump.match(/(•• ?)+/g)).not.toBeNull();
    expect(dump).not.toContain('70 65 6e'); // "pen"
    expect(recorded()).toContain('"password":{"hidden":"6 bytes"}');
    expect(recorded()).not.toMatch(/pencil|proof|cGVuY2ls/);
  });

  test('nor in what is left of an unreadable packet', () => {
    const { bytes } = connectPacket();
    const broken = packet(0x10, [...bytes.subarray(2, -1)]);
    expect(ascii(maskedDump(broken, 4096))).not.toMatch(/pen|proof/);
    expect(recorded(broken)).not.toMatch(/pen|proof/);
  });

  test('a dump has only the first bytes', () => {
    const dump = maskedDump(packet(0x30, [...sized('abc'), 0, 'xyz']), 8);
    expect(dump).toBe('0000  30 09 00 03 61 62 63 00                          0···abc·');
  });
});

/** A packet with a body of any length. */
function largePacket(header: number, body: Uint8Array) {
  const { length } = body;
  const size = [
    (length & 127) | 128,
    ((length >> 7) & 127) | 128,
    ((length >> 14) & 127) | 128,
    length >> 21,
  ];
  return packetOf(new Uint8Array([header, ...size, ...body]), 0);
}

describe('of long lists the first items are shown, and the others counted', () => {
  const times = (count: number, ...bytes: number[]) => Array.from({ length: count }, () => bytes).flat();
  const count = 40_000;
  const longSize = (length: number) => [(length & 127) | 128, ((length >> 7) & 127) | 128, length >> 14];

  test('user properties and subscription identifiers', () => {
    const properties = [...times(count, 38, 0, 0, 0, 0), ...times(count, 11, 1)];
    const body = [...sized('t'), ...longSize(properties.length), ...properties];
    const fields = detailsOf(largePacket(0x30, Uint8Array.from(body)));
    expect(fields.length).toBeLessThan(limits.properties + 20);
    expect(fields.map(([, , value]) => value)).toContain('… and 39,900 more');
    expect(Math.max(...fields.map(([, , value]) => value.length))).toBeLessThan(2 * limits.text);
  });

  test.each([
    ['SUBSCRIBE', 0x82, [0, 1, 97, 0], 2],
    ['UNSUBSCRIBE', 0xa2, [0, 1, 97], 1],
    ['SUBACK', 0x90, [0], 1],
  ])('%s', (_, header, one, each) => {
    const given = largePacket(header, Uint8Array.from([0, 1, 0, ...times(count, ...one)]));
    expect(detailsOf(given).length).toBeLessThan(each * limits.properties + 20);
    expect(detailsOf(given).at(-1)?.[2]).toBe('… and 39,900 more');
    expect(summaryOf(given)).toMatch(/, … and 39,990 more$/);
    expect(summaryOf(given).length).toBeLessThan(limits.summary * limits.name);
  });
});
