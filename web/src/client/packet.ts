/** Packets as they crossed the wire, taken apart when somebody looks. */

import type { UserPropertyPairs } from '../protocol/boundary';
import { MqttError } from './errors';

/** The names of the packets, by type (2.1.2). */
const names = [
  'reserved',
  'connect',
  'connack',
  'publish',
  'puback',
  'pubrec',
  'pubrel',
  'pubcomp',
  'subscribe',
  'suback',
  'unsubscribe',
  'unsuback',
  'pingreq',
  'pingresp',
  'disconnect',
  'auth',
] as const;

export type PacketName = (typeof names)[number];

/** Names and types of the properties (2.2.2.2). */
const properties: Record<
  number,
  [name: string, type: 'byte' | 'two' | 'four' | 'varint' | 'text' | 'bytes' | 'pair']
> = {
  1: ['payloadFormatIndicator', 'byte'],
  2: ['messageExpiryInterval', 'four'],
  3: ['contentType', 'text'],
  8: ['responseTopic', 'text'],
  9: ['correlationData', 'bytes'],
  11: ['subscriptionIdentifier', 'varint'],
  17: ['sessionExpiryInterval', 'four'],
  18: ['assignedClientIdentifier', 'text'],
  19: ['serverKeepAlive', 'two'],
  21: ['authenticationMethod', 'text'],
  22: ['authenticationData', 'bytes'],
  23: ['requestProblemInformation', 'byte'],
  24: ['willDelayInterval', 'four'],
  25: ['requestResponseInformation', 'byte'],
  26: ['responseInformation', 'text'],
  28: ['serverReference', 'text'],
  31: ['reasonString', 'text'],
  33: ['receiveMaximum', 'two'],
  34: ['topicAliasMaximum', 'two'],
  35: ['topicAlias', 'two'],
  36: ['maximumQoS', 'byte'],
  37: ['retainAvailable', 'byte'],
  38: ['userProperties', 'pair'],
  39: ['maximumPacketSize', 'four'],
  40: ['wildcardSubscriptionAvailable', 'byte'],
  41: ['subscriptionIdentifiersAvailable', 'byte'],
  42: ['sharedSubscriptionAvailable', 'byte'],
};

export type PacketProperties = Record<string, number | string | Uint8Array | UserPropertyPairs | number[]>;

/** What a packet says, in the names of MQTT.js' packets. */
export interface PacketFields {
  messageId?: number;
  reasonCode?: number;
  properties?: PacketProperties;

  clientId?: string;
  clean?: boolean;
  keepalive?: number;
  username?: string;
  password?: Uint8Array;
  will?: { topic: string; payload: Uint8Array; qos: number; retain: boolean; properties: PacketProperties };

  sessionPresent?: boolean;

  topic?: string;
  payload?: Uint8Array;
  qos?: number;
  retain?: boolean;
  dup?: boolean;

  subscriptions?: { topic: string; qos: number; nl: boolean; rap: boolean; rh: number }[];
  unsubscriptions?: string[];
  /** Reason codes of SUBACK and UNSUBACK. */
  granted?: number[];
}

export interface Packet {
  readonly cmd: PacketName;
  /** Milliseconds since 1970. */
  readonly at: number;
  /** The whole packet, from the fixed header on. */
  readonly bytes: Uint8Array;
  /** Decoded at the first look. Throws `protocol` when the packet breaks the rules. */
  readonly fields: PacketFields;
}

/** Bytes before the packet in a record: length, direction, time. */
const head = 4 + 1 + 8;

/** A buffer of `onPackets`: records one after the other, as wasm/packets_js.go makes them. */
export function decodePackets(buffer: ArrayBuffer): { sent: boolean; packet: Packet }[] {
  const view = new DataView(buffer);
  const packets: { sent: boolean; packet: Packet }[] = [];
  for (let at = 0; at + head < buffer.byteLength; ) {
    const end = at + 4 + view.getUint32(at, true);
    if (end <= at + head || end > buffer.byteLength) break;
    const bytes = new Uint8Array(buffer, at + head, end - at - head);
    packets.push({
      sent: view.getUint8(at + 4) === 1,
      packet: packetOf(bytes, view.getFloat64(at + 5, true)),
    });
    at = end;
  }
  return packets;
}

export function packetOf(bytes: Uint8Array, at: number): Packet {
  let fields: PacketFields | undefined;
  return {
    cmd: names[(bytes[0] as number) >> 4] as PacketName,
    at,
    bytes,
    get fields() {
      fields ??= decode(bytes);
      return fields;
    },
  };
}

function decode(bytes: Uint8Array): PacketFields {
  const header = bytes[0] ?? 0;
  const reader = createReader(bytes.subarray(1));
  const length = reader.varint();
  if (reader.left() !== length) throw malformed('is not as long as it says');
  return readFields(names[header >> 4] as PacketName, header & 15, reader);
}

type Reader = ReturnType<typeof createReader>;

