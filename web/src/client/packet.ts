/** Packets as they crossed the wire, decoded lazily. */

import {
  createReader,
  type PropertyTable,
  type PropertyValue,
  publishProperties,
  type Reader,
  readProperties,
} from './property-reader';

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
const properties: PropertyTable = {
  ...publishProperties,
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
  36: ['maximumQoS', 'byte'],
  37: ['retainAvailable', 'byte'],
  39: ['maximumPacketSize', 'four'],
  40: ['wildcardSubscriptionAvailable', 'byte'],
  41: ['subscriptionIdentifiersAvailable', 'byte'],
  42: ['sharedSubscriptionAvailable', 'byte'],
};

export type PacketProperties = Record<string, PropertyValue>;

/** The fields of a packet, with the names of MQTT.js. */
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
  /** Decoded when first read. Throws `protocol` when the packet is malformed. */
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
  const reader = createReader(bytes, 1, bytes.length, 'packet');
  const length = reader.varint();
  if (reader.left() !== length) throw reader.malformed('its length is wrong');
  return readFields(names[header >> 4] as PacketName, header & 15, reader);
}

function propertiesOf(reader: Reader): PacketProperties {
  const size = reader.varint();
  return readProperties(reader, reader.at() + size, properties);
}

function readFields(cmd: PacketName, flags: number, reader: Reader): PacketFields {
  const reason = (): PacketFields => ({
    ...(reader.left() > 0 && { reasonCode: reader.byte() }),
    ...(reader.left() > 0 && { properties: propertiesOf(reader) }),
  });
  switch (cmd) {
    case 'connect':
      return readConnect(reader);
    case 'connack':
      return {
        sessionPresent: (reader.byte() & 1) !== 0,
        reasonCode: reader.byte(),
        properties: propertiesOf(reader),
      };
    case 'publish': {
      const qos = (flags >> 1) & 3;
      const topic = reader.text();
      const messageId = qos > 0 ? { messageId: reader.two() } : {};
      const props = propertiesOf(reader);
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
      const fields = { messageId: reader.two(), properties: propertiesOf(reader) };
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
      const fields = { messageId: reader.two(), properties: propertiesOf(reader) };
      const unsubscriptions: string[] = [];
      while (reader.left() > 0) unsubscriptions.push(reader.text());
      return { ...fields, unsubscriptions };
    }
    case 'suback':
    case 'unsuback':
      return { messageId: reader.two(), properties: propertiesOf(reader), granted: [...reader.rest()] };
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
    properties: propertiesOf(reader),
    clientId: reader.text(),
  };
  if (flags & 4) {
    const props = propertiesOf(reader);
    const topic = reader.text();
    const payload = reader.bytes();
    fields.will = { topic, payload, qos: (flags >> 3) & 3, retain: (flags & 32) !== 0, properties: props };
  }
  if (flags & 128) fields.username = reader.text();
  if (flags & 64) fields.password = reader.bytes();
  return fields;
}
