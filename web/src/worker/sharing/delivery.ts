/**
 * Decides which pages get a message of a shared connection, and when it is acknowledged.
 *
 * A session may have subscriptions of pages that have not joined yet: all tabs of a window open at
 * once, or a program crashed and its pages join one after the other. So after a session was
 * resumed, a message of QoS 1 or 2 that no page has asked for is held, unacknowledged, until one
 * does. It is held for `gatherTime`, which starts anew with each page that joins; then it is
 * acknowledged and dropped. QoS 0 is not held.
 *
 * Some pages may have joined before others with the same subscription. What they get meanwhile is
 * acknowledged, and remembered for the others. But not after a page has left: a page that joins
 * then may be the same one after a reload, and have had it before.
 *
 * Acknowledgements are sent in the order of the messages. So while one is held back, all later ones
 * are, too: pages go on getting messages within the Receive Maximum (or as many as the broker keeps
 * in flight, if that is less), and then wait for the end of the gathering. The same bounds what is
 * held.
 */

import type { TopicSubscriptions } from '../../client/routing/topic-subscriptions';
import { deferred } from '../../platform/deferred';
import type { Taking } from '../../protocol/boundary';
import type { Delivery, Member, Untaken } from './member';
import { type Described, nothing, type Part, split } from './split';

/** Milliseconds. */
export const gatherTime = 10_000;

/** Bytes of what is remembered for pages that have not joined yet. Beyond that the oldest is forgotten. */
export const rememberedBytes = 16 << 20;
/** About what remembering a topic takes. */
const topicBytes = 250;

/** Receives what no page has asked for. */
const nobody = Symbol('nobody');
/** Receives what pages got that others may ask for. */
const memory = Symbol('memory');

type Receiver = Member | typeof nobody | typeof memory;

interface Held {
  part: Part;
  /** Allows its acknowledgement, once the promise has resolved. */
  release(taken?: Promise<void>): void;
}

interface Remembered {
  part: Part;
  /** The members that got it, by `copyOf`. */
  takers: Map<string, Set<Member>>;
}

