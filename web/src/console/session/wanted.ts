/** What to subscribe to. */

import type { QoS, SubscribeOptions } from '../../client';
import { isRecord } from '../core/storage';
import { filled, isQoS } from './message';

export interface Wanted {
  filter: string;
  qos: QoS;
  /** No Local, Retain As Published and Retain Handling (3.8.3.1), by the client's names. */
  nl?: boolean;
  /** Default: `defaultRap`. */
  rap?: boolean;
  rh?: 1 | 2;
  /** The Subscription Identifier (3.8.2.1.2). */
  identifier?: number;
  /** Shown instead of the filter. */
  name?: string;
  /** The colour, if the user chose one: degrees. */
  hue?: number;
}

/**
 * The default of Retain As Published: without it, it is not known whether the broker retains what
 * it sends (3.3.1.3).
 */
export const defaultRap = true;

export const longestName = 100;

export function optionsOf({ qos, nl, rap, rh, identifier }: Wanted): SubscribeOptions {
  const properties = identifier !== undefined && { subscriptionIdentifier: identifier };
  return filled<SubscribeOptions>({ qos, nl, rap, rh, properties });
}

/** What the page subscribes with. */
export const requestOf = (wanted: Wanted): SubscribeOptions => optionsOf({ rap: defaultRap, ...wanted });

const within = (value: unknown, least: number, most: number) =>
  typeof value === 'number' && Number.isInteger(value) && value >= least && value <= most && value;

/** From foreign JSON; what is missing or invalid is left out. */
export function wantedFrom(value: unknown): Wanted | undefined {
  if (!isRecord(value) || typeof value.filter !== 'string') return undefined;
  const { filter, qos, nl, rap, rh, identifier, name, hue } = value;
  const options = filled<Omit<Wanted, 'filter' | 'qos'>>({
    nl: nl === true,
    rh: (rh === 1 || rh === 2) && rh,
    identifier: within(identifier, 1, 268_435_455),
    name: typeof name === 'string' && name.slice(0, longestName),
    hue: within(hue, 0, 359),
  });
  return { filter, qos: isQoS(qos) ? qos : 0, ...options, ...(typeof rap === 'boolean' && { rap }) };
}
