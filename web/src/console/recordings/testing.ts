/** For tests: entries of the feed. */

import type { MessageProperties } from '../../client';
import type { Direction, Entry } from '../log/entry';
import { entryOf, type Parts } from './chunk';

export function entry(
  payload: string | Uint8Array,
  rest: Partial<Parts> = {},
  direction: Direction = 'received',
): Entry {
  const parts: Parts = {
    connection: '',
    topic: 'a/b',
    payload: typeof payload === 'string' ? new TextEncoder().encode(payload) : payload,
    qos: 0,
    retain: false,
    dup: false,
    receivedAt: Date.UTC(2026, 0, 2, 3, 4, 5, 678),
    properties: {},
    ...rest,
  };
  const { replayed: _, ...fresh } = entryOf(parts, direction, 0);
  return fresh;
}

export const everyProperty: MessageProperties = {
  payloadFormatIndicator: true,
  contentType: 'text/plain',
  messageExpiryInterval: 60,
  responseTopic: 'answers',
  correlationData: Uint8Array.of(0xff),
  subscriptionIdentifier: [3, 4],
  userProperties: [
    ['__proto__', '1'],
    ['__proto__', '2'],
  ],
};

/** A promise, and what settles it. */
export function deferred(): { promise: Promise<void>; resolve(): void; reject(error: unknown): void } {
  let resolve = () => {};
  let reject = (_: unknown) => {};
  const promise = new Promise<void>((yes, no) => {
    resolve = yes;
    reject = no;
  });
  return { promise, resolve, reject };
}