/** `members` are in the order of joining. */
export function createDelivery(members: ReadonlySet<Member>, filters: TopicSubscriptions<Member>) {
  /** Only one page has joined so far. It gets all messages, without matching their topics. */
  let alone = true;
  let held: Held[] = [];
  let gathering: ReturnType<typeof setTimeout> | undefined;
  /** Set while earlier members may still join again. */
  let remembered: Remembered[] | undefined;
  let memorySize = 0;
  const { promise: ended, resolve: end } = deferred();

  function onBatch(buffer: ArrayBuffer, count: number, dropped: number): undefined | Taking {
    // All members left, and the connection is about to end. The broker keeps what arrives now.
    if (members.size === 0) return ended;
    return toTaking(deliver({ buffer, count, owed: true }, dropped));
  }

  function deliver(batch: Part, dropped: number): Delivery[] {
    return deliverParts(divide(batch), dropped);
  }

  function deliverParts(parts: Map<Receiver, Part>, dropped: number): Delivery[] {
    const deliveries: Delivery[] = [];
    for (const member of members) {
      // What was dropped may have been for any page, so all are told.
      const part = parts.get(member) ?? (dropped > 0 ? nothing() : undefined);
      const delivery = part && member.deliver(part, dropped);
      if (delivery) deliveries.push(delivery);
    }
    const rest = parts.get(nobody);
    if (rest) deliveries.push({ taken: hold(rest), next: Promise.resolve() });
    return deliveries;
  }

  function divide(batch: Part): Map<Receiver, Part> {
    const [first] = members;
    if (alone && first && !gathering && !first.behind) return new Map([[first, batch]]);
    if (!remembered) return split(batch.buffer, takersOf);
    const had = new Map<string, Set<Member>>();
    const parts = split(batch.buffer, (message): readonly Receiver[] => {
      const takers = takersOf(message);
      // A new subscription gets retained messages from the broker.
      if (!message.owed || message.retained || takers.length === 0 || takers[0] === nobody) return takers;
      had.set(copyOf(message), new Set(takers as readonly Member[]));
      return [...takers, memory];
    });
    const part = parts.get(memory);
    if (part) remember({ part, takers: had });
    return parts;
  }

  function remember(entry: Remembered): void {
    if (!remembered) return;
    remembered.push(entry);
    memorySize += sizeOf(entry);
    while (memorySize > rememberedBytes) memorySize -= sizeOf(remembered.shift() as Remembered);
  }

  function forget(): void {
    remembered = undefined;
    memorySize = 0;
  }

  /** Delivers what others got before to those that ask for it now. */
  function recall(): void {
    for (const { part, takers } of remembered ?? []) {
      const late = new Map<string, Member[]>();
      const parts = split(part.buffer, (message): readonly Receiver[] => {
        const copy = copyOf(message);
        const missing =
          late.get(copy) ?? filters.takersOf(message).filter((member) => !takers.get(copy)?.has(member));
        late.set(copy, missing);
        // The memory comes first, since it keeps the buffer.
        return [memory, ...missing];
      });
      for (const [copy, missing] of late) for (const member of missing) takers.get(copy)?.add(member);
      if (parts.size > 1) deliverParts(parts, 0);
    }
  }

  function takersOf(message: Described): readonly (Member | typeof nobody)[] {
    const { owed } = message;
    let takers: readonly Member[] = filters.takersOf(message);
    if (takers.length === 0) {
      if (owed && gathering) return [nobody];
      if (alone) takers = [...members];
    }
    if (owed || !takers.some(({ behind }) => behind)) return takers;
    return takers.filter((member) => {
      if (member.behind) member.miss(1);
      return !member.behind;
    });
  }

  function hold(part: Part): Promise<void> {
    return new Promise((release) => {
      held.push({ part, release });
    });
  }

  /** Delivers what is held to those that ask for it now. */
  function offer(): void {
    recall();
    const before = held;
    held = [];
    for (const { part, release } of before) {
      const deliveries = deliver(part, 0);
      release(toTaking(deliveries));
    }
  }

  /** Holds what no page has asked for, from now on or for longer. */
  function gather(): void {
    clearTimeout(gathering);
    gathering = setTimeout(() => {
      gathering = undefined;
      forget();
      offer();
    }, gatherTime);
  }

  /** A page may ask for what another one had not taken before it left. */
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
    /** The broker resumed the session: earlier members may not have joined again yet. */
    resumed(): void {
      remembered ??= [];
      gather();
    },
    takeBack,
    /** A member was added, which may not be connected yet. */
    joined(): void {
      if (members.size > 1) alone = false;
      offer();
    },
    /** A member is connected, and subscribes from now on. */
    admitted(): void {
      if (gathering) gather();
    },
    /** A member left, and may join again. */
    left: forget,
    /** Nothing will be acknowledged any more. */
    finish(): void {
      clearTimeout(gathering);
      gathering = undefined;
      forget();
      for (const { release } of held.splice(0)) release();
      end();
    },
  };
}

const sizeOf = ({ part, takers }: Remembered): number => part.buffer.byteLength + takers.size * topicBytes;

/** Distinguishes the copies of a message that were sent for several subscriptions. */
const copyOf = ({ topic, identifiers }: Described): string => `${topic}\0${identifiers()}`;

function toTaking(deliveries: Delivery[]): Taking | undefined {
  if (deliveries.length === 0) return undefined;
  const taking: Taking = Promise.all(deliveries.map(({ taken }) => taken)).then(() => {});
  taking.next = Promise.all(deliveries.map(({ next }) => next)).then(() => {});
  return taking;
}

const settled = async (taken?: Promise<void>): Promise<void> => taken;

function onlyOwed(part: Part): Part {
  const owing = split(part.buffer, ({ owed }) => (owed ? [nobody] : []));
  return owing.get(nobody) ?? nothing();
}
