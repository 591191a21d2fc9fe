import type {
  Boundary,
  BoundaryClient,
  ClientEvent,
  ConnackInfo,
  SubscribeAck,
  WireError,
} from '../worker/messages';
import { createAsks } from './asks';
import { decodeBatch } from './batch';
import { bad, payload as toPayload } from './check';
import { fromWire, MqttError } from './errors';
import { createEmitter } from './events';
import { followPage, thisPage } from './lifecycle';
import {
  endCall,
  type Limited,
  plainCall,
  publishCall,
  requestCall,
  type Settings,
  subscribeSettings,
} from './options';
import { decodePackets } from './packets';
import { createResponder, decodeAnswer } from './request';
import { createRoutes } from './routes';
import { asyncDispose, createHolder, type Holder } from './subscription';
import { topicFilter, topicName } from './topics';
import type {
  CallOptions,
  Client,
  ClientEvents,
  ClientState,
  EndOptions,
  Message,
  MessageHandler,
  Payload,
  PublishOptions,
  RequestHandler,
  RequestOptions,
  SubscribeOptions,
  Subscription,
} from './types';

/** Connects, and resolves when the broker has said yes. */
export async function openClient(boundary: Boundary, settings: Settings, page = thisPage()): Promise<Client> {
  const emitter = createEmitter<ClientEvents>();
  const routes = createRoutes();
  const asks = createAsks(settings.callbacks);
  /** Filters that nobody here has, and the broker may still. */
  const unwanted = new Set<string>();
  const retries = settings.boundary.reconnectPeriod !== 0;
  let state: ClientState = 'connected';
  let suspended = false;
  let leavePage = (): void => {};
  let dropped = 0;
  let ended: { error: MqttError | undefined } | undefined;
  let ending: { force: boolean; done: Promise<void> } | undefined;

  // What arrives before the caller could add a listener waits until it could.
  let waiting: (() => void)[] | undefined = [];
  const inOrder = (task: () => void): void => {
    if (waiting) waiting.push(task);
    else task();
  };

  let accept: (connack: ConnackInfo) => void = () => {};
  const accepted = new Promise<ConnackInfo>((resolve) => {
    accept = resolve;
  });

  const { signal } = settings;
  const connecting = boundary.connect({
    ...settings.boundary,
    ...asks.sink,
    ...(signal && { signal }),
    onEvent(event) {
      if (event.type === 'connect') accept(event.connack);
      inOrder(() => onEvent(event));
    },
    onBatch: (buffer, count, lost) =>
      new Promise((resolve) => inOrder(() => resolve(handOut(buffer, count, lost)))),
    onPackets: (buffer) => inOrder(() => showPackets(buffer)),
  });
  const link: BoundaryClient = await explained(connecting);
  let connack = await accepted;

  const wake = (): void => void link.wake().catch(toldByEvents);
  if (page) {
    leavePage = followPage(page, {
      offline: () => emitter.emit('offline'),
      wake,
      suspend() {
        // A shared connection goes on for the other pages.
        if (settings.shared) return;
        suspended = true;
        if (state === 'reconnecting') state = 'disconnected';
        link.suspend().catch(toldByEvents);
      },
      resume() {
        if (settings.shared) return wake();
        suspended = false;
        if (state === 'disconnected' && !ending) state = 'reconnecting';
        link.resume().catch(toldByEvents);
      },
    });
  }

  inNextTask(() => {
    const tasks = waiting ?? [];
    waiting = undefined;
    for (const task of tasks) task();
  });

  function onEvent(event: ClientEvent): void {
    if (ended) return;
    switch (event.type) {
      case 'connect':
        connack = event.connack;
        state = 'connected';
        unsubscribeAgain();
        emitter.emit('connect', connack);
        break;
      case 'reconnect':
        if (!suspended) state = 'reconnecting';
        emitter.emit('reconnect', { attempt: event.attempt, delay: event.delay });
        break;
      case 'close':
        state = retries && !ending && !suspended ? 'reconnecting' : 'disconnected';
        emitter.emit('close', event.error && errorOf(event.error));
        break;
      case 'offline':
        emitter.emit('offline');
        break;
      case 'disconnect':
        emitter.emit('disconnect', event.packet);
        break;
      case 'error':
        emitter.emit('error', errorOf(event.error));
        break;
      case 'end':
        finish(event.error && errorOf(event.error));
    }
  }

  function errorOf(error: WireError): MqttError {
    return asks.explain(fromWire(error));
  }

  /** A call that may fail by what the caller's own functions threw. */
  function explained<T>(call: Promise<T>): Promise<T> {
    return call.catch((error: unknown) => {
      throw asks.explain(error);
    });
  }

  /** Once, however many ways lead here. */
  function finish(error?: MqttError): void {
    if (ended) return;
    ended = { error };
    leavePage();
    const closes = state === 'connected';
    state = 'disconnected';
    for (const holder of routes.all()) {
      routes.remove(holder);
      holder.finish(false, error);
    }
    if (closes) emitter.emit('close', error);
    emitter.emit('end', error);
  }

  function showPackets(buffer: ArrayBuffer): void {
    for (const { sent, packet } of decodePackets(buffer)) {
      emitter.emit(sent ? 'packetsend' : 'packetreceive', packet);
    }
  }

  function handOut(buffer: ArrayBuffer, count: number, lost: number): Promise<void> | undefined {
    if (ended) return;
    dropped += lost;
    try {
      return deliver(buffer, count, lost);
    } catch (error) {
      emitter.emit('error', error as MqttError);
    }
    return;
  }

  function deliver(buffer: ArrayBuffer, count: number, lost: number): Promise<void> | undefined {
    const messages = decodeBatch(buffer, count);
    const each = emitter.listens('message');
    const heard = each || emitter.listens('batch');
    const reserving = routes.reserving();
    const open = reserving ? messages.filter(({ topic }) => !routes.reserved(topic)) : messages;
    if (open.length > 0 || lost > 0) emitter.emit('batch', open, lost);
    const busy: Promise<void>[] = [];
    for (const message of messages) {
      if (each && !(reserving && routes.reserved(message.topic))) {
        emitter.emit('message', message.topic, message.payload, message);
      }
      if (routes.empty()) continue;
      for (const holder of routes.match(message.topic)) {
        const handled = holder.deliver(message, heard);
        if (handled) busy.push(handled);
      }
    }
    if (busy.length === 0) return;
    return Promise.all(busy).then(() => {});
  }

  function requireOpen(): void {
    if (!ended && !ending) return;
    throw new MqttError('not-connected', 'the client has ended', { cause: ended?.error });
  }

  async function publish(topic: string, payload: Payload, options?: PublishOptions) {
    topicName(topic, 'topic');
    const bytes = toPayload(payload, 'payload');
    const call = publishCall(options, settings.boundary);
    requireOpen();
    return link.publish(topic, bytes, call);
  }

  async function request(topic: string, payload: Payload, options?: RequestOptions): Promise<Message> {
    topicName(topic, 'topic');
    const bytes = toPayload(payload, 'payload');
    const call = requestCall(options, settings.boundary);
    requireOpen();
    return decodeAnswer(await link.request(topic, bytes, call));
  }

  async function respond(
    filter: string,
    handler: RequestHandler,
    options?: SubscribeOptions,
  ): Promise<Subscription> {
    if (typeof handler !== 'function') throw bad('handler', 'must be a function');
    const responder = createResponder(handler, publish, (error) => {
      if (!ended) emitter.emit('error', error);
    });
    return subscribe(filter, options, responder);
  }

  async function reconnect(options?: CallOptions): Promise<void> {
    const call = plainCall(options);
    requireOpen();
    await link.wake(call);
  }

  async function ping(options?: CallOptions): Promise<number> {
    const call = plainCall(options);
    requireOpen();
    return link.ping(call);
  }

  async function setPacketEvents(on: boolean, options?: CallOptions): Promise<void> {
    if (typeof on !== 'boolean') throw bad('on', 'must be true or false');
    const call = plainCall(options);
    requireOpen();
    await link.tellPackets({ on, ...call });
  }

  async function reauthenticate(options?: CallOptions): Promise<void> {
    const call = plainCall(options);
    requireOpen();
    await explained(link.reauthenticate(call));
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
    const filters = checkFilters(filter);
    const { call, subscription, highWaterMark, handlerOnly } = subscribeSettings(
      typeof options === 'function' ? undefined : options,
    );
    if (handler !== undefined && typeof handler !== 'function') throw bad('handler', 'must be a function');
    if (handlerOnly && !handler) throw bad('handlerOnly', 'needs a handler');
    requireOpen();
    // Before asking: messages may come before the SUBACK does (3.8.4).
    const holders = filters.map((topic) => {
      const request = { topic, ...subscription };
      const holder = createHolder({ request, highWaterMark, handler, handlerOnly, leave });
      routes.add(holder);
      return holder;
    });
    let ack: SubscribeAck;
    try {
      ack = await link.subscribe(holders.map(routes.shared), call);
    } catch (error) {
      withdraw(holders, maybeGranted(error) ? filters : []);
      throw error;
    }
    grant(holders, filters, ack);
    const subscriptions = holders.map((holder) => holder.subscription);
    return Array.isArray(filter) ? subscriptions : (subscriptions[0] as Subscription);
  }

  /** All of one call or nothing: throws when the broker refused any. */
  function grant(holders: Holder[], filters: string[], ack: SubscribeAck): void {
    try {
      requireOpen();
      throwRefused(ack, filters);
    } catch (error) {
      const granted = filters.filter((_, index) => (ack.reasonCodes[index] ?? 0) < 0x80);
      withdraw(holders, granted);
      throw error;
    }
    for (const [index, filter] of filters.entries()) {
      for (const sharing of routes.withFilter(filter)) sharing.grant(ack.reasonCodes[index] ?? 0);
    }
  }

  /** Undoes a failed subscribe, at the broker too for filters it granted and nobody uses. */
  function withdraw(holders: Holder[], granted: string[]): void {
    const unused = new Set<string>();
    for (const holder of holders) {
      holder.finish(true);
      if (routes.remove(holder)) unused.add(holder.request.topic);
    }
    const filters = granted.filter((filter) => unused.has(filter));
    if (filters.length === 0 || ended || ending) return;
    askToUnsubscribe(filters, plainCall()).catch(() => {
      // The subscribe call tells its caller what went wrong.
    });
  }

  async function leave(holder: Holder, call: Limited<CallOptions>): Promise<void> {
    holder.finish(true);
    if (!routes.remove(holder) || ended) return;
    await askToUnsubscribe([holder.request.topic], call);
  }

  async function unsubscribe(filter: string | string[], options?: CallOptions): Promise<void> {
    const filters = checkFilters(filter);
    const call = plainCall(options);
    requireOpen();
    for (const holder of filters.flatMap(routes.withFilter)) {
      holder.finish(true);
      routes.remove(holder);
    }
    await askToUnsubscribe(filters, call);
  }

  async function askToUnsubscribe(filters: string[], call: Limited<CallOptions>): Promise<void> {
    for (const filter of filters) unwanted.add(filter);
    const ack = await link.unsubscribe(filters, call);
    for (const filter of filters) unwanted.delete(filter);
    throwRefused(ack, filters);
  }

  /** The session, or the engine's subscribing again, has what could not be taken back before. */
  function unsubscribeAgain(): void {
    const filters = [...unwanted].filter((filter) => routes.withFilter(filter).length === 0);
    unwanted.clear();
    if (filters.length === 0) return;
    askToUnsubscribe(filters, plainCall()).catch(() => {
      // Whoever unsubscribed has been told; it is tried again at the next connect.
    });
  }

  async function end(first?: boolean | EndOptions, second?: EndOptions): Promise<void> {
    const force = first === true;
    const call = { ...endCall(typeof first === 'object' ? first : second), force };
    if (ended) return;
    // A second call changes nothing, except that it may lose patience.
    if (!ending || (force && !ending.force)) ending = { force, done: disconnect(call) };
    await ending.done;
  }

  async function disconnect(call: Limited<CallOptions>): Promise<void> {
    try {
      await link.disconnect(call);
    } catch (error) {
      if (ended) return;
      if (error instanceof MqttError && error.code === 'bad-option') {
        ending = undefined;
        throw error;
      }
      link.disconnect({ force: true }).catch(() => {
        // Gone already: as wanted.
      });
      finish();
      if (error instanceof MqttError && error.code === 'not-connected') return;
      throw error;
    }
    finish();
  }

  const client: Client = {
    get state() {
      return state;
    },
    get connected() {
      return state === 'connected';
    },
    get reconnecting() {
      return state === 'reconnecting';
    },
    get clientId() {
      return connack.clientId;
    },
    url: settings.boundary.url,
    get connack() {
      return connack;
    },
    get dropped() {
      return dropped;
    },
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
    end,
    endAsync: end,
    on(event, listener) {
      emitter.add(event, listener, false);
      return this;
    },
    once(event, listener) {
      emitter.add(event, listener, true);
      return this;
    },
    off(event, listener) {
      emitter.remove(event, listener);
      return this;
    },
    [asyncDispose]: () => end(),
  };
  return client;
}

function checkFilters(given: unknown): string[] {
  const filters = Array.isArray(given) ? given : [given];
  // [MQTT-3.8.3-2], [MQTT-3.10.3-2]
  if (filters.length === 0) throw bad('filter', 'must be at least one');
  return filters.map((filter) => topicFilter(filter, 'filter'));
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

/** For calls that nobody made: they have failed where the connection has, or the client has ended. */
function toldByEvents(): void {}

/** Whether the broker may have granted what the caller gave up waiting for. */
function maybeGranted(error: unknown): boolean {
  return error instanceof MqttError && (error.code === 'timeout' || error.code === 'aborted');
}

/** After the promises that are about to resolve. */
function inNextTask(task: () => void): void {
  const { port1, port2 } = new MessageChannel();
  port1.onmessage = () => {
    port1.close();
    task();
  };
  port2.postMessage(null);
}
