import { callback } from '../client/checks/rules';
import { createHeldClient } from '../client/create-client';
import { MqttError } from '../client/errors';
import type { Client, ConnectOptions, EndOptions, Payload } from '../client/types';
import { createEmitter } from '../platform/emitter';
import { nextTask } from '../platform/next-task';
import { type ClientOptions, clientOptions } from './options';
import { connackPacket, publishPacket, reasonPacket, refusalPacket, wirePacket } from './packets';
import { subscribeEach, type Topics } from './subscribe';
import type * as mqtt from './types';

type Events = { [E in keyof mqtt.MqttClientEventCallbacks]: Parameters<mqtt.MqttClientEventCallbacks[E]> };
type Listener<E extends keyof Events> = (...args: Events[E]) => void;
/** Options may be left out before a callback. */
type Rest<O, C> = [callback?: C | undefined] | [options?: O | null | undefined, callback?: C | undefined];
type EndArgument<E = Failed> = boolean | EndOptions | mqtt.DoneCallback<E> | null | undefined;
type Failed = MqttError | null;
/** What a callback may declare its error as: MQTT.js' types have `error?: Error`. */
type Declared = { message?: string; code?: string } | null | undefined;
/** A client of the library with MQTT.js' interface. When it has ended, `reconnect` makes another one. */
export class MqttClient {
  readonly options: ClientOptions;
  readonly #emitter = createEmitter<Events>(this);
  /** By filter: what is subscribed to, for the client that replaces one that has ended. */
  readonly #wanted = new Map<string, mqtt.IClientSubscribeOptions>();
  #inner: Client | undefined;
  #begin = (): void => {};
  #ending: Promise<void> | undefined;
  #ended = false;
  /** `reconnect` was called since the last attempt: a client that gives up is restarted instead of ended. */
  #again = false;
  #outgoing = 0;

  constructor(options: mqtt.IClientOptions) {
    this.options = clientOptions(options);
    if (!options.manualConnect) this.connect();
  }

  get queueQoSZero(): boolean {
    return this.options.queueQoSZero;
  }
  get connected(): boolean {
    return this.#inner?.connected ?? false;
  }
  get reconnecting(): boolean {
    return this.#inner?.reconnecting ?? false;
  }
  get disconnecting(): boolean {
    return this.#ending !== undefined;
  }
  get disconnected(): boolean {
    return this.#ended;
  }
  /** The properties of CONNACK, with defaults, while there is a connection. */
  get serverProperties(): mqtt.IConnackPacket['properties'] | undefined {
    return this.#inner?.connected ? connackPacket(this.#inner.connack).properties : undefined;
  }
  get keepalive(): number {
    return this.serverProperties?.serverKeepAlive ?? this.options.keepalive;
  }

  /** For `manualConnect`. */
  connect(): this {
    if (this.#ended) this.#inner = undefined;
    this.#ended = false;
    // So that the caller can add listeners for packets first.
    void Promise.resolve().then(() => {
      if (!this.#ending && !this.#ended) this.#use();
      this.#begin();
    });
    return this;
  }

  publish<E extends Declared = Failed>(
    topic: string,
    message: Payload,
    ...rest: Rest<mqtt.IClientPublishOptions, mqtt.PacketCallback<E>>
  ) {
    return this.#call(rest as Rest<mqtt.IClientPublishOptions, mqtt.PacketCallback>, (given) =>
      this.publishAsync(topic, message, given).then(
        (packet) => [null, packet],
        (error: MqttError) => [error, refusalPacket(error, given?.qos)],
      ),
    );
  }
  async publishAsync(topic: string, message: Payload, given?: mqtt.IClientPublishOptions | null) {
    const options = given ?? {};
    const { qos = 0 } = options;
    const client = this.#use();
    if (qos === 0 && !client.connected && !this.queueQoSZero)
      throw new MqttError('not-connected', 'not connected, and queueQoSZero is false');
    const result = await this.#watch(client.publish(topic, message ?? '', options));
    return qos === 0 ? undefined : reasonPacket(qos === 1 ? 'puback' : 'pubcomp', result);
  }

  subscribe(topic: Topics, ...rest: Rest<mqtt.IClientSubscribeOptions, mqtt.ClientSubscribeCallback>) {
    return this.#call(rest, (given) => this.#subscribe(topic, given));
  }
  async subscribeAsync(topic: Topics, given?: mqtt.IClientSubscribeOptions) {
    const [error, granted] = await this.#subscribe(topic, given);
    if (error) throw error;
    return granted;
  }
  async #subscribe(topic: Topics, given?: mqtt.IClientSubscribeOptions) {
    this.#forget();
    return this.#watch(subscribeEach(this.#use(), this.#wanted, topic, given));
  }

