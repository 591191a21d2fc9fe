/**
 * Publishes of one task cross to the worker together. A batch is records one
 * after the other:
 *
 *     u32 little endian   bytes that follow in this record
 *     u8                  retain (bit 0), QoS (bits 1-2), 8: wait for the store only,
 *                         16: there are properties
 *     u32 little endian   time limit, milliseconds; 0: none
 *     UTF-8 string        topic
 *     u32 little endian   bytes of the properties, and they in wire form (MQTT 5, 2.2.2);
 *                         without 16 neither
 *     the rest            payload
 */

import type { PublishCall, WirePublishProperties } from '../../protocol/boundary';

/** Bytes. Larger ones are transferred, which costs less than copying them once more. */
const largest = 16 << 10;

/** Bytes of a batch above which it does not wait for the end of the task. */
const full = 256 << 10;

const headSize = 4 + 1 + 4 + 2;

/** Of a batch that is not full, and the longest record there can be. */
const capacity = full + headSize + 0xffff + 4 + 3 * largest;

/** Numbered from `first` on. */
export interface PublishBatch {
  client: number;
  first: number;
  count: number;
  records: Uint8Array<ArrayBuffer>;
}

/** Whether a publish may cross in a batch. */
export function isSmall(payload: Uint8Array | string, properties: Uint8Array | undefined): boolean {
  return payload.length + (properties?.length ?? 0) <= largest;
}

/** Properties of PUBLISH in wire form (MQTT 5, 3.3.2.3), without their length. */
export function encodeProperties({
  payloadFormatIndicator,
  messageExpiryInterval,
  topicAlias,
  responseTopic,
  correlationData,
  userProperties = [],
  contentType,
}: WirePublishProperties): Uint8Array {
  const encoder = new TextEncoder();
  let bytes = new Uint8Array(256);
  let at = 0;

  function make(room: number): void {
    if (at + room <= bytes.length) return;
    const larger = new Uint8Array(2 * (at + room));
    larger.set(bytes);
    bytes = larger;
  }

  /** Of so many bytes. */
  function number(value: number, size: number): void {
    make(size);
    for (let shift = 8 * (size - 1); shift >= 0; shift -= 8) bytes[at++] = value >>> shift;
  }

  function binary(value: Uint8Array): void {
    number(value.length, 2);
    make(value.length);
    bytes.set(value, at);
    at += value.length;
  }

  function text(value: string): void {
    make(2 + 3 * value.length);
    const { written } = encoder.encodeInto(value, bytes.subarray(at + 2));
    number(written, 2);
    at += written;
  }

  function identified<T>(identifier: number, value: T | undefined, write: (value: T) => void): void {
    if (value === undefined) return;
    number(identifier, 1);
    write(value);
  }

  identified(0x01, payloadFormatIndicator, (value) => number(value ? 1 : 0, 1));
  identified(0x02, messageExpiryInterval, (value) => number(value, 4));
  identified(0x03, contentType, text);
  identified(0x08, responseTopic, text);
  identified(0x09, correlationData, binary);
  identified(0x23, topicAlias, (value) => number(value, 2));
  for (const pair of userProperties) identified(0x26, pair, (both) => both.forEach(text));
  return bytes.slice(0, at);
}

/** `post` is called when there is much, at the end of the task's promises, or by `flush`. */
export function createPublishBatch(post: (batch: PublishBatch) => void) {
  const encoder = new TextEncoder();
  const bytes = new Uint8Array(capacity);
  const view = new DataView(bytes.buffer);
  let end = 0;
  let count = 0;
  let client = 0;
  let first = 0;

  function put(part: Uint8Array | string): void {
    if (typeof part === 'string') end += encoder.encodeInto(part, bytes.subarray(end)).written;
    else {
      bytes.set(part, end);
      end += part.length;
    }
  }

  /** `id` is the one after that of the call before, unless there was a flush in between. */
  function add(
    id: number,
    to: number,
    topic: string,
    payload: Uint8Array | string,
    { qos = 0, retain, waitFor }: PublishCall,
    properties: Uint8Array | undefined,
    timeout: number,
  ): void {
    if (to !== client || end > full) flush();
    if (count === 0) {
      client = to;
      first = id;
      void Promise.resolve().then(flush); // tests fake queueMicrotask
    }
    count++;
    const at = end;
    const flags =
      (retain ? 1 : 0) | (qos << 1) | (waitFor === 'stored' ? 8 : 0) | (properties === undefined ? 0 : 16);
    view.setUint8(at + 4, flags);
    view.setUint32(at + 5, timeout, true);
    end += headSize;
    put(topic);
    view.setUint16(at + 9, end - at - headSize);
    if (properties) {
      view.setUint32(end, properties.length, true);
      end += 4;
      put(properties);
    }
    put(payload);
    view.setUint32(at, end - at - 4, true);
  }

  function flush(): void {
    if (count === 0) return;
    const batch = { client, first, count, records: bytes.slice(0, end) };
    drop();
    post(batch);
  }

  function drop(): void {
    end = 0;
    count = 0;
  }

  return { add, flush, drop };
}

/** Calls `settle` for each publish that Go says has succeeded (`publishAll` in protocol/boundary.ts). */
export function readAcks(acks: ArrayBuffer, settle: (id: number, reasonCode: number) => void): void {
  const view = new DataView(acks);
  for (let at = 0; at < acks.byteLength; at += 9) settle(view.getFloat64(at, true), view.getUint8(at + 8));
}
