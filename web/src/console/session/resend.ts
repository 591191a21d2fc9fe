/** Puts a received message into the form: to send it again, or to answer it. */

import type { Message as Received } from '../../client';
import { limits } from '../core/limits';
import { decodeUtf8, hex } from '../core/text';
import { looksLikeJson } from '../payload/encode';
import { emptyMessage, type Message, noProperties } from './message';
import { expand } from './template';

/** The payload for the form: bytes that can't be typed become a file. */
function payloadOf({ payload }: Received): Pick<Message, 'payload' | 'file' | 'format' | 'type'> {
  const text = payload.length > limits.resent ? undefined : decodeUtf8(payload);
  const typed = { format: 'text', type: '', file: undefined } as const;
  // A placeholder such as {{n}} would be filled in.
  if (text !== undefined && expand(text, 0) === text) {
    return { ...typed, payload: text, format: isJson(text) ? 'json' : 'text' };
  }
  if (text === undefined && payload.length <= limits.hexed) {
    return { ...typed, payload: hex(payload), format: 'hex' };
  }
  // A copy, so that the batch can be freed.
  return { ...typed, payload: '', file: { name: 'payload', bytes: payload.slice() } };
}

function isJson(text: string): boolean {
  if (!looksLikeJson(text)) return false;
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

/** The same message once more. */
export function again(message: Received): Message {
  const { topic, qos, retain, properties } = message;
  const { payloadFormatIndicator, messageExpiryInterval, contentType, responseTopic } = properties;
  return {
    ...emptyMessage,
    ...payloadOf(message),
    topic,
    qos,
    retain,
    correlation: properties.correlationData?.slice(),
    properties: {
      ...noProperties,
      payloadFormatIndicator: payloadFormatIndicator ?? false,
      messageExpiryInterval: messageExpiryInterval?.toString() ?? '',
      contentType: contentType ?? '',
      responseTopic: responseTopic ?? '',
      userProperties: properties.userProperties?.map(([name, value]) => [name, value]) ?? [],
    },
  };
}

/** The answer to a request (4.10), without its payload; undefined if the message is not a request. */
export function replyTo({ qos, properties }: Received): Partial<Message> | undefined {
  const { responseTopic, correlationData } = properties;
  if (!responseTopic) return undefined;
  return {
    topic: responseTopic,
    qos,
    retain: false,
    correlation: correlationData?.slice(),
    properties: noProperties,
  };
}
