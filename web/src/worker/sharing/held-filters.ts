import type { TopicSubscriptions } from '../../client/routing/topic-subscriptions';
import type { CallOptions, SubscribeAck, UnsubscribeCall, WireSubscription } from '../../protocol/boundary';

type Unsubscribe = (filters: string[], call?: UnsubscribeCall & CallOptions) => Promise<SubscribeAck>;

/** The filters that the broker has for a shared connection, and those of them that are no longer wanted. */
export function createHeldFilters<Taker>(
  wanted: TopicSubscriptions<Taker>,
  unsubscribeAtBroker: Unsubscribe,
) {
  /** Filters that the broker has, or may have. */
  const held = new Set<string>();
  /** Those that stay although their page is gone. */
  const kept = new Set<string>();
  let ended = false;

  /** Returns a function that undoes it, at the broker, too, if another taker had the filter until now. */
  function take(taker: Taker, request: WireSubscription): () => void {
    const { topic } = request;
    const wasHeld = held.has(topic);
    held.add(topic);
    const wasKept = kept.delete(topic);
    const takeBack = wanted.add(taker, request);
    return () => {
      takeBack();
      if (wasKept && !wanted.has(topic)) kept.add(topic);
      if (wasHeld) giveBack([topic]);
      else if (!wanted.has(topic)) held.delete(topic);
    };
  }

  /** Unsubscribes from those that are no longer wanted. */
  function giveBack(given: string[]): void {
    const unwanted = given.filter((filter) => held.has(filter) && !wanted.has(filter) && !kept.has(filter));
    if (unwanted.length === 0 || ended) return;
    unsubscribe(unwanted).catch(() => {
      // They stay held, and the next connection tries again.
    });
  }

  const unsubscribe: Unsubscribe = async (unwanted, call) => {
    for (const filter of unwanted) kept.delete(filter);
    const ack = await unsubscribeAtBroker(unwanted, call);
    for (const filter of unwanted) if (!wanted.has(filter)) held.delete(filter);
    return ack;
  };

  return {
    take,
    giveBack,
    giveBackAll: (): void => giveBack([...held]),
    unsubscribe,
    /** Keeps filters for the next page, since the one that had them may be reloading. */
    keep(given: string[]): void {
      for (const filter of given) if (held.has(filter)) kept.add(filter);
    },
    /** Nothing is given back any more. */
    finish(): void {
      ended = true;
    },
  };
}
