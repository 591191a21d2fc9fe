/** What a client subscribes to at the broker, so that each subscription handed out gets its messages. */

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
  /** Whether the client takes no calls any more: it has ended, or is about to. */
  closing(): boolean;
  /** Throws where it has ended. */
  requireOpen(): void;
}

/** What is asked for in one call. */
export interface Subscribing extends SubscribeSettings {
  filters: string[];
  handler: MessageHandler | undefined;
}

export function createSubscribing({ link, router, closing, requireOpen }: Dependencies) {
  /** Filters that nobody here has, and the broker may still. */
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
    // Before asking: messages may come before the SUBACK does (3.8.4).
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

  /** All of one call or nothing: throws when the broker refused any. */
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
   * Undoes a failed subscribe, at the broker too for filters that it has, by this call (`those`) or
   * by another whose subscription was left meanwhile, and that nobody uses.
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
      // The subscribe call tells its caller what went wrong.
    });
  }

  /** What is on its way until the broker has answered is still a handler's own, if it was before. */
  async function end(holders: Holder[], filters: string[], call: Limited<CallOptions>): Promise<void> {
    for (const holder of holders) {
      holder.finish(true);
      if (!holder.handlerOnly) router.remove(holder);
    }
    const unused = filters.filter((filter) => router.withFilter(filter).length === 0);
    try {
      if (unused.length > 0) await askToUnsubscribe(unused, call);
    } finally {
      holders.forEach(router.remove);
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

  /** The session, or the engine's subscribing again, has what could not be taken back before. */
  function unsubscribeAgain(): void {
    const filters = [...unwanted].filter((filter) => router.withFilter(filter).length === 0);
    unwanted.clear();
    if (filters.length === 0) return;
    askToUnsubscribe(filters, plainCall()).catch(() => {
      // Whoever unsubscribed has been told; it is tried again at the next connect.
    });
  }

  /** The client has ended: so do all subscriptions, after what has come. */
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
 * Whether the broker may have granted what failed here, and the engine does not see to
 * that: its caller gave up, or the program is gone, and the next one does not know of it.
 */
function maybeGranted(error: unknown): boolean {
  return error instanceof MqttError && /^(timeout|aborted|crashed)$/.test(error.code);
}
