import type { WireSubscription } from '../../protocol/boundary';
import { subscriptionIdentifiers } from '../message';
import type { Holder } from '../subscription';
import type { Message } from '../types';
import { combine } from './combine';
import { firstOwn, identifierOf } from './identifiers';
import { createTopicSubscriptions } from './topic-subscriptions';

export type Router = ReturnType<typeof createRouter>;

/** Finds the subscriptions that get a message. Those with the same filter share one at the broker. */
export function createRouter() {
  const subscriptions = createTopicSubscriptions<Holder>();
  /** Callers' identifiers in the range of the client's own. */
  const given = new Set<number>();
  let handlersOnly = 0;
  /** Subscriptions with `handlerOnly` that have ended, and when, in milliseconds since 1970. */
  const ended = new Map<Holder, number>();

  function add(holder: Holder): void {
    const { topic, identifier = 0 } = holder.request;
    subscriptions.add(holder, holder.request);
    if (holder.handlerOnly) handlersOnly++;
    if (identifier >= firstOwn && identifier !== identifierOf(topic)) given.add(identifier);
  }

  /** Whether it was there, and the last one with its filter. */
  function remove(holder: Holder): boolean {
    const { topic } = holder.request;
    if (!subscriptions.remove(holder, topic)) return false;
    if (holder.handlerOnly) handlersOnly--;
    ended.delete(holder);
    return withFilter(topic).length === 0;
  }

  /** Removes what has ended, or with `handlerOnly` later: messages received until now may yet be delivered. */
  function retire(holder: Holder): void {
    if (!holder.handlerOnly) {
      remove(holder);
      return;
    }
    // One for each filter, even where no message arrives.
    for (const earlier of ended.keys()) if (earlier.request.topic === holder.request.topic) remove(earlier);
    ended.set(holder, Date.now());
  }

  /** Removes those that ended before a message was received, since batches are in order. */
  function tidy(receivedAt: number): void {
    for (const [holder, at] of ended) if (receivedAt > at) remove(holder);
  }

  function match(message: Message): readonly Holder[] {
    const { topic } = message;
    return subscriptions.takersOf({ topic, identifiers: () => subscriptionIdentifiers(message) });
  }

  /** Whether all subscriptions that get this message have `handlerOnly`. */
  function reserved(message: Message): boolean {
    const holders = match(message).filter((holder) => message.receivedAt <= (ended.get(holder) ?? Infinity));
    return holders.length > 0 && holders.every(({ handlerOnly }) => handlerOnly);
  }

  /** Whether this subscription identifier is the client's own, which callers do not see. */
  function isOwn(identifier: number): boolean {
    return identifier >= firstOwn && !given.has(identifier);
  }

  /** Those that have not ended. */
  function withFilter(filter: string): Holder[] {
    return subscriptions.takersWith(filter).filter(({ finished }) => !finished());
  }

  /** What to request from the broker for a newcomer, together with those that share its filter. */
  function shared(newcomer: Holder): WireSubscription {
    const sharing = withFilter(newcomer.request.topic).map((holder) => holder.request);
    return combine(newcomer.request, sharing);
  }

  return {
    add,
    remove,
    retire,
    tidy,
    match,
    reserved,
    /** Whether any subscription has `handlerOnly`. */
    reserving: () => handlersOnly > 0,
    isOwn,
    withFilter,
    shared,
    all: subscriptions.all,
    empty: subscriptions.empty,
  };
}