  /** Forgets the subscriptions if they are not to be made again. */
  #forget(): void {
    const { resubscribe, reconnectPeriod } = this.options;
    if (resubscribe === false || reconnectPeriod === 0) this.#wanted.clear();
  }

  unsubscribe<E extends Declared = Failed>(
    topic: string | string[],
    ...rest: Rest<object, mqtt.DoneCallback<E>>
  ) {
    return this.#call(rest as Rest<object, mqtt.DoneCallback>, () =>
      this.unsubscribeAsync(topic).then(() => [null]),
    );
  }
  async unsubscribeAsync(topic: string | string[], _given?: object): Promise<void> {
    const client = this.#use();
    for (const filter of [topic].flat()) this.#wanted.delete(filter);
    await this.#watch(client.unsubscribe(topic, client.connected ? {} : { timeout: 0 }));
  }

  end<E extends Declared = Failed>(...args: EndArgument<E>[]) {
    const given = args as EndArgument[];
    const callback = given.find((one) => typeof one === 'function');
    return this.#call([callback], () => this.endAsync(...given).then(() => [null]));
  }
  async endAsync(...given: EndArgument[]): Promise<void> {
    const force = given[0] === true;
    if (this.#ended || (this.#ending && !force)) return this.#ending;
    const options = given.find((one) => typeof one === 'object') ?? undefined;
    this.#again = false;
    // Asynchronously, so that the caller can listen for the end.
    this.#ending = Promise.resolve()
      .then(() => this.#inner?.end(force, options) ?? this.#finish())
      .finally(() => {
        this.#ending = undefined;
      });
    return this.#ending;
  }

  /** Connects now: instead of waiting, or again after the client has ended. */
  reconnect(): this {
    if (this.#ending) return this.once('end', () => this.reconnect());
    const ended = this.#ended;
    if (!ended) {
      this.#again = this.#inner !== undefined && !this.connected;
      this.#inner?.reconnect({ timeout: 0 }).catch(reportedByEvents);
    }
    this.connect();
    if (ended) this.#emitter.emit('reconnect');
    return this;
  }
  sendPing(): void {
    this.#inner?.ping().catch(reportedByEvents);
  }

  on<E extends keyof Events>(event: E, listener: Listener<E>, once = false): this {
    this.#emitter.add(event, callback(listener, 'listener') as Listener<E>, once);
    const packets = event === 'packetsend' || event === 'packetreceive';
    if (packets) this.#inner?.setPacketEvents(true, { timeout: 0 }).catch(reportedByEvents);
    return this;
  }
  off<E extends keyof Events>(event: E, listener: Listener<E>): this {
    this.#emitter.remove(event, listener);
    return this;
  }
  removeAllListeners(event?: keyof Events): this {
    this.#emitter.clear(event);
    return this;
  }
  readonly once = <E extends keyof Events>(event: E, listener: Listener<E>) => this.on(event, listener, true);
  readonly addListener = this.on;
  readonly removeListener = this.off;

  #use(): Client {
    if (this.#ending || this.#ended) throw hasEnded();
    if (this.#inner) return this.#inner;
    const { manualConnect: _, protocolId: __, transformWsUrl, ...rest } = this.options;
    const { emit, listens } = this.#emitter;
    const packetEvents = listens('packetsend') || listens('packetreceive');
    const options: ConnectOptions = { packetEvents, ...rest };
    if (transformWsUrl) options.transformWsUrl = (url) => transformWsUrl(url, this.options, this);
    // Changes to `options` take effect with the next attempt.
    if (transformWsUrl ?? rest.username ?? rest.password)
      options.credentials ??= () => {
        const { username, password } = this.options;
        return { ...(username && { username }), ...(password && { password }) };
      };
    const { client, begin } = createHeldClient(options);
    [this.#inner, this.#begin] = [client, begin];
    /** The failure of an attempt, until `close` reports it. */
    let failure: MqttError | undefined;
    client.on('connect', (connack) => {
      failure = undefined;
      this.#again = false;
      emit('connect', connackPacket(connack));
    });
    client.on('message', (topic, _payload, message) => {
      const packet = publishPacket(message);
      emit('message', topic, packet.payload, packet);
    });
    client.on('packetsend', (packet) => emit('packetsend', wirePacket(packet)));
    client.on('packetreceive', (packet) => emit('packetreceive', wirePacket(packet)));
    client.on('disconnect', (info) => emit('disconnect', reasonPacket('disconnect', info)));
    client.on('error', (error) => {
      if (!client.connected) failure = error;
      // It is not known which filter was refused when resubscribing.
      if (error.field === 'filter') this.#wanted.clear();
      this.#fail(error);
    });
    client.on('close', (error) => {
      if (client.reconnecting && !this.#ending) emit('offline');
      emit('close', error);
    });
    client.on('reconnect', ({ attempt }) => {
      if (failure && attempt === 1 && !this.#ending) emit('offline');
      if (failure) emit('close', failure);
      failure = undefined;
      this.#again = false;
      if (!this.#ending) emit('reconnect');
    });
    client.on('end', (error) => {
      if (failure) emit('close', failure);
      else if (error) this.#fail(error);
      this.#finish();
    });
    this.#forget();
    if (this.#wanted.size > 0) this.subscribe({ ...Object.fromEntries(this.#wanted), resubscribe: true });
    return client;
  }
  /** `close` reports a connection that could not be made or was lost, as in MQTT.js' browser build. */
  #fail(error: MqttError): void {
    if (error.code !== 'network') this.#emitter.emit('error', error);
  }
  #finish(): void {
    this.#ending = undefined;
    this.#ended = true;
    this.#begin(); // calls that wait for a connection fail as well
    if (this.#again) this.reconnect();
    else this.#emitter.emit('end');
    this.#again = false;
  }
  async #watch<T>(call: Promise<T>): Promise<T> {
    this.#outgoing++;
    try {
      return await call;
    } catch (error) {
      throw error instanceof MqttError && error.code === 'aborted' ? hasEnded(error) : error;
    } finally {
      this.#outgoing--;
      const tell = (): void => this.#emitter.emit('outgoingEmpty');
      if (this.#ending && this.connected && this.#outgoing === 0) nextTask(tell); // after the callbacks
    }
  }

  /** Without a callback, only a call that sends nothing is reported, as an `error`. */
  #call<O, C extends (error: MqttError | null, ...result: never[]) => void>(
    [first, second]: Rest<O, C>,
    start: (given?: O) => Promise<Parameters<C>>,
  ): this {
    const [given, done] = typeof first === 'function' ? [undefined, first as C] : [first as O, second];
    const late = this.disconnecting || this.disconnected;
    const tell = (outcome: Parameters<C>): void => {
      const [error] = outcome;
      if (done) done.apply(undefined, outcome);
      else if (error && (late || unsendable.test(error.code))) this.#fail(error);
    };
    start(given ?? undefined).then(tell, (error: MqttError) => tell([error] as never));
    return this;
  }
}

const unsendable = /^(bad-option|queue-full|unsupported|packet-too-large)$/;
function hasEnded(cause?: MqttError): MqttError {
  return new MqttError('not-connected', 'the client has ended', { cause });
}
/** Ignores the failure of an internal call: the connection has failed, which events report. */
function reportedByEvents(): void {}
