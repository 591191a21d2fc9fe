/// <reference lib="esnext.disposable" preserve="true" />
/** The public types. Names, units and defaults are those of MQTT.js where it has them. */

import type { ConnackInfo, DisconnectInfo, QoS } from '../protocol/boundary';
import type { MqttError } from './errors';
import type { Packet } from './packet';
import type { Payload, PublishProperties, UserProperties } from './properties';

export type {
  AuthStep,
  ConnectOptions,
  Credentials,
  OfflineQueue,
  Server,
  WebSocketClass,
  Will,
} from './connect-options';
export type { ConnackInfo, DisconnectInfo, Payload, PublishProperties, QoS, UserProperties };

/** Limits on one call. Every promise settles: by its answer, its timeout, or its signal. */
export interface CallOptions {
  /** Milliseconds; 0: no limit. Default 30,000. */
  timeout?: number;
  /**
   * Aborts the call. The promise rejects with the reason given to `abort`; without one with an
   * `MqttError` of code `aborted`, whose `cause` is the signal's AbortError.
   */
  signal?: AbortSignal;
}

/**
 * With `offlineQueue` a publish has no time limit unless one is given: it settles when it is
 * acknowledged, when its `messageExpiryInterval` has passed, when the queue drops it, or when the
 * client ends.
 */
export interface PublishOptions extends CallOptions {
  /** Default 0. */
  qos?: QoS;
  retain?: boolean;
  /**
   * What the promise waits for. Default `acknowledged`: the last packet of the
   * message's QoS. `stored`: the message is in the durable `store`, from where
   * it will be sent even if the page is gone; for QoS 1 and 2.
   */
  waitFor?: 'acknowledged' | 'stored';
  properties?: PublishProperties;
}

export interface RequestOptions extends CallOptions {
  /** Of the request. Default 0. */
  qos?: QoS;
  /** Without `responseTopic` and `correlationData`, which the client sets. */
  properties?: PublishProperties;
}

export interface SubscribeOptions extends CallOptions {
  /** Aborts the call, as with other calls; once the subscription is granted, it unsubscribes. */
  signal?: AbortSignal;
  /** Default 0. */
  qos?: QoS;
  /** No Local: the broker does not send what this client publishes. */
  nl?: boolean;
  /** Retain As Published. */
  rap?: boolean;
  /** Retain Handling: 0 send retained messages, 1 only for a new subscription, 2 never. */
  rh?: 0 | 1 | 2;
  properties?: { subscriptionIdentifier?: number; userProperties?: UserProperties };
  /**
   * Messages that an async iterable buffers for a slow reader, default 10,000. Beyond that, QoS 0
   * drops the oldest, and QoS 1 and 2 keep further messages waiting. Before the iteration begins
   * every QoS drops, and messages that a `message` or `batch` listener got are not buffered.
   */
  highWaterMark?: number;
  /**
   * Bytes that it buffers, default 16,777,216 (16 MiB), with the same effect. A message keeps the
   * whole buffer of its batch, so that is what counts, once for all messages in it. One message is
   * always buffered, even if it is larger.
   */
  highWaterMarkBytes?: number;
  /**
   * The `message` and `batch` listeners don't get messages that match only subscriptions with this
   * option. Needs a handler. Default false.
   */
  handlerOnly?: boolean;
}

export interface MessageProperties {
  payloadFormatIndicator?: boolean;
  messageExpiryInterval?: number;
  responseTopic?: string;
  correlationData?: Uint8Array;
  userProperties?: [name: string, value: string][];
  subscriptionIdentifier?: number | number[];
  contentType?: string;
}

/** A received message. Its parts are decoded when first read. */
export interface Message {
  readonly topic: string;
  /**
   * The raw bytes. They share the buffer of their batch: copy what you keep for long, or transfer
   * elsewhere.
   */
  readonly payload: Uint8Array;
  readonly qos: QoS;
  readonly retain: boolean;
  readonly dup: boolean;
  readonly properties: MessageProperties;
  /** Milliseconds since 1970, when the client read it. */
  readonly receivedAt: number;
  /** Bytes of the topic, the properties and the payload, and of what the client adds to a message. */
  readonly size: number;
  /** The payload as UTF-8 text; malformed bytes become U+FFFD. */
  text(): string;
  json(): unknown;
}

/** May return a promise: messages after this batch wait until it has settled. */
export type MessageHandler = (message: Message) => unknown;

/** The answer to a request: a payload, alone or with options. Undefined and null send nothing. */
export type Answer =
  | Payload
  | {
      payload: Payload;
      /** Default: the request's. */
      qos?: QoS;
      /** `correlationData` is always the request's. */
      properties?: PublishProperties;
    }
  | null
  | undefined;

/**
 * May return a promise: messages after this batch wait until the answer has been
 * sent. One that returns nothing answers nothing.
 */
// biome-ignore lint/suspicious/noConfusingVoidType: of a function that returns nothing, the type is void.
export type RequestHandler = (request: Message) => Answer | void | Promise<Answer | void>;

export interface PublishResult {
  /** 0 success, 16 no matching subscribers (3.4.2.1). */
  reasonCode: number;
  reasonString?: string;
  userProperties?: [name: string, value: string][];
}

