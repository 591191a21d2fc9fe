import { combine } from '../combine';
import { compile } from '../topic-filter';
import type { WireSubscription } from '../worker/messages';
import type { Holder } from './subscription';

/** Topics whose holders are remembered; past that, all are forgotten and found again. */
const cacheLimit = 1000;

interface Route {
  matches(topic: string): boolean;
  holders: Set<Holder>;
}

export type Routes = ReturnType<typeof createRoutes>;

/** Which subscriptions get a message. Those with the same filter share the broker's one. */
export function createRoutes() {
  const routes = new Map<string, Route>();
  const cache = new Map<string, Holder[]>();

  function add(holder: Holder): void {
    const { topic } = holder.request;
    let route = routes.get(topic);
    if (!route) {
      route = { matches: compile(topic), holders: new Set() };
      routes.set(topic, route);
    }
    route.holders.add(holder);
    cache.clear();
  }

  /** Whether it was there and the last with its filter. */
  function remove(holder: Holder): boolean {
    const { topic } = holder.request;
    const route = routes.get(topic);
    if (!route?.holders.delete(holder)) return false;
    cache.clear();
    if (route.holders.size > 0) return false;
    return routes.delete(topic);
  }

  function match(topic: string): Holder[] {
    const known = cache.get(topic);
    if (known) return known;
    const found: Holder[] = [];
    for (const route of routes.values()) {
      if (route.matches(topic)) found.push(...route.holders);
    }
    if (cache.size >= cacheLimit) cache.clear();
    cache.set(topic, found);
    return found;
  }

  /** Whether all who get a message on this topic want it for themselves. */
  function reserved(topic: string): boolean {
    const holders = match(topic);
    return holders.length > 0 && holders.every(({ handlerOnly }) => handlerOnly);
  }

  /** Whether anybody does. */
  function reserving(): boolean {
    return all().some(({ handlerOnly }) => handlerOnly);
  }

  function withFilter(filter: string): Holder[] {
    return [...(routes.get(filter)?.holders ?? [])];
  }

  /** What to ask of the broker for a newcomer among those who share its filter. */
  function shared(newcomer: Holder): WireSubscription {
    const sharing = withFilter(newcomer.request.topic).map((holder) => holder.request);
    return combine(newcomer.request, sharing);
  }

  function all(): Holder[] {
    return [...routes.values()].flatMap((route) => [...route.holders]);
  }

  return { add, remove, match, reserved, reserving, withFilter, shared, all, empty: () => routes.size === 0 };
}
