/**
 * Subscription identifiers (MQTT 5, 3.8.2.1.2), by which a message tells which of
 * several subscriptions that select its topic a copy was made for. A subscription
 * for which the caller gave none gets one that is made of its filter: so it is the
 * same in all tabs, and in a session that outlives them.
 */

/** From here on they are made by the client, and left out where the broker takes none. */
export const firstOwn = 2 ** 27;

/** FNV-1a, folded to the 27 bits that are left. Two filters that share one share their copies too. */
export function identifierOf(filter: string): number {
  let hash = 0x811c9dc5;
  for (let n = 0; n < filter.length; n++) hash = Math.imul(hash ^ filter.charCodeAt(n), 0x01000193);
  return firstOwn + ((hash ^ (hash >>> 27)) & (firstOwn - 1));
}

/**
 * Of those whose filters select a topic, those whose subscription a copy was made
 * for; all where that is not known. A broker that sends one copy names all of them
 * [MQTT-3.3.4-3], [MQTT-3.3.4-4].
 */
export function chosen<T extends { identifiers: ReadonlySet<number> }>(
  selected: readonly T[],
  identifiers: () => number[],
): readonly T[] {
  if (selected.length < 2) return selected;
  const copied = identifiers();
  const named = selected.filter((one) => copied.some((identifier) => one.identifiers.has(identifier)));
  return named.length > 0 ? named : selected;
}