/** One granted topic filter: iterate it, or give `subscribe` a handler instead. */
export interface Subscription extends AsyncIterable<Message> {
  readonly filter: string;
  /** The QoS that the broker granted. */
  readonly qos: QoS;
  readonly reasonCode: number;
  /** Messages dropped because the iterable was over `highWaterMark` or `highWaterMarkBytes`. */
  readonly dropped: number;
  /** Ends the iteration, and unsubscribes at the broker if no other subscription has the filter. */
  unsubscribe(options?: CallOptions): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

export interface EndOptions extends CallOptions {
  reasonCode?: number;
  reasonString?: string;
  properties?: { sessionExpiryInterval?: number; userProperties?: UserProperties };
}

/**
 * `connecting`: a client that was never connected makes its first attempt. `reconnecting`: an
 * attempt is in progress or waits for its back-off. `disconnected`: no attempt is made, because the
 * client has ended, or because the page is in the back/forward cache or frozen; the client connects
 * again when the page is back.
 */
export type ClientState = 'connecting' | 'connected' | 'reconnecting' | 'disconnected';

/** Listener arguments by event name. */
export interface ClientEvents {
  connect: [connack: ConnackInfo];
  message: [topic: string, payload: Uint8Array, message: Message];
  /** Many messages at once, the cheapest way to see everything. */
  batch: [messages: Message[], dropped: number];
  /** An attempt starts in `delay` milliseconds. */
  reconnect: [info: { attempt: number; delay: number }];
  close: [error: MqttError | undefined];
  /**
   * The browser says that the network is gone. The connection may not have noticed: it is tested at
   * once, and `close` follows if it is dead. (MQTT.js has this event for each lost connection; here
   * that is `close`.)
   */
  offline: [];
  disconnect: [packet: DisconnectInfo];
  error: [error: MqttError];
  end: [error: MqttError | undefined];
  /**
   * With `packetEvents` or `setPacketEvents`: a packet was sent. Some are left out when there are
   * very many.
   */
  packetsend: [packet: Packet];
  packetreceive: [packet: Packet];
}

export interface Client {
  readonly state: ClientState;
  readonly connected: boolean;
  readonly reconnecting: boolean;
  /** The identifier in use, assigned by the broker if it did. */
  readonly clientId: string;
  /** The first address, before `transformWsUrl`. */
  readonly url: string;
  /** The specification's defaults until the first connection. */
  readonly connack: ConnackInfo;
  /** Messages dropped so far because this page was too slow: of QoS 0, or of a session that the broker has lost. */
  readonly dropped: number;

  publish(topic: string, payload: Payload, options?: PublishOptions): Promise<PublishResult>;
  publishAsync: Client['publish'];

  /**
   * Subscriptions with the same filter share one at the broker. With several filters all are
   * granted, or the call rejects.
   *
   * Each handler and iterable gets a message once, also from a broker that sends a copy for each
   * matching subscription: the client gives each filter a Subscription Identifier (3.8.2.1.2),
   * which messages don't show, unless `properties` has one. If the broker supports none, each copy
   * goes to all whose filters match the topic. The `message` and `batch` listeners get every copy.
   */
  subscribe(filter: string, options?: SubscribeOptions, handler?: MessageHandler): Promise<Subscription>;
  subscribe(filter: string, handler: MessageHandler): Promise<Subscription>;
  subscribe(filters: string[], options?: SubscribeOptions, handler?: MessageHandler): Promise<Subscription[]>;
  subscribeAsync: Client['subscribe'];

  unsubscribe(filter: string | string[], options?: CallOptions): Promise<void>;
  unsubscribeAsync: Client['unsubscribe'];

  /**
   * Publishes a request and resolves with the message that answers it. Rejects with `timeout` when
   * none arrives in time.
   */
  request(topic: string, payload: Payload, options?: RequestOptions): Promise<Message>;

  /**
   * Subscribes, and publishes what the handler returns to each request's
   * response topic, with its correlation data. A message without a response
   * topic is handled and not answered; so is one whose handler throws. An answer
   * that could not be sent is an `error` event.
   */
  respond(filter: string, handler: RequestHandler, options?: SubscribeOptions): Promise<Subscription>;

  /**
   * Makes the next attempt now instead of after its back-off; while connected, checks now whether
   * the connection is still alive. Events report the outcome.
   */
  reconnect(options?: CallOptions): Promise<void>;

  /**
   * Sends PINGREQ, and resolves with the milliseconds until PINGRESP, measured where packets are
   * read and written. Concurrent calls share one PINGREQ. Without a connection it rejects with
   * `not-connected`, before the first one too.
   */
  ping(options?: CallOptions): Promise<number>;

  /** Turns `packetsend` and `packetreceive` on or off from now on, as `packetEvents` does. */
  setPacketEvents(on: boolean, options?: CallOptions): Promise<void>;

  /**
   * Authenticates again on the current connection, with `authenticate` or `scram`. Rejects when the
   * broker or one of these refused, and with `not-connected` without a connection.
   */
  reauthenticate(options?: CallOptions): Promise<void>;

  /**
   * Sends DISCONNECT and closes the connection. `force` does not wait for packets in flight. A
   * second call waits no longer than its own `force`, `timeout` and `signal` say.
   */
  end(force?: boolean, options?: EndOptions): Promise<void>;
  end(options: EndOptions): Promise<void>;
  endAsync: Client['end'];

  on<E extends keyof ClientEvents>(event: E, listener: (...args: ClientEvents[E]) => void): this;
  once<E extends keyof ClientEvents>(event: E, listener: (...args: ClientEvents[E]) => void): this;
  /** Removes the one added last if the same function was added more than once. */
  off<E extends keyof ClientEvents>(event: E, listener: (...args: ClientEvents[E]) => void): this;
  /** The same as `on`. */
  addListener<E extends keyof ClientEvents>(event: E, listener: (...args: ClientEvents[E]) => void): this;
  /** The same as `off`. */
  removeListener<E extends keyof ClientEvents>(event: E, listener: (...args: ClientEvents[E]) => void): this;
  [Symbol.asyncDispose](): Promise<void>;
}
