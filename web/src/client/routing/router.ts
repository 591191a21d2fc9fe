import type { WireSubscription } from '../../protocol/boundary';
import { subscriptionIdentifiers } from '../message';
import type { Holder } from '../subscription';
import type { Message } from '../types';
import { combine } from './combine';
import { chosen, firstOwn, identifierOf } from './identifiers';
import { createTopicIndex } from './topic-index';

interface Route {
  /** Counts up: the first to subscribe is the first to get a message. */
  order: number;
  /** Replaced by each change, not modified: a handler may change it while they are called. */
  holders: readonly Holder[];
  /** The identifiers with which its messages come. */
  identifiers: Set<number>;
}

export type Router = ReturnType<typeof createRouter>;

/** Finds the subscriptions that get a message. Those with the same filter share one at the broker. */
export function createRouter() {
  const routes = new Map<string, Route>();
  const tree = createTopicIndex<Route>();
  /** Callers' identifiers in the range of the client's own. */
  const given = new Set<number>();
  let lastOrder = 0;
  let handlersOnly = 0;

  function add(holder: Holder): void {
    const { topic } = holder.request;
    let route = routes.get(topic);
    if (!route) {
      lastOrder++;
      route = { order: lastOrder, holders: [], identifiers: new Set() };
      routes.set(topic, route);
      tree.add(topic, route);
    }
    route.holders = [...route.holders, holder];
    if (holder.handlerOnly) handlersOnly++;
    const { identifier } = holder.request;
    if (identifier === undefined) return;
    route.identifiers.add(identifier);
    if (identifier >= firstOwn && identifier !== identifierOf(topic)) given.add(identifier);
  }

  /** Whether it was there, and the last one with its filter. */
  function remove(holder: Holder): boolean {
    const { topic } = holder.request;
    const route = routes.get(topic);
    if (!route?.holders.includes(holder)) return false;
    route.holders = route.holders.filter((other) => other !== holder);
    if (holder.handlerOnly) handlersOnly--;
    if (route.holders.length === 0) {
      tree.remove(topic, route);
      routes.delete(topic);
    }
    return withFilter(topic).length === 0;
  }

  function match(message: Message): readonly Holder[] {
    const found = chosen(tree.match(message.topic), () => subscriptionIdentifiers(message));
    if (found.length === 1) return (found[0] as Route).holders;
    return found.toSorted((one, other) => one.order - other.order).flatMap(({ holders }) => holders);
  }

  /** Whether all subscriptions that get this message have `handlerOnly`. */
  function reserved(message: Message): boolean {
    const holders = match(message);
    return holders.length > 0 && holders.every(({ handlerOnly }) => handlerOnly);
  }

  /** Whether this subscription identifier is the client's own, which callers do not see. */
  function isOwn(identifier: number): boolean {
    return identifier >= firstOwn && !given.has(identifier);
  }

  /** Those that have not ended. */
  function withFilter(filter: string): Holder[] {
    return (routes.get(filter)?.holders ?? []).filter(({ finished }) => !finished());
  }

  /** What to request from the broker for a newcomer, together with those that share its filter. */
  function shared(newcomer: Holder): WireSubscription {
    const sharing = withFilter(newcomer.request.topic).map((holder) => holder.request);
    return combine(newcomer.request, sharing);
  }

  function all(): Holder[] {
    return [...routes.values()].flatMap(({ holders }) => holders);
  }

  return {
    add,
    remove,
    match,
    reserved,
    /** Whether any subscription has `handlerOnly`. */
    reserving: () => handlersOnly > 0,
    isOwn,
    withFilter,
    shared,
    all,
    empty: () => routes.size === 0,
  };
}
