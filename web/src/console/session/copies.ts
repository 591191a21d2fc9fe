/** Joins the copies of a message that the broker sends for each matching subscription (3.3.4). */

import type { Message } from '../../client';
import { subscriptionIdentifiers } from '../../client/message';

/**
 * How many messages back a copy is looked for. Brokers send copies close together, but not always
 * in a row.
 */
const reach = 16;

interface Seen {
  message: Message;
  /** Of the subscriptions that it matched so far; read when there is something to compare it with. */
  identifiers?: number[];
}

/**
 * Leaves out copies: the same topic and payload for another subscription. Without subscription
 * identifiers a copy can't be distinguished from a message published twice, so all stay.
 */
export function createCopies(identifiersOf: (message: Message) => number[] = subscriptionIdentifiers) {
  let seen: Seen[] = [];

  function isCopy(message: Message): boolean {
    let identifiers: number[] | undefined;
    for (const earlier of seen) {
      if (earlier.message.topic !== message.topic) continue;
      if (!sameBytes(earlier.message.payload, message.payload)) continue;
      identifiers ??= identifiersOf(message);
      earlier.identifiers ??= [...identifiersOf(earlier.message)];
      const before = earlier.identifiers;
      if (before.length === 0 || identifiers.length === 0) continue;
      if (identifiers.some((one) => before.includes(one))) continue;
      before.push(...identifiers);
      return true;
    }
    seen = [...seen.slice(1 - reach), { message }];
    return false;
  }

  return (messages: Message[]): Message[] => messages.filter((message) => !isCopy(message));
}

function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, at) => byte === b[at]);
}
