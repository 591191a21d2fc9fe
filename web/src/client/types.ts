/** The public types. Names, units and defaults are those of MQTT.js wherever it has them. */

import type { ConnackInfo, DisconnectInfo, QoS } from '../worker/messages';
import type { MqttError } from './errors';

export type { ConnackInfo, DisconnectInfo, QoS };

/** Text is sent as UTF-8. */
export type Payload = string | Uint8Array | ArrayBuffer | DataView;

/**
 * User properties: an object as in MQTT.js, or pairs where order and
 * duplicates matter. Received ones are always pairs.
 */
export type UserProperties = Record<string, string | string[]> | [name: string, value: string][];

export interface PublishProperties {
  payloadFormatIndicator?: boolean;
  /** Seconds. */
  messageExpiryInterval?: number;
  topicAlias?: number;
  responseTopic?: string;
  correlationData?: Uint8Array | string;
  userProperties?: UserProperties;
  contentType?: string;
}

/** Limits on one call. Every promise settles: by its answer, its time, or its signal. */
export interface CallOptions {
  /** Milliseconds; 0 waits for ever. Default 30,000. */
  timeout?: number;
  signal?: AbortSignal;
}

export interface PublishOptions extends CallOptions {
  /** Default 0. */
  qos?: QoS;
  retain?: boolean;
  properties?: PublishProperties;
}

export interface SubscribeOptions extends CallOptions {
  /** Default 0. */
  qos?: QoS;
  /** No Local: do not send me what I published. */
  nl?: boolean;
  /** Retain As Published. */
  rap?: boolean;
  /** Retain Handling: 0 send retained messages, 1 only for a new subscription, 2 never. */
  rh?: 0 | 1 | 2;
  properties?: { subscriptionIdentifier?: number; userProperties?: UserProperties };
  /**
   * Messages an async iterable holds for a slow reader, default 10,000. Over
   * that, QoS 0 drops the oldest, and QoS 1 and 2 keep further messages waiting.
   * Before the iteration has begun every QoS drops, and a message that a
   * `message` or `batch` listener got is not held at all.
   */
  highWaterMark?: number;
}

export interface Will {
  topic: string;
  payload?: Payload;
  qos?: QoS;
  retain?: boolean;
  properties?: PublishProperties & { willDelayInterval?: number };
}

export interface ConnectOptions {
  /** `ws:` or `wss:` address; or `protocol`, `host`, `port` and `path` as in MQTT.js. */
  url?: string | URL;
  protocol?: 'ws' | 'wss';
  host?: string;
  hostname?: string;
  port?: number;
  path?: string;

  /** Default: `mqttwasm_` and random hexadecimal digits. */
  clientId?: string;
  username?: string;
  password?: string | Uint8Array;
  /** Clean Start. Default true. */
  clean?: boolean;
  /** Seconds between pings when nothing else is sent. Default 60; 0 turns pings off. */
  keepalive?: number;
  /** Milliseconds for one attempt, from dialling to CONNACK. Default 30,000. */
  connectTimeout?: number;
  /** Milliseconds: the first back-off step. Default 1,000; 0 turns reconnecting off. */
  reconnectPeriod?: number;
  /** Subscribe again after a reconnect without a session. Default true. */
  resubscribe?: boolean;
  protocolVersion?: 5;
  properties?: {
    sessionExpiryInterval?: number;
    receiveMaximum?: number;
    maximumPacketSize?: number;
    topicAliasMaximum?: number;
    requestResponseInformation?: boolean;
    requestProblemInformation?: boolean;
    userProperties?: UserProperties;
    authenticationMethod?: string;
    authenticationData?: Uint8Array;
  };
  will?: Will;
  /** Gives up connecting. */
  signal?: AbortSignal;
  /** False runs the client on this thread instead of in a worker. Default true. */
  worker?: boolean;
  shared?: boolean;
  /** The WebSocket class to dial with, for `worker: false`. Default `globalThis.WebSocket`. */
  WebSocket?: typeof WebSocket;
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

/** A received message. Its parts are decoded when first looked at. */
export interface Message {
  readonly topic: string;
  /** The raw bytes. They share the buffer of the batch they came in: copy what you keep for long. */
  readonly payload: Uint8Array;
  readonly qos: QoS;
  readonly retain: boolean;
  readonly dup: boolean;
  readonly properties: MessageProperties;
  /** Milliseconds since 1970, when the client read it. */
  readonly receivedAt: number;
  /** Bytes of the topic, the properties and the payload. */
  readonly size: number;
  /** The payload as UTF-8 text; malformed bytes become U+FFFD. */
  text(): string;
  json(): unknown;
}

/** May return a promise: messages after this batch wait until it has settled. */
export type MessageHandler = (message: Message) => unknown;

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
  /** Messages dropped because the iterable's reader was slower than its `highWaterMark`. */
  readonly dropped: number;
  /** Ends the iteration, and tells the broker when no other subscription has the filter. */
  unsubscribe(options?: CallOptions): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

export interface EndOptions extends CallOptions {
  reasonCode?: number;
  reasonString?: string;
  properties?: { sessionExpiryInterval?: number; userProperties?: UserProperties };
}

export type ClientState = 'connected' | 'reconnecting' | 'disconnected';

/** Listener arguments by event name. */
export interface ClientEvents {
  connect: [connack: ConnackInfo];
  message: [topic: string, payload: Uint8Array, message: Message];
  /** A whole batch at once, the cheapest way to see everything. */
  batch: [messages: Message[], dropped: number];
  /** An attempt starts in `delay` milliseconds. */
  reconnect: [info: { attempt: number; delay: number }];
  close: [error: MqttError | undefined];
  offline: [];
  disconnect: [packet: DisconnectInfo];
  error: [error: MqttError];
  end: [error: MqttError | undefined];
}

export interface Client {
  readonly state: ClientState;
  readonly connected: boolean;
  readonly reconnecting: boolean;
  /** The identifier in use, assigned by the broker if it did. */
  readonly clientId: string;
  readonly url: string;
  readonly connack: ConnackInfo;
  /** QoS 0 messages dropped, since the beginning, because this page was too slow. */
  readonly dropped: number;

  publish(topic: string, payload: Payload, options?: PublishOptions): Promise<PublishResult>;
  publishAsync: Client['publish'];

  /**
   * Subscriptions with the same filter share the broker's one. With several
   * filters all are granted or the call rejects.
   */
  subscribe(filter: string, options?: SubscribeOptions, handler?: MessageHandler): Promise<Subscription>;
  subscribe(filter: string, handler: MessageHandler): Promise<Subscription>;
  subscribe(filters: string[], options?: SubscribeOptions, handler?: MessageHandler): Promise<Subscription[]>;
  subscribeAsync: Client['subscribe'];

  unsubscribe(filter: string | string[], options?: CallOptions): Promise<void>;
  unsubscribeAsync: Client['unsubscribe'];

  /** Sends DISCONNECT and closes. `force` does not wait for packets in flight. */
  end(force?: boolean, options?: EndOptions): Promise<void>;
  end(options: EndOptions): Promise<void>;
  endAsync: Client['end'];

  on<E extends keyof ClientEvents>(event: E, listener: (...args: ClientEvents[E]) => void): this;
  once<E extends keyof ClientEvents>(event: E, listener: (...args: ClientEvents[E]) => void): this;
  off<E extends keyof ClientEvents>(event: E, listener: (...args: ClientEvents[E]) => void): this;
  [Symbol.asyncDispose](): Promise<void>;
}
