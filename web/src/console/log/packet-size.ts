/** Sizes on the wire (MQTT 5, 1.5 and 3.3). */

import type { Message, MessageProperties } from '../../client';

const encoder = new TextEncoder();

const textSize = (text: string): number => encoder.encode(text).length;

/** Bytes of a Variable Byte Integer (1.5.5). */
function varintSize(value: number): number {
  if (value < 0x80) return 1;
  if (value < 0x4000) return 2;
  return value < 0x20_0000 ? 3 : 4;
}

/** Bytes of the properties of a PUBLISH, without their length (3.3.2.3). */
export function propertiesSize(properties: MessageProperties): number {
  let size = 0;
  if (properties.payloadFormatIndicator !== undefined) size += 2;
  if (properties.messageExpiryInterval !== undefined) size += 5;
  if (properties.contentType !== undefined) size += 3 + textSize(properties.contentType);
  if (properties.responseTopic !== undefined) size += 3 + textSize(properties.responseTopic);
  if (properties.correlationData) size += 3 + properties.correlationData.length;
  for (const id of [properties.subscriptionIdentifier ?? []].flat()) size += 1 + varintSize(id);
  for (const [name, value] of properties.userProperties ?? []) size += 5 + textSize(name) + textSize(value);
  return size;
}

/** What `Message.size` is. */
export function messageSize(topic: string, properties: MessageProperties, payload: Uint8Array): number {
  return textSize(topic) + propertiesSize(properties) + payload.length;
}

/** Bytes of the whole PUBLISH packet, the topic written out. */
export function packetSize(message: Message): number {
  const properties = message.size - textSize(message.topic) - message.payload.length;
  const remaining = 2 + message.size + varintSize(properties) + (message.qos > 0 ? 2 : 0);
  return 1 + varintSize(remaining) + remaining;
}
