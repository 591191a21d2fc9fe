/** Reads the data types of MQTT packets (MQTT 5, 1.5), and their properties (2.2.2). */

import { MqttError } from './errors';

export type PropertyType = 'byte' | 'two' | 'four' | 'varint' | 'text' | 'bytes' | 'pair';

/** Names and types of properties by their identifiers. */
export type PropertyTable = Record<number, [name: string, type: PropertyType]>;

export type PropertyValue = number | number[] | string | Uint8Array | [name: string, value: string][];

export type Reader = ReturnType<typeof createReader>;

// MQTT keeps U+FEFF anywhere in a string [MQTT-1.5.4-3]; TextDecoder would drop a leading one.
export const mqttText = new TextDecoder('utf-8', { ignoreBOM: true });

/** The properties of PUBLISH that a receiver gets (3.3.2.3). */
export const publishProperties: PropertyTable = {
  1: ['payloadFormatIndicator', 'byte'],
  2: ['messageExpiryInterval', 'four'],
  3: ['contentType', 'text'],
  8: ['responseTopic', 'text'],
  9: ['correlationData', 'bytes'],
  11: ['subscriptionIdentifier', 'varint'],
  35: ['topicAlias', 'two'],
  38: ['userProperties', 'pair'],
};

/**
 * Reads from `start`, and throws `protocol` instead of reading at or past `end`. `what` names in
 * errors what is read.
 */
export function createReader(bytes: Uint8Array, start: number, end: number, what: string) {
  let next = start;

  /** Returns the position before. */
  function skip(length: number): number {
    const from = next;
    if (length > end - next) throw malformed(what, 'a length goes past the end');
    next += length;
    return from;
  }

  const byte = (): number => bytes[skip(1)] as number;
  const two = (): number => (byte() << 8) | byte();
  const four = (): number => two() * 0x10000 + two();

  /** Variable Byte Integer, of four bytes at most (1.5.5). */
  function varint(): number {
    let value = 0;
    for (let shift = 0; shift < 28; shift += 7) {
      const digit = byte();
      value |= (digit & 0x7f) << shift;
      if (digit < 0x80) return value;
    }
    throw malformed(what, 'a variable byte integer of more than four bytes'); // [MQTT-1.5.5-1]
  }

  function binary(): Uint8Array {
    const length = two();
    const from = skip(length);
    return bytes.subarray(from, from + length);
  }

  const text = (): string => mqttText.decode(binary());

  return {
    at: () => next,
    left: () => end - next,
    rest: () => bytes.subarray(skip(end - next), end),
    byte,
    two,
    four,
    varint,
    text,
    bytes: binary,
    pair: (): [string, string] => [text(), text()],
    skip,
    malformed: (why: string) => malformed(what, why),
  };
}

/** The properties up to `end`, by name: all pairs and subscription identifiers, the others once. */
export function readProperties(
  reader: Reader,
  end: number,
  table: PropertyTable,
): Record<string, PropertyValue> {
  const found: Record<string, PropertyValue> = {};
  while (reader.at() < end) {
    const identifier = reader.varint();
    const [name, type] = table[identifier] ?? [];
    if (name === undefined || type === undefined) {
      throw reader.malformed(`property 0x${identifier.toString(16)}`);
    }
    const value = reader[type]();
    const before = found[name];
    if (before === undefined) found[name] = type === 'pair' ? [value as [string, string]] : (value as number);
    else if (type === 'pair') (before as [string, string][]).push(value as [string, string]);
    else if (type === 'varint' && Array.isArray(before)) (before as number[]).push(value as number);
    else if (type === 'varint') found[name] = [before as number, value as number];
    else throw reader.malformed(`the property ${name} twice`); // 2.2.2.2
  }
  if (reader.at() !== end) throw reader.malformed('properties that go past their length');
  return found;
}

/** Bytes of a record of a batch before its topic: length, flags and time (`message.ts` has the format). */
export const topicAt = 4 + 1 + 8;

/** The records of a batch, and where their topics are. */
export function* batchRecords(buffer: ArrayBuffer) {
  const view = new DataView(buffer);
  for (let start = 0, end = 0; start < buffer.byteLength; start = end) {
    end = start + 4 + view.getUint32(start, true);
    const topicStart = start + topicAt + 2;
    const topicEnd = topicStart + view.getUint16(start + topicAt);
    yield { start, end, flags: view.getUint8(start + 4), topicStart, topicEnd };
  }
}

/** These parts, one after the other. */
export function joined(parts: Uint8Array[], size: number): ArrayBuffer {
  const whole = new Uint8Array(size);
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole.buffer;
}

export function malformed(what: string, why: string): MqttError {
  return new MqttError('protocol', `malformed ${what}: ${why}`);
}

/** The subscription identifiers among a PUBLISH packet's properties, which may be many. */
export function readIdentifiers(bytes: Uint8Array, start: number, end: number): number[] {
  if (start === end) return [];
  const reader = createReader(bytes, start, end, 'batch');
  const { subscriptionIdentifier = [] } = readProperties(reader, end, publishProperties);
  return [subscriptionIdentifier].flat() as number[];
}
