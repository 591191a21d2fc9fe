import { compile } from '../../client/routing/topic-filter';
import type { WireSubscription } from '../../protocol/boundary';

/** Topics whose takers are remembered; past that, all are forgotten and found again. */
const cacheLimit = 1000;

interface Entry<Taker> {
  selects(topic: string): boolean;
  requests: Map<Taker, WireSubscription>;
}

/** Who subscribed to what. */
export function createFilters<Taker>() {
  const entries = new Map<string, Entry<Taker>>();
  const cache = new Map<string, Taker[]>();

  /** Returns how to take it back: what the taker asked for before stands again. */
  function add(taker: Taker, request: WireSubscription): () => void {
    const { topic } = request;
    let entry = entries.get(topic);
    if (!entry) {
      entry = { selects: compile(topic), requests: new Map() };
      entries.set(topic, entry);
    }
    const { requests } = entry;
    const before = requests.get(taker);
    requests.set(taker, request);
    cache.clear();
    return () => {
      if (requests.get(taker) !== request) return;
      if (before) requests.set(taker, before);
      else remove(taker, topic);
    };
  }

  function remove(taker: Taker, filter: string): void {
    const requests = entries.get(filter)?.requests;
    if (!requests?.delete(taker)) return;
    if (requests.size === 0) entries.delete(filter);
    cache.clear();
  }

  /** Returns the filters that it had. */
  function removeAll(taker: Taker): string[] {
    const had = [...entries].flatMap(([filter, { requests }]) => (requests.has(taker) ? filter : []));
    for (const filter of had) remove(taker, filter);
    return had;
  }

  /** What the others ask for with the same filter. */
  function sharing(taker: Taker, filter: string): WireSubscription[] {
    const requests = entries.get(filter)?.requests ?? [];
    return [...requests].flatMap(([other, request]) => (other === taker ? [] : request));
  }

  function takersOf(topic: string): Taker[] {
    const known = cache.get(topic);
    if (known) return known;
    const found = new Set<Taker>();
    for (const { selects, requests } of entries.values()) {
      if (selects(topic)) for (const taker of requests.keys()) found.add(taker);
    }
    if (cache.size >= cacheLimit) cache.clear();
    cache.set(topic, [...found]);
    return [...found];
  }

  return { add, remove, removeAll, sharing, takersOf, has: (filter: string) => entries.has(filter) };
}
