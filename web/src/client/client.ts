import { createEmitter } from '../platform/emitter';
import { nextTask } from '../platform/next-task';
import { followPage, thisPage } from '../platform/page-lifecycle';
import type { Boundary, ClientEvent, ConnackInfo, WireError } from '../protocol/boundary';
import { createUserCallbacks } from './auth/user-callbacks';
import { endCall, type Limited, plainCall, publishCall, requestCall, type Settings } from './checks/options';
import { bad, payload as toPayload } from './checks/rules';
import { topicName } from './checks/topics';
import { fromWire, MqttError } from './errors';
import { openBatch } from './message';
import type { decodePackets } from './packet';
import { createResponder, decodeAnswer } from './request';
import { createDeliveryScheduler } from './routing/delivery-scheduler';
import { createRouter } from './routing/router';
import { createSubscribing } from './routing/subscriptions';
import { type Change, changed } from './states';
import { asyncDispose } from './subscription';
import type { Engine } from './transport/calls';
import { assumed, connectIn } from './transport/connecting';
import { waitingCalls } from './transport/waiting-calls';
import type {
  CallOptions,
  Client,
  ClientEvents,
  ClientState,
  EndOptions,
  Message,
  Payload,
  PublishOptions,
  RequestHandler,
  RequestOptions,
  SubscribeOptions,
  Subscription,
} from './types';

type Listener<E extends keyof ClientEvents> = (...args: ClientEvents[E]) => void;

export interface Start {
  settings: Settings;
  /** Finds the program that the client runs in, and may take its time. */
  open(): Promise<Engine>;
  /** The client ends when its first attempt to connect fails. */
  once: boolean;
  /** Nothing is opened before it has resolved. */
  hold?: Promise<void>;
  page?: ReturnType<typeof thisPage>;
}

/** A client, and when it has connected for the first time, or can't. */
export interface Started {
  client: Client;
  connected: Promise<void>;
}

/** Resolves when the broker has said yes. */
export async function openClient(boundary: Boundary, settings: Settings, page = thisPage()): Promise<Client> {
  const { client, connected } = startClient({
    settings,
    open: async () => ({ boundary, ready: Promise.resolve() }),
    once: true,
    page,
  });
  await connected;
  return client;
}

