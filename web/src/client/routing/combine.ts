import type { WireSubscription } from '../../protocol/boundary';
import { identifierOf } from './identifiers';

/**
 * The subscription to request from the broker, so that no subscription that shares the newcomer's
 * filter gets less than it asked for. Retain Handling is the newcomer's, since it applies only now.
 */
export function combine(newcomer: WireSubscription, sharing: WireSubscription[]): WireSubscription {
  const combined = { ...newcomer };
  for (const { qos } of sharing) if (qos > combined.qos) combined.qos = qos;
  if (combined.nl) combined.nl = sharing.every((other) => other.nl);
  if (!combined.rap && sharing.some((other) => other.rap)) combined.rap = true;
  // A caller's identifier is kept, whatever comes after it.
  const own = identifierOf(newcomer.topic);
  const given = [newcomer, ...sharing].find(({ identifier = own }) => identifier !== own);
  if (given?.identifier !== undefined) combined.identifier = given.identifier;
  return combined;
}
