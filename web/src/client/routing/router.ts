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
  /** Another array after each change: a handler may make one while they are called. */
  holders: readonly Holder[];
  /** Under which its messages come. */
  identifiers: Set<number>;
}

export type Router = ReturnType<typeof createRouter>;

/** Which subscriptions get a message. Those with the same filter share the broker's one. */
export function createRouter() {
  const routes = new Map<string, Route>();
  const tree = createTopicIndex<Route>();
  /** Callers' own identifiers among those that look like the client's. */
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

  /** Whether it was there and the last with its filter. */
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

  /** Whether all who get a message on this topic want it for themselves. */
  function reserved(message: Message): boolean {
    const holders = match(message);
    return holders.length > 0 && holders.every(({ handlerOnly }) => handlerOnly);
  }

  /** Whether the client made up this subscription identifier, which is nobody else's business. */
  function isOwn(identifier: number): boolean {
    return identifier >= firstOwn && !given.has(identifier);
  }

  /** Those who have not left. */
  function withFilter(filter: string): Holder[] {
    return (routes.get(filter)?.holders ?? []).filter(({ finished }) => !finished());
  }

  /** What to ask of the broker for a newcomer among those who share its filter. */
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
    /** Whether anybody wants messages for themselves. */
    reserving: () => handlersOnly > 0,
    isOwn,
    withFilter,
    shared,
    all,
    empty: () => routes.size === 0,
  };
}