/** Makes a client, which takes calls and listeners at once. */
export function startClient({ settings, open, once, hold, page = thisPage() }: Start): Started {
  const emitter = createEmitter<ClientEvents>();
  const router = createRouter();
  const callbacks = createUserCallbacks(settings.callbacks);
  const scheduler = createDeliveryScheduler({
    deliver,
    failed: (error) => emitter.emit('error', error as MqttError),
    nextTask,
    now: () => performance.now(),
  });
  const retries = settings.boundary.reconnectPeriod !== 0;
  let state: ClientState = 'connecting';
  let suspended = false;
  let leavePage = (): void => {};
  let dropped = 0;
  /** Loads when somebody asks for packets. */
  let decoder: Promise<typeof decodePackets> | undefined;
  let decode: typeof decodePackets | undefined;
  let ended: { error: MqttError | undefined } | undefined;
  let ending: { force: boolean; done: Promise<void> } | undefined;

  // Whoever waits for the connection can't add a listener before: what arrives waits too.
  let waiting: (() => void)[] | undefined = once ? [] : undefined;
  const inOrder = (task: () => void): void => {
    if (waiting) waiting.push(task);
    else task();
  };

  let accept: (connack: ConnackInfo) => void = () => {};
  const accepted = new Promise<ConnackInfo>((resolve) => {
    accept = resolve;
  });

  let connack = assumed(settings.boundary);
  const givenUp = new AbortController();
  const begin = () =>
    connectIn(open, settings, givenUp, once, {
      ...callbacks.sink,
      onEvent(event) {
        if (event.type === 'connect') accept(event.connack);
        inOrder(() => onEvent(event));
      },
      onBatch: (buffer, count, lost, payloads) =>
        new Promise((resolve) => inOrder(() => resolve(handOut(buffer, count, lost, payloads)))),
      onPackets: (buffer) => inOrder(() => showPackets(buffer)),
    });
  const opening = explained(hold ? hold.then(begin) : begin());
  const { messages = 100_000, bytes = 64 << 20 } = settings.boundary.queue ?? {};
  const link = waitingCalls(
    opening.catch((error: unknown) => {
      throw failure(error);
    }),
    { calls: messages, bytes },
  );
  const subscribing = createSubscribing({ link, router, closing, requireOpen });
  const { subscribe, unsubscribe } = subscribing;

  const wake = (): void => void link.wake().catch(toldByEvents);
  if (page) {
    leavePage = followPage(page, {
      offline: () => emitter.emit('offline'),
      wake,
      suspend() {
        // A shared connection goes on for the other pages.
        if (settings.shared) return;
        suspended = true;
        change('suspend');
        link.suspend().catch(toldByEvents);
      },
      resume() {
        if (settings.shared) return wake();
        suspended = false;
        if (!ending) change('resume');
        link.resume().catch(toldByEvents);
      },
    });
  }

  const connected = opening.then(async () => {
    if (!once) return;
    connack = await accepted;
    change('connect');
    nextTask(() => {
      const tasks = waiting ?? [];
      waiting = undefined;
      for (const task of tasks) task();
    });
  });
  connected.catch((reason: unknown) => {
    const error = failure(reason);
    // Whoever waits is told; others by events.
    if (!once && !ended) emitter.emit('error', error);
    finish(error);
  });

  function change(what: Change): void {
    state = changed(state, what);
  }

  function onEvent(event: ClientEvent): void {
    if (ended) return;
    scheduler.flush();
    switch (event.type) {
      case 'connect':
        connack = event.connack;
        change('connect');
        subscribing.unsubscribeAgain();
        emitter.emit('connect', connack);
        break;
      case 'reconnect':
        if (!suspended) change('retry');
        emitter.emit('reconnect', { attempt: event.attempt, delay: event.delay });
        break;
      case 'close':
        change(retries && !ending && !suspended ? 'lose' : 'close');
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
    return callbacks.explain(fromWire(error));
  }

  /** A call that may fail by what the caller's own functions threw. */
  function explained<T>(call: Promise<T>): Promise<T> {
    return call.catch((error: unknown) => {
      throw callbacks.explain(error);
    });
  }

  /** Once, however many ways lead here. */
  function finish(error?: MqttError): void {
    scheduler.flush();
    if (ended) return;
    ended = { error };
    leavePage();
    const closes = state === 'connected';
    change('end');
    subscribing.finish(error);
    if (closes) emitter.emit('close', error);
    emitter.emit('end', error);
  }

  async function loadDecoder(): Promise<typeof decodePackets> {
    decoder ??= import('./packet').then((loaded) => loaded.decodePackets);
    decode = await decoder;
    return decode;
  }

  function showPackets(buffer: ArrayBuffer): void {
    const show = (decodeAll: typeof decodePackets): void => {
      for (const { sent, packet } of decodeAll(buffer)) {
        emitter.emit(sent ? 'packetsend' : 'packetreceive', packet);
      }
    };
    if (decode) show(decode);
    else loadDecoder().then(show, (cause) => emitter.emit('error', notLoaded(cause)));
  }

  function handOut(
    buffer: ArrayBuffer,
    count: number,
    lost: number,
    payloads?: Uint8Array[],
  ): Promise<void> | undefined {
    if (ended) return;
    dropped += lost;
    return scheduler.push(openBatch(buffer, count, payloads, router.isOwn), lost);
  }

  function deliver(messages: Message[], lost: number): Promise<void> | undefined {
    if (ended) return;
    const each = emitter.listens('message');
    const heard = each || emitter.listens('batch');
    const reserving = router.reserving();
    const open = reserving ? messages.filter((message) => !router.reserved(message)) : messages;
    if (open.length > 0 || lost > 0) emitter.emit('batch', open, lost);
    const busy: Promise<void>[] = [];
    for (const message of messages) {
      if (each && !(reserving && router.reserved(message))) {
        emitter.emit('message', message.topic, message.payload, message);
      }
      if (router.empty()) continue;
      for (const holder of router.match(message)) {
        const handled = holder.deliver(message, heard);
        if (handled) busy.push(handled);
      }
    }
    if (busy.length === 0) return;
    return Promise.all(busy).then(() => {});
  }

  function closing(): boolean {
    return ended !== undefined || ending !== undefined;
  }

  function requireOpen(): void {
    if (!closing()) return;
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
    if (on) loadDecoder().catch(toldByEvents);
    await link.tellPackets({ on, ...call });
  }

  async function reauthenticate(options?: CallOptions): Promise<void> {
    const call = plainCall(options);
    requireOpen();
    await explained(link.reauthenticate(call));
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
    if (state === 'connecting') {
      // There is nothing to say goodbye to, but the program may be making an attempt.
      givenUp.abort();
      link.disconnect({ force: true }).catch(toldByEvents);
      finish();
      return;
    }
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

  function on<E extends keyof ClientEvents>(this: Client, event: E, listener: Listener<E>): Client {
    emitter.add(event, listener, false);
    return this;
  }

  function off<E extends keyof ClientEvents>(this: Client, event: E, listener: Listener<E>): Client {
    emitter.remove(event, listener);
    return this;
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
    on,
    addListener: on,
    once(event, listener) {
      emitter.add(event, listener, true);
      return this;
    },
    off,
    removeListener: off,
    [asyncDispose]: () => end(),
  };
  return { client, connected };
}

function notLoaded(cause: unknown): MqttError {
  return new MqttError('crashed', `the decoder of packets could not be loaded: ${cause}`, { cause });
}

/** Why there is no connection, for events and other calls: the signal's own reason is for who waits for it. */
function failure(error: unknown): MqttError {
  if (error instanceof MqttError) return error;
  return new MqttError('aborted', 'connect: given up by its signal', { cause: error });
}

/** For calls that nobody made: they have failed where the connection has, or the client has ended. */
function toldByEvents(): void {}
