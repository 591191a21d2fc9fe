import type { WireSubscription } from '../../protocol/boundary';
import { chosen } from './identifiers';
import { createTopicIndex } from './topic-index';

/** Ended subscriptions that are remembered. */
const mostOver = 1000;

interface Entry<Taker> {
  /** Counts up: the first filter to be subscribed to is the first to get a message. */
  order: number;
  requests: Map<Taker, WireSubscription>;
  /** Replaced by each change, not modified: a handler may change it while they are called. */
  takers: readonly Taker[];
  /** The identifiers with which its messages come. */
  identifiers: Set<number>;
}

interface Described {
  topic: string;
  /** The subscription identifiers that the broker sent with it. */
  identifiers(): number[];
}

export type TopicSubscriptions<Taker> = ReturnType<typeof createTopicSubscriptions<Taker>>;

/** Who has subscribed to what: the subscriptions of a page, or those of all pages. */
export function createTopicSubscriptions<Taker>() {
  const entries = new Map<string, Entry<Taker>>();
  const index = createTopicIndex<Entry<Taker>>();
  /** Identifiers of those that have ended, the oldest first: their copies may still arrive. */
  const over = new Set<number>();
  let lastOrder = 0;

  /** Returns a function that undoes it, and restores what the taker asked for before. */
  function add(taker: Taker, request: WireSubscription): () => void {
    const { topic, identifier } = request;
    let entry = entries.get(topic);
    if (!entry) {
      lastOrder++;
      entry = { order: lastOrder, requests: new Map(), takers: [], identifiers: new Set() };
      entries.set(topic, entry);
      index.add(topic, entry);
    }
    const { requests, identifiers } = entry;
    if (identifier !== undefined) {
      identifiers.add(identifier);
      over.delete(identifier);
    }
    const before = requests.get(taker);
    requests.set(taker, request);
    entry.takers = [...requests.keys()];
    return () => {
      if (requests.get(taker) !== request) return;
      if (before) requests.set(taker, before);
      else remove(taker, topic);
    };
  }

  /** Whether it was there. */
  function remove(taker: Taker, filter: string): boolean {
    const entry = entries.get(filter);
    if (!entry?.requests.delete(taker)) return false;
    entry.takers = [...entry.requests.keys()];
    if (entry.takers.length > 0) return true;
    entries.delete(filter);
    index.remove(filter, entry);
    for (const identifier of entry.identifiers) over.add(identifier);
    const [oldest] = over;
    if (oldest && over.size > mostOver) over.delete(oldest);
    return true;
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

  /** Of a message, in the order of their filters, each once. */
  function takersOf({ topic, identifiers }: Described): readonly Taker[] {
    const found = chosen(index.match(topic), identifiers, over);
    if (found.length < 2) return found[0]?.takers ?? [];
    const inOrder = found.toSorted((one, other) => one.order - other.order);
    return [...new Set(inOrder.flatMap(({ takers }) => takers))];
  }

  return {
    add,
    remove,
    removeAll,
    sharing,
    takersOf,
    takersWith: (filter: string): readonly Taker[] => entries.get(filter)?.takers ?? [],
    all: (): Taker[] => [...entries.values()].flatMap(({ takers }) => takers),
    has: (filter: string) => entries.has(filter),
    empty: () => entries.size === 0,
  };
}
