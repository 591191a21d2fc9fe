import { asyncDispose } from '../platform/async-dispose';
import { deferred } from '../platform/deferred';
import { createEmitter } from '../platform/emitter';
import { nextTask } from '../platform/next-task';
import { followPage, thisPage } from '../platform/page-lifecycle';
import type { BoundarySink, ClientEvent, ConnackInfo, WireError } from '../protocol/boundary';
import type { UserCallbacks } from './auth/user-callbacks';
import { createCalls, type Opened } from './calls';
import { endCall } from './checks/calls';
import type { Settings } from './checks/options';
import { callback } from './checks/rules';
import { fromWire, MqttError } from './errors';
import { load } from './load';
import type { decodePackets } from './packet';
import type { Receiving } from './receiving';
import { type Change, changed } from './states';
import type { Engine } from './transport/calls';
import { assumed, connectIn } from './transport/connecting';
import { createWaitingRoom } from './transport/waiting-calls';
import type { Client, ClientEvents, ClientState, EndOptions } from './types';

type Listener<E extends keyof ClientEvents> = (...args: ClientEvents[E]) => void;

/** Milliseconds in which a worker answers what needs no broker. */
const wakeTime = 5000;

export interface Start {
  settings: Settings;
  /** Finds the program that the client runs in, which may take long. */
  open(): Promise<Engine>;
  /** The client ends when its first attempt to connect fails. */
  once: boolean;
  /** Nothing is opened before it has resolved. */
  hold?: Promise<void> | undefined;
  page?: ReturnType<typeof thisPage>;
}

/** A client, and a promise of its first connection. */
export interface Started {
  client: Client;
  connected: Promise<void>;
}

