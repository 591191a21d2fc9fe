/**
 * Messages as stored in the database: up to two thousand in one record, with a list for each of
 * their parts.
 */

import type { Message, MessageProperties, QoS } from '../../client';
import { type Direction, directionOf, directions, type Entry, entryFor } from '../log/entry';
import { messageSize } from '../log/packet-size';

export interface Chunk {
  /** The names of the connections. */
  connections: string[];
  topics: string[];
  /** The payloads, one after the other, and where each ends. */
  bytes: Uint8Array<ArrayBuffer>;
  ends: Uint32Array;
  /** Milliseconds since 1970. */
  times: Float64Array;
  /** QoS (bits 0-1), retain (bit 2), DUP (bit 3), direction (bits 4-5). */
  flags: Uint8Array;
  /** Of the messages that have some, by their index. */
  properties: Map<number, MessageProperties>;
}

/** The parts of a message, from any source. */
export interface Parts {
  /** The name of the connection; empty if it is not known. */
  connection: string;
  topic: string;
  payload: Uint8Array;
  qos: QoS;
  retain: boolean;
  dup: boolean;
  receivedAt: number;
  properties: MessageProperties;
}

export function messageOf({ connection: _, ...parts }: Parts): Message {
  const text = () => new TextDecoder().decode(parts.payload);
  return {
    ...parts,
    size: messageSize(parts.topic, parts.properties, parts.payload),
    text,
    json: () => JSON.parse(text()),
  };
}

/** Makes a recorded entry of the feed. */
export function entryOf(parts: Parts, direction: Direction, ordinal: number): Entry {
  // No open connection has the number 0.
  const via = { id: 0, name: parts.connection };
  const entry = entryFor(messageOf(parts), ordinal, via, direction !== 'received');
  return { ...entry, replayed: true, ...(direction === 'not sent' && { unsent: true }) };
}

/** Copies correlation data, since the database would store its whole buffer. */
function detached(properties: MessageProperties): MessageProperties {
  const { correlationData } = properties;
  return correlationData ? { ...properties, correlationData: correlationData.slice() } : properties;
}

function flagsOf(entry: Entry): number {
  const { qos, retain, dup } = entry.message;
  return qos | (retain ? 4 : 0) | (dup ? 8 : 0) | (directions.indexOf(directionOf(entry)) << 4);
}

export function chunkOf(entries: readonly Entry[]): Chunk {
  const messages = entries.map(({ message }) => message);
  const bytes = new Uint8Array(messages.reduce((sum, { payload }) => sum + payload.length, 0));
  let end = 0;
  const ends = Uint32Array.from(messages, ({ payload }) => {
    bytes.set(payload, end);
    end += payload.length;
    return end;
  });
  const properties = new Map<number, MessageProperties>();
  for (const [index, message] of messages.entries()) {
    if (Object.keys(message.properties).length > 0) properties.set(index, detached(message.properties));
  }
  return {
    connections: entries.map(({ via }) => via.name),
    topics: messages.map(({ topic }) => topic),
    bytes,
    ends,
    times: Float64Array.from(messages, ({ receivedAt }) => receivedAt),
    flags: Uint8Array.from(entries, flagsOf),
    properties,
  };
}

/** `ordinal` is the first one's. */
export function entriesOf(
  { connections, topics, bytes, ends, times, flags, properties }: Chunk,
  ordinal: number,
): Entry[] {
  return topics.map((topic, index) => {
    const flag = flags[index] ?? 0;
    const parts: Parts = {
      connection: connections[index] ?? '',
      topic,
      payload: bytes.subarray(index === 0 ? 0 : ends[index - 1], ends[index]),
      qos: (flag & 3) as QoS,
      retain: (flag & 4) !== 0,
      dup: (flag & 8) !== 0,
      receivedAt: times[index] ?? 0,
      properties: properties.get(index) ?? {},
    };
    return entryOf(parts, directions[flag >> 4] ?? 'received', ordinal + index);
  });
}

/** Messages, and their bytes, in one chunk, which is read and written at once. */
export const mostMessages = 2000;
export const mostBytes = 1024 * 1024;

export function chunksOf(entries: readonly Entry[]): Chunk[] {
  const chunks: Chunk[] = [];
  let from = 0;
  let bytes = 0;
  for (const [index, { size }] of entries.entries()) {
    if (index > from && (index - from === mostMessages || bytes + size > mostBytes)) {
      chunks.push(chunkOf(entries.slice(from, index)));
      from = index;
      bytes = 0;
    }
    bytes += size;
  }
  if (from < entries.length) chunks.push(chunkOf(entries.slice(from)));
  return chunks;
}
