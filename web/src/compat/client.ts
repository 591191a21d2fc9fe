import { connect as connectOnce } from '../client/create-client';
import { MqttError } from '../client/errors';
import { isPermanent } from '../client/transport/restart-after-crash';
import type { Client, EndOptions, Payload } from '../client/types';
import { createEmitter, report } from '../platform/emitter';
import { asBytes } from './bytes';
import { anyPacket, connackPacket, publishPacket, reasonPacket } from './packets';
import { type Granted, subscribeEach, type Topics } from './subscribe';
import type {
  DoneCallback,
  IAckPacket,
  IClientOptions,
  IClientPublishOptions,
  IClientSubscribeOptions,
  ISubscriptionGrant,
  MqttClient,
  MqttClientEventCallbacks,
  PublishCallback,
  SubscribeCallback,
} from './types';

/** A client that goes on trying from the first attempt on, and keeps calls until it is connected. */
export function createClient(options: IClientOptions & { reconnectPeriod: number }): MqttClient {
  const emitter = createEmitter<MqttClientEventCallbacks>();
  /** Calls made without a connection, in order. */
  const waiting = new Set<{ resolve(link: Client): void; reject(error: MqttError): void }>();
  /** From the first connection until the client has ended. */
  let link: Client | undefined;
  /** While there was no connection yet, and one is tried. */
  let opening: AbortController | undefined;
  /** Ends the wait for the next attempt. */
  let hurry = (): void => {};
  let connected = false;
  let reconnecting = false;
  let ending: Promise<void> | undefined;
  let ended = false;

  async function open(): Promise<void> {
    opening = new AbortController();
    const { signal } = opening;
    ended = false;
    await Promise.resolve(); // until then the caller can add listeners of packets
    while (!link) {
      try {
        const { manualConnect: _, protocolId: __, ...rest } = options;
        const heard = emitter.listens('packetsend') || emitter.listens('packetreceive');
        const client = await connectOnce({ packetEvents: heard, ...rest, signal });
        if (signal.aborted) return void client.end(true).catch(toldByEvents);
        adopt(client);
      } catch (cause) {
        if (signal.aborted) return;
        const error = cause as MqttError;
        fail(error);
        emitter.emit('close', error);
        if (signal.aborted) return;
        if (options.reconnectPeriod === 0 || isHopeless(error)) return finish();
        goOffline();
        await pause();
        if (signal.aborted) return;
        emitter.emit('reconnect');
      }
    }
    opening = undefined;
  }

  function isHopeless(error: MqttError): boolean {
    if (error.code === 'bad-option' || error.code === 'unsupported') return true;
    return isPermanent(error) && !options.reconnectOnConnackError;
  }

  function pause(): Promise<void> {
    return new Promise((resolve) => {
      hurry = () => {
        clearTimeout(timer);
        resolve();
      };
      const timer = setTimeout(hurry, options.reconnectPeriod);
    });
  }

  function adopt(client: Client): void {
    link = client;
    client.on('connect', (connack) => {
      connected = true;
      reconnecting = false;
      for (const call of waiting) call.resolve(client);
      waiting.clear();
      emitter.emit('connect', connackPacket(connack));
    });
    client.on('message', (topic, payload, message) => {
      const bytes = asBytes(payload);
      emitter.emit('message', topic, bytes, publishPacket(message, bytes));
    });
    client.on('packetsend', (packet) => emitter.emit('packetsend', anyPacket(packet)));
    client.on('packetreceive', (packet) => emitter.emit('packetreceive', anyPacket(packet)));
    client.on('disconnect', (info) => emitter.emit('disconnect', reasonPacket('disconnect', info)));
    client.on('reconnect', () => emitter.emit('reconnect'));
    client.on('error', fail);
    client.on('close', (error) => {
      connected = false;
      emitter.emit('close', error);
      if (client.reconnecting) goOffline();
    });
    client.on('end', (error) => {
      if (error) fail(error);
      finish();
    });
  }

  /** A connection that could not be made or broke is told by `close`, as in MQTT.js' browser build. */
  function fail(error: MqttError): void {
    if (error.code === 'network') return;
    if (emitter.listens('error')) emitter.emit('error', error);
    else report(error);
  }

  function goOffline(): void {
    if (reconnecting || ending) return;
    reconnecting = true;
    emitter.emit('offline');
  }

  function finish(): void {
    link = opening = ending = undefined;
    connected = reconnecting = false;
    ended = true;
    for (const call of waiting) call.reject(hasEnded());
    waiting.clear();
    emitter.emit('end');
  }

  function whenConnected(): Promise<Client> {
    if (ending || ended) return Promise.reject(hasEnded());
    if (connected && link) return Promise.resolve(link);
    return new Promise((resolve, reject) => waiting.add({ resolve, reject }));
  }

  async function publishAsync(topic: string, message: Payload, given: IClientPublishOptions = {}) {
    const { qos = 0 } = given;
    if (!connected && qos === 0 && options.queueQoSZero === false)
      throw new MqttError('not-connected', 'there is no connection, and queueQoSZero is false');
    const result = await (await whenConnected()).publish(topic, message, given);
    return qos === 0 ? undefined : reasonPacket(qos === 1 ? 'puback' : 'pubcomp', result);
  }

  async function subscribeAll(topic: Topics, given?: IClientSubscribeOptions): Promise<Granted> {
    return subscribeEach(await whenConnected(), topic, given);
  }

  async function subscribeAsync(
    topic: Topics,
    given?: IClientSubscribeOptions,
  ): Promise<ISubscriptionGrant[]> {
    const { error, granted } = await subscribeAll(topic, given);
    if (error) throw error;
    return granted;
  }

  async function unsubscribeAsync(topic: string | string[]): Promise<void> {
    await (await whenConnected()).unsubscribe(topic);
  }

  async function endAsync(force = false, given?: EndOptions): Promise<void> {
    if (ended || (ending && !force)) return ending;
    opening?.abort();
    hurry();
    ending = link ? link.end(force, given) : Promise.resolve().then(finish);
    try {
      await ending;
    } finally {
      ending = undefined;
    }
  }

  /** Without a callback nobody hears how a call went, except that it was wrong, which is an `error`. */
  function settle<T>(
    call: Promise<T>,
    done?: (error: MqttError | null, result?: T | undefined) => void,
  ): MqttClient {
    call.then(
      (result) => done?.(null, result),
      (error: MqttError) => {
        if (done) done(error);
        else if (error.code === 'bad-option') fail(error);
      },
    );
    return client;
  }

  const on: MqttClient['on'] = (event, listener) => {
    emitter.add(event, listener, false);
    return client;
  };
  const off: MqttClient['off'] = (event, listener) => {
    emitter.remove(event, listener);
    return client;
  };

  const client: MqttClient = {
    get connected() {
      return connected;
    },
    get reconnecting() {
      return reconnecting;
    },
    get disconnecting() {
      return ending !== undefined;
    },
    get disconnected() {
      return ended;
    },
    options,
    connect() {
      if (!link && !opening) void open();
      return client;
    },
    publish(topic: string, message: Payload, ...rest: Arguments<IClientPublishOptions, PublishCallback>) {
      const [given, callback] = split(rest);
      return settle<IAckPacket | undefined>(publishAsync(topic, message, given), callback);
    },
    publishAsync,
    subscribe(topic: Topics, ...rest: Arguments<IClientSubscribeOptions, SubscribeCallback>) {
      const [given, callback] = split(rest);
      return settle(
        subscribeAll(topic, given),
        callback && ((error, all) => callback(error ?? all?.error ?? null, all?.granted, all?.packet)),
      );
    },
    subscribeAsync,
    unsubscribe(topic: string | string[], ...rest: Arguments<object, DoneCallback>) {
      const [, callback] = split(rest);
      return settle(unsubscribeAsync(topic), callback);
    },
    unsubscribeAsync,
    end(...given: (boolean | EndOptions | DoneCallback | undefined)[]) {
      const how = given.find((one) => typeof one === 'object');
      const callback = given.find((one) => typeof one === 'function');
      return settle(endAsync(given.includes(true), how), callback);
    },
    endAsync,
    reconnect() {
      if (ending) return client.once('end', client.connect);
      if (link) link.reconnect().catch(toldByEvents);
      else if (opening) hurry();
      else client.connect();
      return client;
    },
    on,
    addListener: on,
    once(event, listener) {
      emitter.add(event, listener, true);
      return client;
    },
    off,
    removeListener: off,
    removeAllListeners(event) {
      emitter.clear(event);
      return client;
    },
  };
  return client;
}

type Arguments<Options, Callback> = [first?: Options | Callback, callback?: Callback];

/** Options may be left out before a callback. */
function split<O extends object, C extends (...args: never[]) => void>([first, second]: Arguments<O, C>): [
  given: O | undefined,
  callback: C | undefined,
] {
  return typeof first === 'function' ? [undefined, first as C] : [first as O | undefined, second];
}

function hasEnded(): MqttError {
  return new MqttError('not-connected', 'the client has ended');
}

/** For a call that nobody made: it has failed where the connection has. */
function toldByEvents(): void {}
