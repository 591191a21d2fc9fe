/** Subscribes at the broker to what the client's subscriptions need. */

import type { BoundaryClient, SubscribeAck } from '../../protocol/boundary';
import { type Limited, plainCall, type SubscribeSettings } from '../checks/calls';
import { aborted, MqttError } from '../errors';
import { createHolder, type Holder } from '../subscription';
import type { CallOptions, MessageHandler, Subscription } from '../types';
import { identifierOf } from './identifiers';
import type { Router } from './router';

export interface Dependencies {
  link: BoundaryClient;
  router: Router;
  /** Whether the client takes no more calls: it has ended, or is about to. */
  closing(): boolean;
  /** Throws if the client has ended. */
  requireOpen(): void;
}

/** What one call asks for. */
export interface Subscribing extends SubscribeSettings {
  filters: string[];
  handler: MessageHandler | undefined;
}

export function createSubscribing({ link, router, closing, requireOpen }: Dependencies) {
  /** Filters that no subscription has, but the broker may still have. */
  const unwanted = new Set<string>();
  /** Filters that the broker has granted. */
  const granted = new Set<string>();

  /** One for each filter. */
  async function subscribe({
    filters,
    call,
    subscription,
    bounds,
    handler,
    handlerOnly,
  }: Subscribing): Promise<Subscription[]> {
    // Before SUBSCRIBE is sent: messages may arrive before the SUBACK (3.8.4).
    const holders = filters.map((topic) => {
      const request = { identifier: identifierOf(topic), ...subscription, topic };
      const holder = createHolder({ request, bounds, handler, handlerOnly, leave });
      router.add(holder);
      return holder;
    });
    let ack: SubscribeAck;
    try {
      ack = await link.subscribe(holders.map(router.shared), call);
    } catch (error) {
      withdraw(holders, call.signal?.aborted || maybeGranted(error) ? filters : []);
      throw error;
    }
    grant(holders, filters, ack, call.signal);
    return holders.map((holder) => holder.subscription);
  }

  /** Grants all subscriptions of one call or none: throws when the broker refused any. */
  function grant(holders: Holder[], filters: string[], ack: SubscribeAck, signal?: AbortSignal): void {
    try {
      requireOpen();
      if (signal?.aborted) throw aborted(signal);
      throwRefused(ack, filters);
    } catch (error) {
      withdraw(
        holders,
        filters.filter((_, index) => (ack.reasonCodes[index] ?? 0) < 0x80),
      );
      throw error;
    }
    for (const [index, filter] of filters.entries()) {
      granted.add(filter);
      for (const sharing of router.withFilter(filter)) sharing.grant(ack.reasonCodes[index] ?? 0);
    }
    if (signal) for (const holder of holders) holder.follow(signal);
  }

  /**
   * Undoes a failed subscribe; at the broker, too, for filters that nothing uses and that it has
   * through this call (`those`) or through another whose subscription ended meanwhile.
   */
  function withdraw(holders: Holder[], those: string[]): void {
    const filters: string[] = [];
    for (const holder of holders) {
      const { topic } = holder.request;
      holder.finish(true);
      if (router.remove(holder) && (those.includes(topic) || granted.has(topic))) filters.push(topic);
    }
    if (filters.length === 0 || closing()) return;
    askToUnsubscribe(filters, plainCall()).catch(() => {
      // The subscribe call reports what went wrong.
    });
  }

  /** Until the broker has answered, messages still go to a handler if they did before. */
  async function end(holders: Holder[], filters: string[], call: Limited<CallOptions>): Promise<void> {
    for (const holder of holders) {
      holder.finish(true);
      if (!holder.handlerOnly) router.remove(holder);
    }
    const unused = filters.filter((filter) => router.withFilter(filter).length === 0);
    try {
      if (unused.length > 0) await askToUnsubscribe(unused, call);
    } finally {
      holders.forEach(router.retire);
    }
  }

  async function leave(holder: Holder, call: Limited<CallOptions>): Promise<void> {
    if (!holder.finished()) await end([holder], [holder.request.topic], call);
  }

  function unsubscribe(filters: string[], call: Limited<CallOptions>): Promise<void> {
    return end(filters.flatMap(router.withFilter), filters, call);
  }

  async function askToUnsubscribe(filters: string[], call: Limited<CallOptions>): Promise<void> {
    for (const filter of filters) unwanted.add(filter);
    const ack = await link.unsubscribe(filters, call);
    for (const [index, filter] of filters.entries()) {
      unwanted.delete(filter);
      if ((ack.reasonCodes[index] ?? 0) < 0x80) granted.delete(filter);
    }
    throwRefused(ack, filters);
  }

  /**
   * Unsubscribes again, at a new connection, from what could not be undone before: the session, or
   * the engine's resubscribing, has it.
   */
  function unsubscribeAgain(): void {
    const filters = [...unwanted].filter((filter) => router.withFilter(filter).length === 0);
    unwanted.clear();
    if (filters.length === 0) return;
    askToUnsubscribe(filters, plainCall()).catch(() => {
      // The caller of unsubscribe has been told; it is tried again at the next connect.
    });
  }

  /** The client has ended: so do all subscriptions, after the messages received so far. */
  function finish(error?: MqttError): void {
    for (const holder of router.all()) {
      router.remove(holder);
      holder.finish(false, error);
    }
  }

  return { subscribe, unsubscribe, unsubscribeAgain, finish };
}

function throwRefused(ack: SubscribeAck, filters: string[]): void {
  const index = ack.reasonCodes.findIndex((code) => code >= 0x80);
  if (index < 0) return;
  const reasonCode = ack.reasonCodes[index] as number;
  const { reasonString } = ack;
  const why = reasonString ? `: ${reasonString}` : '';
  const code = `0x${reasonCode.toString(16).toUpperCase()}`;
  const message = `the broker refused ${JSON.stringify(filters[index])} with reason ${code}${why}`;
  throw new MqttError('refused', message, { field: 'filter', reasonCode, reasonString });
}

/**
 * Whether the broker may have granted what failed here without the engine undoing it: its caller
 * stopped waiting, or the program is gone, and the next one does not know of it.
 */
function maybeGranted(error: unknown): boolean {
  return error instanceof MqttError && /^(timeout|aborted|crashed)$/.test(error.code);
}
