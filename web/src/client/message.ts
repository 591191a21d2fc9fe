/**
 * The batch format, in which Go hands over received messages.
 *
 * A batch is records one after the other. A record is the PUBLISH packet's own
 * form (MQTT 5, 3.3) without what the page has no use for:
 *
 *     u32 little endian   bytes that follow in this record
 *     u8                  retain (bit 0), QoS (bits 1-2), DUP (bit 3), as in the fixed header;
 *                         the payload comes beside the batch (bit 4)
 *     f64 little endian   when it was read, milliseconds since 1970
 *     UTF-8 string        topic, with any alias resolved
 *     variable byte int   bytes of the properties, then the properties in wire form
 *     the rest            payload
 */

import type { QoS } from '../protocol/boundary';
import type { MqttError } from './errors';
import {
  createReader,
  malformed,
  mqttText,
  publishProperties,
  readIdentifiers,
  readProperties,
  topicAt,
} from './property-reader';
import type { Message, MessageProperties } from './types';

const plainText = new TextDecoder();

/** All messages of a batch: see `openBatch`. */
export function decodeBatch(buffer: ArrayBuffer, count: number): Message[] {
  return openBatch(buffer, count).take(Number.POSITIVE_INFINITY);
}

/** A batch that may have been read in part. */
export interface Unread {
  /** The next messages, `most` at most. Throws `protocol` when the lengths do not fit. */
  take(most: number): Message[];
  /** Whether there are more. */
  left(): boolean;
}

/**
 * Finds the messages of a batch. Only lengths are read now; a topic, a payload
 * or properties are decoded when looked at.
 */
export function openBatch(
  buffer: ArrayBuffer,
  count: number,
  payloads: Uint8Array[] = [],
  isOwn: Source['isOwn'] = () => false,
): Unread {
  const bytes = new Uint8Array(buffer);
  const source: Source = {
    bytes,
    view: new DataView(buffer),
    beside: [...payloads],
    isOwn,
  };
  let at = 0;
  let taken = 0;

  function take(most: number): Message[] {
    const messages: Message[] = [];
    while (at < bytes.length && messages.length < most) {
      const message = readRecord(source, at);
      messages.push(message);
      at = message.end;
    }
    taken += messages.length;
    const wrong = at < bytes.length ? taken > count : taken !== count;
    if (wrong) throw malformedBatch(`${taken} messages instead of ${count}`);
    return messages;
  }

  return { take, left: () => at < bytes.length };
}

/** What the messages of a batch share. */
interface Source {
  bytes: Uint8Array;
  view: DataView;
  /** The payloads beside the batch that no message has yet. */
  beside: Uint8Array[];
  /** Whether the client made up this subscription identifier. */
  isOwn(identifier: number): boolean;
}

/** Uses no reader object, unlike the properties: this is the hot path. */
function readRecord(source: Source, start: number): BatchMessage {
  const { bytes, view } = source;
  if (start + topicAt + 2 > bytes.length) throw malformedBatch('a length goes past the end');
  const end = start + 4 + view.getUint32(start, true);
  const flags = bytes[start + 4] as number;
  if ((flags & 0b110) === 0b110) throw malformedBatch('QoS 3'); // [MQTT-3.3.1-4]
  const topic = start + topicAt + 2;
  const topicLength = view.getUint16(start + topicAt);
  const afterTopic = topic + topicLength;
  let properties = afterTopic;
  let propertiesLength = bytes[properties++] as number;
  if (propertiesLength >= 0x80) {
    const reader = createReader(bytes, afterTopic, bytes.length, 'batch');
    propertiesLength = reader.varint();
    properties = reader.at();
  }
  const payload = properties + propertiesLength;
  // Written so that NaN, the result of reading past the end, is refused, too.
  if (!(payload <= end && end <= bytes.length)) throw malformedBatch('a length goes past the end');
  const beside = (flags & 0x10) === 0 ? undefined : source.beside.shift();
  return new BatchMessage(source, flags, start + 5, topic, topicLength, properties, payload, end, beside);
}

/** A class, so that tens of thousands of messages a second share their methods. */
class BatchMessage implements Message {
  private decodedTopic: string | undefined;
  private decodedProperties: MessageProperties | undefined;

  constructor(
    private readonly source: Source,
    private readonly flags: number,
    private readonly time: number,
    private readonly topicStart: number,
    private readonly topicLength: number,
    private readonly propertiesStart: number,
    private readonly payloadStart: number,
    readonly end: number,
    private readonly beside: Uint8Array | undefined,
  ) {}

  get topic(): string {
    this.decodedTopic ??= decodeTopic(this.source.bytes, this.topicStart, this.topicLength);
    return this.decodedTopic;
  }

