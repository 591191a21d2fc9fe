/** Clients that outlive the program behind them. */

import type {
  Boundary,
  BoundaryClient,
  ClientEvent,
  SubscribeCall,
  WireError,
  WireSubscription,
} from '../../protocol/boundary';
import { defaultTimeout } from '../checks/calls';
import { defaultMaxReconnectPeriod, defaultReconnectPeriod } from '../checks/options';
import { MqttError } from '../errors';
import { createResent } from './resent';

type ConnectRequest = Parameters<Boundary['connect']>[0];

interface Subscribed {
  subscription: WireSubscription;
  properties: SubscribeCall['properties'];
}

/** Reason codes after which trying again is useless, as in `final` of wasm/mqtt/supervisor.go. */
const permanent = new Set([0x84, 0x85, 0x86, 0x87, 0x8a, 0x8c, 0x8e, 0x9c, 0x9d]);

/**
 * Treats a crash of the program as a lost connection: opens another program, connects with the same
 * options and resubscribes, with the same back-off and events. Pending calls reject with `crashed`,
 * calls until there is another program with `not-connected`.
 *
 * Likewise when the page comes out of the back/forward cache and the store can't be had back: what
 * the program knows of it may be old.
 */
export function restartAfterCrash(engine: Boundary, open: () => Promise<Boundary>): Boundary {
  return { connect: (request) => connect(engine, open, request) };
}

