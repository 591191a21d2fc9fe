/** For tests: batches as Go makes them. */

import type { MessageProperties, QoS } from './types';

export interface Given {
  topic: string;
  payload?: Uint8Array;
  qos?: QoS;
  retain?: boolean;
  dup?: boolean;
  receivedAt?: number;
  properties?: MessageProperties;
  /** Instead of `properties`, with their length. */
  rawProperties?: Uint8Array;
}

export function encodeBatch(messages: Given[]): ArrayBuffer {
  return join(messages.map(encodeRecord)).buffer;
}

/** With the payloads beside the batch. */
export function encodeBeside(messages: Given[]) {
  const records = messages.map(({ payload: _, ...rest }) => encodeRecord(rest));
  for (const record of records) record[4] = (record[4] as number) | 0x10;
  const payloads = messages.map(({ payload = new Uint8Array() }) => new Uint8Array(payload));
  return { buffer: join(records).buffer, payloads };
}

export function encodeRecord(message: Given): Uint8Array {
  const { qos = 0, retain = false, dup = false, receivedAt = 0, payload = new Uint8Array() } = message;
  const properties = encodeProperties(message.properties ?? {});
  const time = new Uint8Array(8);
  new DataView(time.buffer).setFloat64(0, receivedAt, true);
  const record = join([
    new Uint8Array([(retain ? 1 : 0) | (qos << 1) | (dup ? 8 : 0)]),
    time,
    sized(utf8(message.topic)),
    message.rawProperties ?? join([varint(properties.length), properties]),
    payload,
  ]);
  const length = new Uint8Array(4);
  new DataView(length.buffer).setUint32(0, record.length, true);
  return join([length, record]);
}

function encodeProperties(properties: MessageProperties): Uint8Array {
  const parts: Uint8Array[] = [];
  const add = (identifier: number, value: Uint8Array): void => {
    parts.push(new Uint8Array([identifier]), value);
  };
  const { payloadFormatIndicator, messageExpiryInterval, contentType, responseTopic } = properties;
  if (payloadFormatIndicator !== undefined) add(0x01, new Uint8Array([payloadFormatIndicator ? 1 : 0]));
  if (messageExpiryInterval !== undefined) {
    const value = new Uint8Array(4);
    new DataView(value.buffer).setUint32(0, messageExpiryInterval);
    add(0x02, value);
  }
  if (contentType !== undefined) add(0x03, sized(utf8(contentType)));
  if (responseTopic !== undefined) add(0x08, sized(utf8(responseTopic)));
  if (properties.correlationData !== undefined) add(0x09, sized(properties.correlationData));
  for (const identifier of [properties.subscriptionIdentifier ?? []].flat()) add(0x0b, varint(identifier));
  for (const pair of properties.userProperties ?? []) add(0x26, join(pair.map((part) => sized(utf8(part)))));
  return join(parts);
}

export function varint(value: number): Uint8Array {
  const digits: number[] = [];
  let rest = value;
  do {
    digits.push((rest % 128) + (rest >= 128 ? 128 : 0));
    rest = Math.floor(rest / 128);
  } while (rest > 0);
  return new Uint8Array(digits);
}

export function join(parts: Uint8Array[]): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(parts.reduce((size, part) => size + part.length, 0));
  let offset = 0;
  for (const part of parts) {
    whole.set(part, offset);
    offset += part.length;
  }
  return whole;
}

function utf8(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

function sized(bytes: Uint8Array): Uint8Array {
  return join([new Uint8Array([bytes.length >> 8, bytes.length & 0xff]), bytes]);
}
