/** Malformed packets fail with code `protocol` wherever they are detected; with the real program. */

import { afterEach, expect, test } from 'vitest';
import { MqttError } from './errors';
import { packet, startBroker, string } from './testing-broker';

let stop = (): void => {};
afterEach(() => stop());

const connack = packet(0x20, 0, 0, 0);
const bytes = (...all: number[]): Uint8Array => new Uint8Array(all);

test.each<[string, Uint8Array]>([
  ['another packet than CONNACK', packet(0xd0)],
  ['a packet that clients send', packet(0x10, ...string('MQTT'), 5, 0, 0, 0, 0)],
  ['text', new TextEncoder().encode('HTTP/1.1 400 Bad Request\r\n\r\n')],
  ['a CONNACK without a reason code', packet(0x20, 0)],
  ['a CONNACK with reserved flags', packet(0x20, 0xff, 0, 0)],
  ['a CONNACK with an unknown property', packet(0x20, 0, 0, 2, 99, 1)],
  ['a CONNACK with a property twice', packet(0x20, 0, 0, 6, 33, 0, 9, 33, 0, 9)],
  ['a CONNACK with properties past its end', packet(0x20, 0, 0, 9, 33, 0)],
  ['a CONNACK with a session that was not asked for', packet(0x20, 1, 0, 0)],
  ['a length of five bytes', bytes(0x20, 0xff, 0xff, 0xff, 0xff, 1)],
])('connecting fails with protocol: %s', async (_, answer) => {
  const broker = await startBroker((given) => (given[0] === 0x10 ? answer : undefined));
  stop = broker.stop;
  const error: unknown = await broker.connect({ reconnectPeriod: 0 }).catch((reason) => reason);
  expect(error).toBeInstanceOf(MqttError);
  expect(error).toMatchObject({ code: 'protocol' });
});

test.each<[string, Uint8Array]>([
  ['packet type 0', packet(0x00)],
  ['a second CONNACK', connack],
  ['a packet that clients send', packet(0x82, 0, 1, 0, ...string('a'), 0)],
  ['a length of five bytes', bytes(0x30, 0xff, 0xff, 0xff, 0xff, 1)],
  ['PUBLISH of QoS 3', packet(0x36, ...string('a'), 0, 1, 0)],
  ['PUBLISH with a topic past its end', packet(0x30, 0, 9, 0x61)],
  ['PUBLISH with a topic that is not UTF-8', packet(0x30, 0, 1, 0xff, 0)],
  ['PUBLISH with a wildcard', packet(0x30, ...string('a/#'), 0)],
  ['PUBLISH with an unknown property', packet(0x30, ...string('a'), 2, 99, 1)],
  ['PUBLISH with half a user property', packet(0x30, ...string('a'), 4, 38, 0, 1, 0x6b)],
  ['PUBLISH with an alias that nobody offered', packet(0x30, ...string('a'), 3, 35, 0, 9)],
  ['PUBACK without an identifier', packet(0x40, 0)],
  ['PUBREL with other flags', packet(0x60, 0, 1)],
  ['SUBACK with properties past its end', packet(0x90, 0, 1, 9)],
  ['PINGRESP with a body', packet(0xd0, 0)],
  ['DISCONNECT with a reason that is none', packet(0xe0, 1)],
  ['AUTH that was not agreed on', packet(0xf0, 0x18, 0)],
])('the connection and pending calls fail with protocol: %s', async (_, wrong) => {
  const broker = await startBroker((given) => {
    if (given[0] === 0x10) return connack;
    return given[0] === 0x82 ? wrong : undefined;
  });
  stop = broker.stop;
  const client = await broker.connect({ reconnectPeriod: 0 });
  const closed = new Promise<unknown>((resolve) => client.once('close', resolve));
  const failed: unknown = await client.subscribe('a').catch((reason) => reason);
  for (const error of [failed, await closed]) {
    expect(error).toBeInstanceOf(MqttError);
    expect(error).toMatchObject({ code: 'protocol' });
  }
  await client.end(true);
});

test('a text frame is a protocol error, too', async () => {
  const broker = await startBroker((given, socket) => {
    if (given[0] === 0x10) return connack;
    if (given[0] === 0x82) socket.send('\x90\x04\x00\x01\x00\x00');
    return undefined;
  });
  stop = broker.stop;
  const client = await broker.connect({ reconnectPeriod: 0 });
  await expect(client.subscribe('a')).rejects.toMatchObject({ name: 'MqttError', code: 'protocol' });
  await client.end(true);
});

test.each<[string, number[]]>([
  ['too few', []],
  ['too many', [0, 0]],
  ['a reason code that is none', [7]],
])('an ack with a wrong number of codes fails only its call with protocol: %s', async (_, codes) => {
  const broker = await startBroker((given) => {
    if (given[0] === 0x10) return connack;
    if (given[0] === 0xc0) return packet(0xd0);
    return given[0] === 0x82 ? packet(0x90, given[2] as number, given[3] as number, 0, ...codes) : undefined;
  });
  stop = broker.stop;
  const client = await broker.connect({ reconnectPeriod: 0 });
  await expect(client.subscribe('a')).rejects.toMatchObject({ name: 'MqttError', code: 'protocol' });
  await client.ping();
  await client.end(true);
});
