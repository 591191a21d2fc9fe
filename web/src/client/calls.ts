import type { BoundaryClient } from '../protocol/boundary';
import {
  type Limited,
  plainCall,
  publishCall,
  requestCall,
  type Session,
  subscribeSettings,
} from './checks/calls';
import { bad, callback, payload as toPayload } from './checks/rules';
import { topicFilters, topicName } from './checks/topics';
import type { Receiving } from './receiving';
import type { WhenOpen } from './transport/waiting-calls';
import type {
  CallOptions,
  Message,
  MessageHandler,
  Payload,
  PublishOptions,
  RequestHandler,
  RequestOptions,
  SubscribeOptions,
  Subscription,
} from './types';

/** What calls need once the program runs. */
export interface Opened {
  link: BoundaryClient;
  receiving: Receiving;
}

export interface Caller {
  /** Throws when the client takes no more calls. */
  whenOpen: WhenOpen<Opened>;
  session: Session;
  isConnected(): boolean;
  receiving(): Receiving | undefined;
  /** A call that may fail by what the caller's own functions threw. */
  explained<T>(call: Promise<T>): Promise<T>;
}

/** A client's calls: each validates its arguments before it waits for anything. */
export function createCalls({ whenOpen, session, isConnected, receiving, explained }: Caller) {
  /** A call whose only options are its limits. Throws if they are invalid. */
  function simple<T>(
    options: CallOptions | undefined,
    run: (opened: Opened, limits: Limited<object>) => Promise<T>,
  ): Promise<T> {
    return whenOpen(run, plainCall(options));
  }

  async function publish(topic: string, payload: Payload, options?: PublishOptions) {
    topicName(topic, 'topic');
    // While connected, text is encoded together with that of other messages.
    const content = typeof payload === 'string' && isConnected() ? payload : toPayload(payload, 'payload');
    const call = publishCall(options, session);
    return whenOpen(({ link }, limited) => link.publish(topic, content, limited), call, content.length);
  }

  async function request(topic: string, payload: Payload, options?: RequestOptions): Promise<Message> {
    topicName(topic, 'topic');
    const bytes = toPayload(payload, 'payload');
    const call = requestCall(options, session);
    return whenOpen(
      async ({ link, receiving }, limited) =>
        receiving.decodeAnswer(await link.request(topic, bytes, limited)),
      call,
      bytes.byteLength,
    );
  }

  function subscribe(
    filter: string,
    options?: SubscribeOptions | MessageHandler,
    handler?: MessageHandler,
  ): Promise<Subscription>;
  function subscribe(
    filters: string[],
    options?: SubscribeOptions,
    handler?: MessageHandler,
  ): Promise<Subscription[]>;
  async function subscribe(
    filter: string | string[],
    options?: SubscribeOptions | MessageHandler,
    handler = typeof options === 'function' ? options : undefined,
  ): Promise<Subscription | Subscription[]> {
    const filters = topicFilters(filter);
    const asked = subscribeSettings(typeof options === 'function' ? undefined : options);
    if (handler !== undefined) callback(handler, 'handler');
    if (asked.handlerOnly && !handler) throw bad('handlerOnly', 'needs a handler');
    const subscriptions = await whenOpen(
      ({ receiving }, call) => receiving.subscribe({ ...asked, filters, handler, call }),
      asked.call,
    );
    return Array.isArray(filter) ? subscriptions : (subscriptions[0] as Subscription);
  }

  async function unsubscribe(filter: string | string[], options?: CallOptions): Promise<void> {
    const filters = topicFilters(filter);
    await simple(options, ({ receiving }, limited) => receiving.unsubscribe(filters, limited));
  }

  async function respond(
    filter: string,
    handler: RequestHandler,
    options?: SubscribeOptions,
  ): Promise<Subscription> {
    callback(handler, 'handler');
    return subscribe(filter, options, (message) => receiving()?.answer(message, handler, publish));
  }

  async function reconnect(options?: CallOptions): Promise<void> {
    await simple(options, ({ link }, limited) => link.wake(limited));
  }

  async function ping(options?: CallOptions): Promise<number> {
    return simple(options, ({ link }, limited) => link.ping(limited));
  }

  async function setPacketEvents(on: boolean, options?: CallOptions): Promise<void> {
    if (typeof on !== 'boolean') throw bad('on', 'must be true or false');
    await simple(options, ({ link }, limited) => link.tellPackets({ on, ...limited }));
  }

  async function reauthenticate(options?: CallOptions): Promise<void> {
    await explained(simple(options, ({ link }, limited) => link.reauthenticate(limited)));
  }

  return {
    publish,
    publishAsync: publish,
    subscribe,
    subscribeAsync: subscribe,
    unsubscribe,
    unsubscribeAsync: unsubscribe,
    request,
    respond,
    reconnect,
    ping,
    setPacketEvents,
    reauthenticate,
  };
}
