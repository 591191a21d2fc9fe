/**
 * Publishes of one task cross to the worker together. A batch is records one
 * after the other:
 *
 *     u32 little endian   bytes that follow in this record
 *     u8                  retain (bit 0), QoS (bits 1-2), 8: wait for the store only
 *     u32 little endian   time limit, milliseconds; 0: none
 *     UTF-8 string        topic
 *     the rest            payload
 */

import type { PublishCall } from '../../protocol/boundary';

/** Larger payloads are transferred, which costs less than copying them once more. */
const largestPayload = 16 << 10;

const headSize = 4 + 1 + 4 + 2;

interface Gathered {
  topic: Uint8Array;
  payload: Uint8Array;
  flags: number;
  timeout: number;
}

/** Numbered from `first` on. */
export interface PublishBatch {
  client: number;
  first: number;
  count: number;
  records: Uint8Array<ArrayBuffer>;
}

/** Whether a publish may cross in a batch, which knows no properties. */
export function isPlain(payload: Uint8Array, { properties }: PublishCall): boolean {
  return properties === undefined && payload.length <= largestPayload;
}

/** `post` is called at the end of the task's promises, or by `flush`. */
export function createPublishBatch(post: (batch: PublishBatch) => void) {
  const encoder = new TextEncoder();
  let gathered: Gathered[] = [];
  let client = 0;
  let first = 0;
  let lastTopic = '';
  let lastEncoded = new Uint8Array();

  function encode(topic: string): Uint8Array {
    if (topic !== lastTopic) {
      lastTopic = topic;
      lastEncoded = encoder.encode(topic);
    }
    return lastEncoded;
  }

  /** `id` is the one after that of the call before, unless there was a flush in between. */
  function add(
    id: number,
    to: number,
    topic: string,
    payload: Uint8Array,
    { qos = 0, retain, waitFor }: PublishCall,
    timeout: number,
  ): void {
    if (to !== client) flush();
    if (gathered.length === 0) {
      client = to;
      first = id;
      void Promise.resolve().then(flush); // tests fake queueMicrotask
    }
    const flags = (retain ? 1 : 0) | (qos << 1) | (waitFor === 'stored' ? 8 : 0);
    gathered.push({ topic: encode(topic), payload, flags, timeout });
  }

  function flush(): void {
    if (gathered.length === 0) return;
    const batch = gathered;
    gathered = [];
    post({ client, first, count: batch.length, records: join(batch) });
  }

  function drop(): void {
    gathered = [];
  }

  return { add, flush, drop };
}

function join(batch: Gathered[]): Uint8Array<ArrayBuffer> {
  let size = 0;
  for (const { topic, payload } of batch) size += headSize + topic.length + payload.length;
  const records = new Uint8Array(size);
  const view = new DataView(records.buffer);
  let at = 0;
  for (const { topic, payload, flags, timeout } of batch) {
    view.setUint32(at, headSize - 4 + topic.length + payload.length, true);
    view.setUint8(at + 4, flags);
    view.setUint32(at + 5, timeout, true);
    view.setUint16(at + 9, topic.length);
    records.set(topic, at + headSize);
    records.set(payload, at + headSize + topic.length);
    at += headSize + topic.length + payload.length;
  }
  return records;
}

/** Calls `settle` for each publish that Go says has succeeded (`publishAll` in protocol/boundary.ts). */
export function readAcks(acks: ArrayBuffer, settle: (id: number, reasonCode: number) => void): void {
  const view = new DataView(acks);
  for (let at = 0; at < acks.byteLength; at += 9) settle(view.getFloat64(at, true), view.getUint8(at + 8));
}
