/**
 * Subscription identifiers (MQTT 5, 3.8.2.1.2) tell for which of several matching subscriptions the
 * broker sent a copy of a message. A subscription for which the caller gave none gets one computed
 * from its filter: so it is the same in all tabs, and in a session that outlives them.
 */

/** From here on they are the client's own, and left out if the broker supports none. */
export const firstOwn = 2 ** 27;

/**
 * FNV-1a, folded to the 27 bits that are left. Two filters with the same identifier share their
 * copies, too.
 */
export function identifierOf(filter: string): number {
  let hash = 0x811c9dc5;
  for (let n = 0; n < filter.length; n++) hash = Math.imul(hash ^ filter.charCodeAt(n), 0x01000193);
  return firstOwn + ((hash ^ (hash >>> 27)) & (firstOwn - 1));
}

/**
 * Of those whose filters match a topic, those for whose subscription a copy was sent; all if that
 * is not known, and none if it was for one that is `over`: the others get their own. A broker that
 * sends one copy names all of them [MQTT-3.3.4-3], [MQTT-3.3.4-4].
 */
export function chosen<T extends { identifiers: ReadonlySet<number> }>(
  selected: readonly T[],
  identifiers: () => number[],
  over: ReadonlySet<number>,
): readonly T[] {
  if (selected.length < (over.size > 0 ? 1 : 2)) return selected;
  const copied = identifiers();
  const named = selected.filter((one) => copied.some((identifier) => one.identifiers.has(identifier)));
  return named.length > 0 || copied.some((identifier) => over.has(identifier)) ? named : selected;
}
