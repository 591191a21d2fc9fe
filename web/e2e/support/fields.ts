/** Parses the packets that a client sends. */

import type { Packet } from './scripted';

/** Values by identifier (2.2.2.2), without user properties, which no test reads. */
export type Properties = Map<number, Buffer>;

/** Identifiers that the tests use. */
export const property = { authenticationMethod: 0x15, authenticationData: 0x16, topicAlias: 0x23 } as const;

export interface Connect {
  clientId: string;
  username: string | undefined;
  password: string | undefined;
  properties: Properties;
}

/** CONNECT without a will (3.1). */
export function connectOf({ body }: Packet): Connect {
  const reader = readerOf(body);
  reader.field(); // MQTT
  const flags = reader.take(2).readUInt8(1);
  reader.take(2); // Keep Alive
  return {
    properties: reader.properties(),
    clientId: reader.field().toString(),
    username: flags & 0x80 ? reader.field().toString() : undefined,
    password: flags & 0x40 ? reader.field().toString() : undefined,
  };
}

export interface Publish {
  topic: string;
  qos: number;
  dup: boolean;
  properties: Properties;
  payload: string;
}

export function publishOf({ flags, body }: Packet): Publish {
  const reader = readerOf(body);
  const topic = reader.field().toString();
  const qos = (flags >> 1) & 3;
  if (qos > 0) reader.take(2); // Packet Identifier
  const properties = reader.properties();
  return { topic, qos, dup: (flags & 8) !== 0, properties, payload: reader.rest().toString() };
}

export interface Auth {
  reason: number;
  data: Buffer | undefined;
}

export function authOf({ body }: Packet): Auth {
  const reader = readerOf(body);
  const reason = reader.take(1).readUInt8();
  return { reason, data: reader.properties().get(property.authenticationData) };
}

/** Sizes of the fixed-length properties. */
const sizes = new Map([
  [0x01, 1],
  [0x02, 4],
  [0x11, 4],
  [0x17, 1],
  [0x19, 1],
  [0x21, 2],
  [0x22, 2],
  [0x23, 2],
  [0x27, 4],
]);

function readerOf(bytes: Buffer) {
  let at = 0;
  const take = (size: number): Buffer => {
    at += size;
    return bytes.subarray(at - size, at);
  };
  const field = (): Buffer => take(take(2).readUInt16BE());
  const varint = (): number => {
    for (let value = 0, shift = 0; ; shift += 7) {
      const byte = take(1).readUInt8();
      value += (byte & 0x7f) << shift;
      if (byte < 0x80) return value;
    }
  };
  const properties = (): Properties => {
    const found: Properties = new Map();
    const size = varint();
    for (const end = at + size; at < end; ) {
      const id = take(1).readUInt8();
      const fixed = sizes.get(id);
      found.set(id, fixed === undefined ? field() : take(fixed));
    }
    return found;
  };
  return { take, field, properties, rest: () => bytes.subarray(at) };
}