  get payload(): Uint8Array {
    return this.beside ?? this.source.bytes.subarray(this.payloadStart, this.end);
  }

  buffers(): ArrayBufferLike[] {
    const batch = this.source.bytes.buffer;
    return this.beside ? [batch, this.beside.buffer] : [batch];
  }

  get qos(): QoS {
    return ((this.flags >> 1) & 3) as QoS;
  }

  get retain(): boolean {
    return (this.flags & 1) !== 0;
  }

  get dup(): boolean {
    return (this.flags & 8) !== 0;
  }

  get properties(): MessageProperties {
    this.decodedProperties ??= decodeProperties(this.source, this.propertiesStart, this.payloadStart);
    return this.decodedProperties;
  }

  /** Those that the broker sent, including the client's own. */
  subscriptionIdentifiers(): number[] {
    const { source, propertiesStart, payloadStart } = this;
    return readIdentifiers(source.bytes, propertiesStart, payloadStart);
  }

  get receivedAt(): number {
    return this.source.view.getFloat64(this.time, true);
  }

  get size(): number {
    return this.topicLength + this.end - this.propertiesStart + (this.beside?.length ?? 0);
  }

  /** Copies its record, but not a payload beside the batch, which has a buffer of its own. */
  detached(): BatchMessage {
    const { source, beside } = this;
    const bytes = source.bytes.slice(this.time - 5, this.end);
    const alone = { ...source, bytes, view: new DataView(bytes.buffer), beside: beside ? [beside] : [] };
    return readRecord(alone, 0);
  }

  text(): string {
    return plainText.decode(this.payload);
  }

  json(): unknown {
    return JSON.parse(this.text());
  }
}

/** The subscription identifiers that the broker sent with a message. */
export function subscriptionIdentifiers(message: Message): number[] {
  return message instanceof BatchMessage ? message.subscriptionIdentifiers() : [];
}

/** The same message, without keeping its batch in memory. It is still decoded lazily. */
export function detached(message: Message): Message {
  return message instanceof BatchMessage
    ? message.detached()
    : { ...message, payload: message.payload.slice() };
}

/** What a message keeps in memory: its whole batch, and its payload if that came beside the batch. */
export function buffersOf(message: Message): ArrayBufferLike[] {
  return message instanceof BatchMessage ? message.buffers() : [message.payload.buffer];
}

/** A cache of recent topics by the hash of their bytes: decoding costs more than the rest of a message. */
const decodedTopics: string[] = new Array(4096).fill('');
/** In bytes; longer topics are not cached. */
const longestDecoded = 256;

function decodeTopic(bytes: Uint8Array, start: number, length: number): string {
  if (length > longestDecoded) return mqttText.decode(bytes.subarray(start, start + length));
  let hash = length;
  for (let n = 0; n < length; n++) hash = (Math.imul(hash, 31) + (bytes[start + n] as number)) | 0;
  const place = (hash ^ (hash >>> 15)) & (decodedTopics.length - 1);
  let topic = decodedTopics[place] as string;
  if (!isSame(topic, bytes, start, length)) {
    topic = mqttText.decode(bytes.subarray(start, start + length));
    decodedTopics[place] = topic;
  }
  return topic;
}

/** Whether `topic` has these bytes; true only for ASCII, other topics are decoded each time. */
function isSame(topic: string, bytes: Uint8Array, start: number, length: number): boolean {
  if (topic.length !== length) return false;
  for (let n = 0; n < length; n++) {
    const byte = bytes[start + n] as number;
    if (byte >= 0x80 || byte !== topic.charCodeAt(n)) return false;
  }
  return true;
}

/** PUBLISH properties as on the wire (MQTT 5, 2.2.2 and 3.3.2.3), less the identifiers that the client made up. */
function decodeProperties({ bytes, isOwn }: Source, start: number, end: number): MessageProperties {
  const reader = createReader(bytes, start, end, 'batch');
  // A topic alias has been resolved before.
  const { topicAlias: _, ...found } = readProperties(reader, end, publishProperties);
  const { payloadFormatIndicator: format, subscriptionIdentifier: identifiers, ...properties } = found;
  const [first, ...more] = [(identifiers as number | number[] | undefined) ?? []]
    .flat()
    .filter((identifier) => !isOwn(identifier));
  return {
    ...properties,
    ...(format !== undefined && { payloadFormatIndicator: format === 1 }),
    ...(first !== undefined && { subscriptionIdentifier: more.length > 0 ? [first, ...more] : first }),
  };
}

const malformedBatch = (why: string): MqttError => malformed('batch', why);
