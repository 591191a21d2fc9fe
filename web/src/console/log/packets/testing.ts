/** For tests: packets from their bytes. */

import { type Packet, packetOf } from '../../../client/packet';

const encoder = new TextEncoder();

/** A text or bytes with their length before them (1.5.4, 1.5.6). */
export function sized(value: string): number[] {
  const bytes = [...encoder.encode(value)];
  return [bytes.length >> 8, bytes.length & 255, ...bytes];
}

/** With a body of at most 127 bytes; a text in it stands as it is. */
export function packet(header: number, body: (number | string)[] = [], at = 0): Packet {
  const bytes = body.flatMap((part) => (typeof part === 'string' ? [...encoder.encode(part)] : [part]));
  return packetOf(new Uint8Array([header, bytes.length, ...bytes]), at);
}

/** CONNECT with user name, password and authentication data. */
export function connectPacket(): Packet {
  const properties = [21, ...sized('SCRAM'), 22, ...sized('proof')];
  return packet(0x10, [
    ...sized('MQTT'),
    5,
    0b1100_0010,
    0,
    60,
    properties.length,
    ...properties,
    ...sized('me'),
    ...sized('alice'),
    ...sized('pencil'),
  ]);
}
