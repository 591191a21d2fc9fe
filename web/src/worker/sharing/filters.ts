import { chosen } from '../../client/routing/identifiers';
import { createTopicIndex } from '../../client/routing/topic-index';
import type { WireSubscription } from '../../protocol/boundary';
import type { Described } from './split';

interface Entry<Taker> {
  requests: Map<Taker, WireSubscription>;
  /** The identifiers with which its messages come. */
  identifiers: Set<number>;
}

export type Filters<Taker> = ReturnType<typeof createFilters<Taker>>;

/** The subscriptions of all takers. */
export function createFilters<Taker>() {
  const entries = new Map<string, Entry<Taker>>();
  const index = createTopicIndex<Entry<Taker>>();

  /** Returns a function that undoes it, and restores what the taker asked for before. */
  function add(taker: Taker, request: WireSubscription): () => void {
    const { topic, identifier } = request;
    let entry = entries.get(topic);
    if (!entry) {
      entry = { requests: new Map(), identifiers: new Set() };
      entries.set(topic, entry);
      index.add(topic, entry);
    }
    const { requests, identifiers } = entry;
    if (identifier !== undefined) identifiers.add(identifier);
    const before = requests.get(taker);
    requests.set(taker, request);
    return () => {
      if (requests.get(taker) !== request) return;
      if (before) requests.set(taker, before);
      else remove(taker, topic);
    };
  }

  function remove(taker: Taker, filter: string): void {
    const entry = entries.get(filter);
    if (!entry?.requests.delete(taker) || entry.requests.size > 0) return;
    entries.delete(filter);
    index.remove(filter, entry);
  }

  /** Returns the filters that the taker had. */
  function removeAll(taker: Taker): string[] {
    const had = [...entries].flatMap(([filter, { requests }]) => (requests.has(taker) ? filter : []));
    for (const filter of had) remove(taker, filter);
    return had;
  }

  /** The subscriptions of other takers with the same filter. */
  function sharing(taker: Taker, filter: string): WireSubscription[] {
    const requests = entries.get(filter)?.requests ?? [];
    return [...requests].flatMap(([other, request]) => (other === taker ? [] : request));
  }

  function takersOf({ topic, identifiers }: Pick<Described, 'topic' | 'identifiers'>): Taker[] {
    const takers = chosen(index.match(topic), identifiers).flatMap(({ requests }) => [...requests.keys()]);
    return takers.length > 1 ? [...new Set(takers)] : takers;
  }

  return { add, remove, removeAll, sharing, takersOf, has: (filter: string) => entries.has(filter) };
}
