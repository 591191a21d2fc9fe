/** A message as data, for the clipboard and for files. */

import { decodeUtf8 } from '../core/text';
import { base64 } from '../payload/codecs/base64';
import { directionOf, type Entry } from './entry';

type Encoding = 'utf-8' | 'base64';

function encoded(bytes: Uint8Array): [text: string, encoding: Encoding] {
  const text = decodeUtf8(bytes);
  return text === undefined ? [base64(bytes), 'base64'] : [text, 'utf-8'];
}

/** Text if it is UTF-8, otherwise base64: `payloadEncoding` says which. */
export function recordOf(entry: Entry) {
  const { topic, payload, qos, retain, dup, receivedAt, properties } = entry.message;
  const { correlationData, subscriptionIdentifier, ...plain } = properties;
  const [text, payloadEncoding] = encoded(payload);
  const [correlation, correlationDataEncoding] = correlationData ? encoded(correlationData) : [];
  return {
    time: new Date(receivedAt).toISOString(),
    connection: entry.via.name,
    direction: directionOf(entry),
    topic,
    payload: text,
    payloadEncoding,
    qos,
    retain,
    dup,
    properties: {
      ...plain,
      ...(correlation !== undefined && { correlationData: correlation, correlationDataEncoding }),
      ...(subscriptionIdentifier !== undefined && {
        subscriptionIdentifier: [subscriptionIdentifier].flat(),
      }),
    },
  };
}

export type MessageRecord = ReturnType<typeof recordOf>;

export function json(entry: Entry): string {
  return JSON.stringify(recordOf(entry), null, 2);
}