/** Makes a client, which takes calls and listeners at once. */
export function startClient({ settings, open, once, hold, page = thisPage() }: Start): Started {
  const emitter = createEmitter<ClientEvents>();
  let state: ClientState = 'connecting';
  let suspended = false;
  /** As requested, until the program is found: a browser may have no SharedWorker. */
  let isShared: boolean | undefined = settings.shared;
  let leavePage = (): void => {};
  let dropped = 0;
  /** Loaded when packets are first wanted. */
  let decoder: Promise<typeof decodePackets> | undefined;
  let decode: typeof decodePackets | undefined;
  let ended: { error: MqttError | undefined } | undefined;
  let ending = false;

  let callbacks: UserCallbacks | undefined;
  let receiving: Receiving | undefined;
  // What arrives waits for `receiving`, and for callers that await the connection, who can't add a
  // listener before.
  let waiting: (() => void)[] | undefined = [];
  const inOrder = (task: () => void): void => {
    if (waiting) waiting.push(task);
    else task();
  };

  const { promise: accepted, resolve: accept } = deferred<ConnackInfo>();

  let connack = assumed(settings.boundary);
  const givenUp = new AbortController();
  const begin = async (): Promise<Opened> => {
    // Loads in parallel with the program, which is larger.
    const loading = load('the part that receives messages', import('./receiving'));
    const asking =
      Object.keys(settings.callbacks).length > 0 &&
      load('the part that calls functions among the options', import('./auth/user-callbacks'));
    // Before the first packet, so that no packet is decoded after the client has ended. If it can't
    // be loaded, an event says so at the first packet.
    const decoding = settings.boundary.packetEvents && loadDecoder().catch(() => {});
    const sink: BoundarySink = {
      onEvent(event) {
        if (event.type === 'connect') accept(event.connack);
        inOrder(() => onEvent(event));
      },
      onBatch: (...batch) => new Promise((resolve) => inOrder(() => resolve(handOut(...batch)))),
      onPackets: (buffer) => inOrder(() => showPackets(buffer)),
    };
    const openAll = async (): Promise<Engine> => {
      const [engine, asked] = await Promise.all([open(), asking]);
      isShared = engine.shared;
      if (asked) {
        callbacks = asked.createUserCallbacks(settings.callbacks);
        Object.assign(sink, callbacks.sink);
      }
      return { ...engine, ready: Promise.all([engine.ready, loading, decoding]).then(() => {}) };
    };
    const link = await connectIn(openAll, settings, givenUp, once, sink);
    receiving = (await loading).createReceiving({
      emitter,
      link,
      closing,
      requireOpen: () => requireOpen(!!ended), // while the client ends it waits for answers
    });
    return { link, receiving };
  };
  const opening = explained(hold ? hold.then(begin) : begin());
  const whenOpen = createWaitingRoom(
    opening.catch((error: unknown) => {
      throw failure(error);
    }),
    settings.boundary.queue,
  );

  // It answers at once, so that a worker that was ended meanwhile is noticed.
  const wake = (): void => tell(({ link }) => link.wake({ timeout: wakeTime }));
  if (page) {
    leavePage = followPage(page, {
      offline: () => emitter.emit('offline'),
      wake,
      suspend() {
        // A shared connection continues for the other pages.
        if (isShared) return;
        suspended = true;
        change('suspend');
        tell(({ link }) => link.suspend());
      },
      resume() {
        if (!suspended) return wake();
        suspended = false;
        if (!ending) change('resume');
        tell(({ link }) => link.resume({ timeout: wakeTime }));
      },
    });
  }

  const connected = opening.then(async () => {
    if (!once) return catchUp();
    connack = await accepted;
    change('connect');
    nextTask(catchUp);
  });
  const fail = (reason: unknown): void => {
    const error = failure(reason);
    // With `once` the promise rejects; otherwise an event says so.
    if (!once && !ended) emitter.emit('error', error);
    finish(error);
  };
  connected.catch(fail);

  const { signal } = settings;
  /** Ends a client that is still connecting, in the background or not. */
  function giveUp(): void {
    hangUp();
    fail(signal?.reason);
  }
  if (!once) signal?.addEventListener('abort', giveUp);

  function catchUp(): void {
    const tasks = waiting ?? [];
    waiting = undefined;
    for (const task of tasks) task();
  }

  /** Makes an internal call. If it fails, the connection or the client has ended, which events report. */
  function tell(call: (opened: Opened) => Promise<void>): void {
    whenOpen(call).catch(reportedByEvents);
  }

  function hangUp(): void {
    tell(({ link }) => link.disconnect({ force: true }));
  }

  function change(what: Change): void {
    state = changed(state, what);
  }

  function onEvent(event: ClientEvent): void {
    if (ended) return;
    receiving?.flush();
    switch (event.type) {
      case 'connect':
        connack = event.connack;
        change('connect');
        signal?.removeEventListener('abort', giveUp);
        receiving?.unsubscribeAgain();
        emitter.emit('connect', connack);
        break;
      case 'reconnect':
        if (!suspended) change('retry');
        emitter.emit('reconnect', { attempt: event.attempt, delay: event.delay });
        break;
      case 'close':
        change(settings.boundary.reconnectPeriod === 0 || ending || suspended ? 'close' : 'lose');
        emitter.emit('close', event.error && errorOf(event.error));
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
    return explain(fromWire(error));
  }

  function explain<E>(error: E): E | MqttError {
    return callbacks ? callbacks.explain(error) : error;
  }

  /** A call that may fail by what the caller's own functions threw. */
  function explained<T>(call: Promise<T>): Promise<T> {
    return call.catch((error: unknown) => {
      throw explain(error);
    });
  }

  /** Has an effect only once. */
  function finish(error?: MqttError): void {
    receiving?.flush();
    if (ended) return;
    ended = { error };
    leavePage();
    signal?.removeEventListener('abort', giveUp);
    const closes = state === 'connected';
    change('end');
    receiving?.finish(error);
    if (closes) emitter.emit('close', error);
    emitter.emit('end', error);
  }

  function loadDecoder(): Promise<typeof decodePackets> {
    decoder ??= load('the decoder of packets', import('./packet')).then((packet) => {
      decode = packet.decodePackets;
      return decode;
    });
    return decoder;
  }

  function showPackets(buffer: ArrayBuffer): void {
    const show = (decodeAll: typeof decodePackets): void => {
      for (const { sent, packet } of decodeAll(buffer)) {
        emitter.emit(sent ? 'packetsend' : 'packetreceive', packet);
      }
    };
    if (decode) show(decode);
    else loadDecoder().then(show, (error: MqttError) => emitter.emit('error', error));
  }

  function handOut(...batch: Parameters<Receiving['handOut']>): Promise<void> | undefined {
    if (ended) return;
    const [, , lost] = batch;
    dropped += lost;
    return receiving?.handOut(...batch);
  }

  function closing(): boolean {
    return !!ended || ending;
  }

  function requireOpen(closed = closing()): void {
    if (!closed) return;
    throw new MqttError('not-connected', 'the client has ended', { cause: ended?.error });
  }

  const calls = createCalls({
    whenOpen(call, limits, size) {
      requireOpen();
      return whenOpen(call, limits, size);
    },
    session: settings.boundary,
    isConnected: () => state === 'connected',
    receiving: () => receiving,
    explained,
  });

  async function end(first?: boolean | EndOptions, second?: EndOptions): Promise<void> {
    const call = { ...endCall(typeof first === 'object' ? first : second), force: first === true };
    if (ended) return;
    // A second call has limits of its own, and may stop waiting earlier.
    const again = ending;
    ending = true;
    if (state === 'connecting') {
      // There is no connection to close, but the program may be making an attempt.
      givenUp.abort(new MqttError('aborted', 'the client has ended'));
      hangUp();
      finish();
      return;
    }
    try {
      await whenOpen(({ link }, limited) => link.disconnect(limited), call);
    } catch (error) {
      if (ended) return;
      const code = error instanceof MqttError && error.code;
      if (code === 'bad-option') {
        ending = again;
        throw error;
      }
      hangUp();
      finish();
      if (code === 'not-connected') return;
      throw error;
    }
    finish();
  }

  const adder = (once: boolean) =>
    function <E extends keyof ClientEvents>(this: Client, event: E, listener: Listener<E>): Client {
      emitter.add(event, callback(listener, 'listener') as Listener<E>, once);
      return this;
    };
  const on = adder(false);

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
    ...calls,
    end,
    endAsync: end,
    on,
    addListener: on,
    once: adder(true),
    off,
    removeListener: off,
    [asyncDispose]: () => end(),
  };
  return { client, connected };
}

/**
 * Why there is no connection, for events and other calls. Only `connect` rejects with the signal's
 * own reason.
 */
function failure(error: unknown): MqttError {
  if (error instanceof MqttError) return error;
  return new MqttError('aborted', 'connect: aborted by its signal', { cause: error });
}

/** Ignores the failure of an internal call: the connection or the client has ended, which events report. */
function reportedByEvents(): void {}