async function connect(
  engine: Boundary,
  open: () => Promise<Boundary>,
  { signal, onEvent, onBatch, ...options }: ConnectRequest,
): Promise<BoundaryClient> {
  const {
    reconnectPeriod = defaultReconnectPeriod,
    maxReconnectPeriod = defaultMaxReconnectPeriod,
    connectTimeout = defaultTimeout,
  } = options;
  /** By filter. */
  const subscribed = new Map<string, Subscribed>();
  const resent = createResent();
  const givenUp = new AbortController();
  /** Absent while there is no program. */
  let link: BoundaryClient | undefined;
  let revived = false;
  let connected = false;
  let leaving = false;
  let { packetEvents = false } = options;
  /** Since everything was restored the last time. */
  let attempts = 0;
  /** Ends the back-off. */
  let hurry = (): void => {};

  const onLinkBatch: ConnectRequest['onBatch'] = (buffer, count, dropped, payloads) => {
    const fresh = resent.receive({ buffer, count, payloads });
    if (fresh.count === 0 && count > 0 && dropped === 0) return undefined;
    return onBatch(fresh.buffer, fresh.count, dropped, fresh.payloads);
  };

  function onLinkEvent(event: ClientEvent): void {
    if (event.type === 'connect') connected = true;
    if (event.type === 'close') connected = false;
    if (event.type === 'end' && event.error?.code === 'crashed') fail(event.error);
    else onEvent(event);
  }

  function fail(crash: WireError): void {
    if (link && !leaving && reconnectPeriod > 0) revive(crash);
    else onEvent({ type: 'end', error: crash });
  }

  function revive(crash: WireError): void {
    link = undefined;
    revived = true;
    resent.crashed();
    if (connected) onEvent({ type: 'close', error: crash });
    connected = false;
    void tryAgain();
  }

  /** Makes attempts until one succeeds, trying again is useless, or the client ends. */
  async function tryAgain(): Promise<void> {
    while (!link && !givenUp.signal.aborted) {
      attempts++;
      await waitBackOff(attempts);
      if (givenUp.signal.aborted) return;
      try {
        await connectAgain();
      } catch (error) {
        if (givenUp.signal.aborted) return;
        if (isEnd(error as MqttError)) return;
      }
    }
  }

  /** Reports why an attempt failed. Returns whether that ends the client. */
  function isEnd(error: MqttError): boolean {
    const type = isHopeless(error) ? 'end' : 'error';
    onEvent({ type, error });
    return type === 'end';
  }

  function waitBackOff(attempt: number): Promise<void> {
    const limit = Math.min(reconnectPeriod * 2 ** (attempt - 1), maxReconnectPeriod);
    // Full jitter: tabs that lost their program together do not reconnect together.
    const delay = Math.floor(Math.random() * (limit + 1));
    onEvent({ type: 'reconnect', attempt, delay });
    return new Promise((resolve) => {
      hurry = resolve;
      setTimeout(resolve, delay);
    });
  }

  async function connectAgain(): Promise<void> {
    // Kept back until `next` is known to be the current program.
    let early: ClientEvent[] | undefined = [];
    let tell = (event: ClientEvent): void => void early?.push(event);
    const another = await open();
    const next = await another.connect({
      ...options,
      packetEvents,
      // Its queue accepts messages before there is a connection.
      ...(options.queue?.offline && { background: true }),
      signal: givenUp.signal,
      // The session may deliver messages before anything can be subscribed to again.
      filters: [...subscribed.values()].map(({ subscription }) => subscription),
      onEvent(event: ClientEvent) {
        if (event.type === 'connect') resent.connected();
        tell(event);
      },
      onBatch: onLinkBatch,
    });
    if (givenUp.signal.aborted) return leave(next);
    link = next;
    tell = restoring(next);
    for (const event of early) tell(event);
    early = undefined;
  }

  /**
   * Receives the program's events. A connection, and what follows, is reported only once everything
   * is restored.
   */
  function restoring(next: BoundaryClient): (event: ClientEvent) => void {
    let restored = false;
    let keptBack: ClientEvent[] | undefined;

    function hear(event: ClientEvent): void {
      if (link !== next) return;
      if (event.type === 'end') keptBack = undefined;
      if (keptBack) keptBack.push(event);
      else if (restored || event.type !== 'connect') onLinkEvent(event);
      else {
        keptBack = [event];
        void restore(event.connack.sessionPresent);
      }
    }

    async function restore(sessionPresent: boolean): Promise<void> {
      let failure: { error: MqttError } | undefined;
      try {
        // The session still has them, but the new program must know them, too.
        if (sessionPresent || options.resubscribe !== false) await subscribeAgain(next, hear);
        else subscribed.clear();
      } catch (cause) {
        failure = { error: cause as MqttError };
      }
      if (link !== next || !keptBack) return; // ended, or crashed
      const events = keptBack;
      keptBack = undefined;
      if (failure && leaving) return;
      const lost = events.findIndex(({ type }) => type === 'close');
      if (!failure) {
        restored = true;
        attempts = 0;
      } else if (lost < 0) {
        link = undefined;
        leave(next);
        if (!isEnd(failure.error)) void tryAgain();
        return;
      } else {
        // The program makes another connection, and only that one is reported.
        events.splice(lost, 1);
        events.shift();
      }
      for (const event of events) hear(event);
    }

    return hear;
  }

  function leave(another: BoundaryClient): void {
    another.disconnect({ force: true }).catch(() => {
      // It has ended already.
    });
  }

  async function subscribeAgain(next: BoundaryClient, tell: (event: ClientEvent) => void): Promise<void> {
    const limits = { timeout: connectTimeout, signal: givenUp.signal };
    const subscribing = [...subscribed].map(async ([filter, { subscription, properties }]) => {
      const ack = await next.subscribe([subscription], { ...limits, ...(properties && { properties }) });
      const [reasonCode = 0] = ack.reasonCodes;
      if (reasonCode < 0x80) return;
      subscribed.delete(filter);
      const message = `the broker refused to resubscribe to ${JSON.stringify(filter)}`;
      tell({ type: 'error', error: { code: 'refused', message, field: 'filter', reasonCode } });
    });
    await Promise.all(subscribing);
  }

  function isHopeless({ code, reasonCode = 0 }: MqttError): boolean {
    if (code === 'bad-option') return true;
    return code === 'refused' && permanent.has(reasonCode) && !options.reconnectOnConnackError;
  }

  function use(): BoundaryClient {
    if (link) return link;
    const why = "the client's program crashed, and another one is not connected yet";
    throw new MqttError('not-connected', `${why}; wait for the event connect`);
  }

  link = await engine.connect({
    ...options,
    ...(signal && { signal }),
    onEvent: (event) => revived || onLinkEvent(event),
    onBatch: onLinkBatch,
  });

  return {
    publish: async (topic, payload, call) => use().publish(topic, payload, call),
    request: async (topic, payload, call) => use().request(topic, payload, call),
    reauthenticate: async (limits) => use().reauthenticate(limits),
    suspend: async (limits) => use().suspend(limits),
    async resume(limits) {
      const current = use();
      try {
        await current.resume(limits);
      } catch (error) {
        // Without a store it resumes once the worker runs, and what it has in memory is not lost.
        const ended = (error as MqttError).code === 'not-connected';
        if (!options.store || ended || link !== current) throw error;
        fail(error as MqttError);
        leave(current);
      }
    },
    ping: async (limits) => use().ping(limits),

    async tellPackets(call) {
      await use().tellPackets(call);
      packetEvents = call.on;
    },

    async wake(limits) {
      if (link) await link.wake(limits);
      else hurry();
    },

    async subscribe(subscriptions, call) {
      const ack = await use().subscribe(subscriptions, call);
      for (const [index, subscription] of subscriptions.entries()) {
        if ((ack.reasonCodes[index] ?? 0) >= 0x80) continue;
        subscribed.set(subscription.topic, { subscription, properties: call?.properties });
      }
      return ack;
    },

    async unsubscribe(filters, call) {
      for (const filter of filters) subscribed.delete(filter);
      return use().unsubscribe(filters, call);
    },

    async disconnect(call) {
      if (!link) {
        givenUp.abort();
        hurry();
        onEvent({ type: 'end' });
        return;
      }
      leaving = true;
      try {
        await link.disconnect(call);
      } finally {
        leaving = false;
      }
    },
  };
}
