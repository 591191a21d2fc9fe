/** A message that the broker sends once for each subscription that matches (3.3.4) is one message to a person. */

import type { Message } from '../../client';
import { subscriptionIdentifiers } from '../../client/message';

/** How many messages back a copy is looked for. Brokers send copies in a row, but not all in one. */
const reach = 16;

interface Seen {
  message: Message;
  /** Of the subscriptions that it came by until now. */
  identifiers: number[];
}

/**
 * Leaves out copies: the same topic and payload by another subscription. Without
 * subscription identifiers nothing tells a copy from a message published twice, so all stay.
 */
export function createCopies(identifiersOf: (message: Message) => number[] = subscriptionIdentifiers) {
  let seen: Seen[] = [];

  function isCopy(message: Message): boolean {
    const identifiers = identifiersOf(message);
    if (identifiers.length === 0) return false;
    const original = seen.find(
      (earlier) =>
        !identifiers.some((identifier) => earlier.identifiers.includes(identifier)) &&
        earlier.message.topic === message.topic &&
        sameBytes(earlier.message.payload, message.payload),
    );
    if (original) original.identifiers.push(...identifiers);
    else seen = [...seen.slice(1 - reach), { message, identifiers: [...identifiers] }];
    return original !== undefined;
  }

  return (messages: Message[]): Message[] => messages.filter((message) => !isCopy(message));
}

function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, at) => byte === b[at]);
}
