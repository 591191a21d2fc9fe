/**
 * Who gets which messages of a connection that several pages share, and when the
 * broker is told that they arrived.
 *
 * A session may have subscriptions of pages that are not here yet: all tabs of a
 * window open at once, or a program crashed and its pages come one after the other.
 * So after a session was resumed a message of QoS 1 or 2 that no page has asked for is
 * held, unacknowledged, until one does. It is held for `gatherTime`, counted anew
 * with each page that joins meanwhile; then it goes to nobody, and is acknowledged.
 * QoS 0 is not held.
 *
 * Acknowledgements leave in the order of the messages. So while one is held those of
 * all later ones are, too: pages go on getting messages within the Receive Maximum
 * (or as many as the broker has in flight, where that is less), and then wait for
 * the end of the gathering. What is held is bounded by the same.
 */

import type { Taking } from '../../protocol/boundary';
import type { createFilters } from './filters';
import type { Delivery, Member, Untaken } from './member';
import { nothing, type Part, split } from './split';

/** Milliseconds. */
export const gatherTime = 10_000;

/** Takes what no page has asked for. */
const nobody = Symbol('nobody');

interface Held {
  part: Part;
  /** Lets it be acknowledged, when the promise has resolved. */
  release(taken?: Promise<void>): void;
}

/** `members` are in the order of joining. */
export function createDelivery(
  members: ReadonlySet<Member>,
  filters: ReturnType<typeof createFilters<Member>>,
) {
  /** Only one page has joined so far. It gets all messages, and their topics need not be matched. */
  let alone = true;
  let held: Held[] = [];
  let gathering: ReturnType<typeof setTimeout> | undefined;
  let end = (): void => {};
  const ended = new Promise<void>((resolve) => {
    end = resolve;
  });

  function onBatch(buffer: ArrayBuffer, count: number, dropped: number): undefined | Taking {
    // They all left, and the connection is about to. The broker keeps what comes now.
    if (members.size === 0) return ended;
    return toTaking(deliver({ buffer, count, owed: true }, dropped));
  }

  function deliver(batch: Part, dropped: number): Delivery[] {
    const parts = divide(batch);
    const deliveries: Delivery[] = [];
    for (const member of members) {
      // What was dropped may have been anybody's, so everybody hears of it.
      const part = parts.get(member) ?? (dropped > 0 ? nothing() : undefined);
      const delivery = part && member.deliver(part, dropped);
      if (delivery) deliveries.push(delivery);
    }
    const rest = parts.get(nobody);
    if (rest) deliveries.push({ taken: hold(rest), next: Promise.resolve() });
    return deliveries;
  }

  function divide(batch: Part): Map<Member | typeof nobody, Part> {
    const [first] = members;
    if (alone && first && !gathering && !first.away) return new Map([[first, batch]]);
    return split(batch.buffer, takersOf);
  }

  function takersOf(
    topic: string,
    owed: boolean,
    identifiers: () => number[],
  ): readonly (Member | typeof nobody)[] {
    let takers: readonly Member[] = filters.takersOf(topic, identifiers);
    if (takers.length === 0) {
      if (owed && gathering) return [nobody];
      if (alone) takers = [...members];
    }
    if (owed || !takers.some(({ away }) => away)) return takers;
    return takers.filter((member) => {
      if (member.away) member.miss(1);
      return !member.away;
    });
  }

  function hold(part: Part): Promise<void> {
    return new Promise((release) => {
      held.push({ part, release });
    });
  }

  /** Gives what is held to those who ask for it now. */
  function offer(): void {
    const before = held;
    held = [];
    for (const { part, release } of before) {
      const deliveries = deliver(part, 0);
      release(toTaking(deliveries));
    }
  }

  /** Holds what nobody has asked for, from now on or for longer. */
  function gather(): void {
    clearTimeout(gathering);
    gathering = setTimeout(() => {
      gathering = undefined;
      offer();
    }, gatherTime);
  }

  /** A page may ask for what another one, which is gone, had not taken. */
  function takeBack(untaken: Untaken[]): void {
    for (const { part, release } of untaken) {
      if (!part.owed) release();
      else held.push({ part: onlyOwed(part), release: (taken) => void settled(taken).then(release) });
    }
    gather();
    offer();
  }

  return {
    onBatch,
    offer,
    gather,
    takeBack,
    /** Somebody is a member now, and perhaps not connected yet. */
    joined(): void {
      if (members.size > 1) alone = false;
      offer();
    },
    /** Somebody is connected, and says from now on what it wants. */
    admitted(): void {
      if (gathering) gather();
    },
    /** Nothing will be acknowledged any more. */
    finish(): void {
      clearTimeout(gathering);
      gathering = undefined;
      for (const { release } of held.splice(0)) release();
      end();
    },
  };
}

function toTaking(deliveries: Delivery[]): Taking | undefined {
  if (deliveries.length === 0) return undefined;
  const taking: Taking = Promise.all(deliveries.map(({ taken }) => taken)).then(() => {});
  taking.next = Promise.all(deliveries.map(({ next }) => next)).then(() => {});
  return taking;
}

const settled = async (taken?: Promise<void>): Promise<void> => taken;

function onlyOwed(part: Part): Part {
  const owing = split(part.buffer, (_, owed) => (owed ? [nobody] : []));
  return owing.get(nobody) ?? nothing();
}
