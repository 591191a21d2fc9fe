/** Just enough of MQTT 5 to talk to a server over a bare WebSocket. */

import type { QoS } from './contestant';

export const type = {
  connect: 1,
  connack: 2,
  publish: 3,
  puback: 4,
  pubrec: 5,
  pubrel: 6,
  pubcomp: 7,
  subscribe: 8,
  suback: 9,
} as const;

const encoder = new TextEncoder();

function packet(first: number, body: number[], payload = new Uint8Array()): Uint8Array<ArrayBuffer> {
  const length: number[] = [];
  let rest = body.length + payload.length;
  do {
    length.push((rest & 0x7f) | (rest > 0x7f ? 0x80 : 0));
    rest >>= 7;
  } while (rest > 0);
  const bytes = new Uint8Array(1 + length.length + body.length + payload.length);
  bytes[0] = first;
  bytes.set(length, 1);
  bytes.set(body, 1 + length.length);
  bytes.set(payload, 1 + length.length + body.length);
  return bytes;
}

const u16 = (value: number): [number, number] => [value >> 8, value & 0xff];

function text(value: string): number[] {
  const bytes = encoder.encode(value);
  return [...u16(bytes.length), ...bytes];
}

/** Clean Start 1, Keep Alive 0, no properties, an empty client identifier. */
export const connect = () => packet(type.connect << 4, [...text('MQTT'), 5, 2, 0, 0, 0, ...text('')]);

export const subscribe = (filter: string, qos: QoS) =>
  packet((type.subscribe << 4) | 2, [...u16(1), 0, ...text(filter), qos]);

export const publish = (topic: string, payload: string, qos: QoS, id: number) =>
  packet(
    (type.publish << 4) | (qos << 1),
    [...text(topic), ...(qos > 0 ? u16(id) : []), 0],
    encoder.encode(payload),
  );

export const pubrel = (id: number) => packet((type.pubrel << 4) | 2, u16(id));

/** PUBACKs for all the packet identifiers, in one frame. */
export function pubacks(ids: number[]): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(ids.length * 4);
  for (const [index, id] of ids.entries()) {
    bytes.set([type.puback << 4, 2, id >> 8, id & 0xff], index * 4);
  }
  return bytes;
}

/**
 * Calls `visit` with each complete packet: its first byte, and where its content after the fixed header
 * starts and ends. Returns the start of the first incomplete packet.
 */
export function walk(bytes: Uint8Array, visit: (first: number, start: number, end: number) => void): number {
  let at = 0;
  while (at < bytes.length) {
    let next = at + 1;
    let length = 0;
    let shift = 0;
    let byte = 0x80;
    while (byte >= 0x80) {
      if (next === bytes.length) return at;
      byte = bytes[next++] as number;
      length |= (byte & 0x7f) << shift;
      shift += 7;
    }
    if (next + length > bytes.length) return at;
    visit(bytes[at] as number, next, next + length);
    at = next + length;
  }
  return at;
}