function readFields(cmd: PacketName, flags: number, reader: Reader): PacketFields {
  const reason = (): PacketFields => ({
    ...(reader.left() > 0 && { reasonCode: reader.byte() }),
    ...(reader.left() > 0 && { properties: reader.properties() }),
  });
  switch (cmd) {
    case 'connect':
      return readConnect(reader);
    case 'connack':
      return {
        sessionPresent: (reader.byte() & 1) !== 0,
        reasonCode: reader.byte(),
        properties: reader.properties(),
      };
    case 'publish': {
      const qos = (flags >> 1) & 3;
      const topic = reader.text();
      const messageId = qos > 0 ? { messageId: reader.two() } : {};
      const props = reader.properties();
      const payload = reader.rest();
      return {
        topic,
        payload,
        qos,
        retain: (flags & 1) !== 0,
        dup: (flags & 8) !== 0,
        ...messageId,
        properties: props,
      };
    }
    case 'puback':
    case 'pubrec':
    case 'pubrel':
    case 'pubcomp':
      return { messageId: reader.two(), ...reason() };
    case 'subscribe': {
      const fields = { messageId: reader.two(), properties: reader.properties() };
      const subscriptions: NonNullable<PacketFields['subscriptions']> = [];
      while (reader.left() > 0) {
        const topic = reader.text();
        const options = reader.byte();
        subscriptions.push({
          topic,
          qos: options & 3,
          nl: (options & 4) !== 0,
          rap: (options & 8) !== 0,
          rh: (options >> 4) & 3,
        });
      }
      return { ...fields, subscriptions };
    }
    case 'unsubscribe': {
      const fields = { messageId: reader.two(), properties: reader.properties() };
      const unsubscriptions: string[] = [];
      while (reader.left() > 0) unsubscriptions.push(reader.text());
      return { ...fields, unsubscriptions };
    }
    case 'suback':
    case 'unsuback':
      return { messageId: reader.two(), properties: reader.properties(), granted: [...reader.rest()] };
    case 'disconnect':
    case 'auth':
      return reason();
    default:
      return {};
  }
}

function readConnect(reader: Reader): PacketFields {
  reader.text(); // MQTT
  reader.byte(); // 5
  const flags = reader.byte();
  const keepalive = reader.two();
  const fields: PacketFields = {
    clean: (flags & 2) !== 0,
    keepalive,
    properties: reader.properties(),
    clientId: reader.text(),
  };
  if (flags & 4) {
    const props = reader.properties();
    const topic = reader.text();
    const payload = reader.binary();
    fields.will = { topic, payload, qos: (flags >> 3) & 3, retain: (flags & 32) !== 0, properties: props };
  }
  if (flags & 128) fields.username = reader.text();
  if (flags & 64) fields.password = reader.binary();
  return fields;
}

function createReader(bytes: Uint8Array) {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let at = 0;

  /** Where the next `size` bytes begin. */
  function take(size: number): number {
    if (at + size > bytes.length) throw malformed('ends too early');
    at += size;
    return at - size;
  }

  const byte = (): number => view.getUint8(take(1));
  const two = (): number => view.getUint16(take(2));
  const four = (): number => view.getUint32(take(4));
  const binary = (): Uint8Array => {
    const size = two();
    const from = take(size);
    return bytes.subarray(from, from + size);
  };
  const text = (): string => new TextDecoder().decode(binary());

  function varint(): number {
    let value = 0;
    for (let factor = 1; factor <= 128 ** 3; factor *= 128) {
      const digit = byte();
      value += (digit & 127) * factor;
      if (digit < 128) return value;
    }
    throw malformed('has a length of more than four bytes'); // [MQTT-1.5.5-1]
  }

  const read = {
    byte,
    two,
    four,
    varint,
    text,
    bytes: binary,
    pair: () => [text(), text()] as [string, string],
  };

  function readProperties(): PacketProperties {
    const size = varint();
    const end = at + size;
    if (end > bytes.length) throw malformed('ends too early');
    const found: PacketProperties = {};
    while (at < end) {
      const [name, type] = properties[varint()] ?? [];
      if (name === undefined || type === undefined)
        throw malformed('has a property that MQTT 5 does not know');
      const value = read[type]();
      const before = found[name];
      const repeatable = type === 'pair' || name === 'subscriptionIdentifier';
      if (before !== undefined && !repeatable) throw malformed(`has the property ${name} twice`); // 2.2.2.2
      if (type === 'pair')
        found[name] = [...((before as UserPropertyPairs) ?? []), value as [string, string]];
      else if (name === 'subscriptionIdentifier' && before !== undefined)
        found[name] = [before, value].flat() as number[];
      else found[name] = value as number | string | Uint8Array;
    }
    if (at !== end) throw malformed('has properties that are longer than they say');
    return found;
  }

  return {
    byte,
    two,
    varint,
    text,
    binary,
    properties: readProperties,
    left: () => bytes.length - at,
    rest: () => bytes.subarray(take(bytes.length - at)),
  };
}

function malformed(problem: string): MqttError {
  return new MqttError('protocol', `malformed packet: it ${problem}`);
}
