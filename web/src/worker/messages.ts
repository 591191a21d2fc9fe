/**
 * What crosses the two boundaries: between JavaScript and the Go program
 * (`Boundary…`), and between the page and the worker (`ToWorker`, `FromWorker`).
 *
 * Everything here is plain data that structured clone can carry. The worker
 * adds nothing to the Go boundary: it only carries calls to it and batches back.
 */

export type QoS = 0 | 1 | 2;

/** User properties (MQTT 5, 2.2.2.2). Order and duplicates are kept, so pairs. */
export type UserPropertyPairs = [name: string, value: string][];

export interface WirePublishProperties {
  payloadFormatIndicator?: boolean;
  /** Seconds (3.3.2.3.3). */
  messageExpiryInterval?: number;
  topicAlias?: number;
  responseTopic?: string;
  correlationData?: Uint8Array;
  userProperties?: UserPropertyPairs;
  contentType?: string;
}

export interface WireWill {
  topic: string;
  payload: Uint8Array;
  qos?: QoS;
  retain?: boolean;
  /** Adds Will Delay Interval, seconds (3.1.3.2.2). */
  properties?: WirePublishProperties & { willDelayInterval?: number };
}

export interface WireConnectProperties {
  /** Seconds; 0xFFFFFFFF never expires (3.1.2.11.2). */
  sessionExpiryInterval?: number;
  receiveMaximum?: number;
  /** Bytes (3.1.2.11.4). */
  maximumPacketSize?: number;
  topicAliasMaximum?: number;
  requestResponseInformation?: boolean;
  requestProblemInformation?: boolean;
  userProperties?: UserPropertyPairs;
  authenticationMethod?: string;
  authenticationData?: Uint8Array;
}

/** Options of `mqttwasm.connect`, the one function the Go program installs. */
export interface BoundaryOptions {
  url: string;
  clientId?: string;
  username?: string;
  password?: Uint8Array;
  clean?: boolean;
  /** Seconds; 0 turns pings off. */
  keepalive?: number;
  /** Milliseconds for one attempt, from dialling to CONNACK. */
  connectTimeout?: number;
  /** Milliseconds, the first back-off step; 0 turns reconnecting off. */
  reconnectPeriod?: number;
  /** Subscribe again after a reconnect without a session. Default true. */
  resubscribe?: boolean;
  properties?: WireConnectProperties;
  will?: WireWill;
}

/** Every callback runs inside the Go program's event handler and must not throw. */
export interface BoundarySink {
  /**
   * A batch of received messages, in order, in the format of `client/batch.ts`.
   * The buffer is the callee's. Go sends no further batch, and acknowledges
   * none of these messages, until the returned promise settles.
   */
  onBatch(buffer: ArrayBuffer, count: number, dropped: number): undefined | Promise<void>;
  onEvent(event: ClientEvent): void;
}

/** The WebSocket class Go dials with; `globalThis.WebSocket` when absent. */
export interface BoundaryEnvironment {
  WebSocket?: unknown;
}

export interface Boundary {
  connect(
    options: BoundaryOptions & BoundarySink & BoundaryEnvironment & CallOptions,
  ): Promise<BoundaryClient>;
}

export interface CallOptions {
  /** Milliseconds until the call rejects with code `timeout`; 0 waits for ever. */
  timeout?: number;
  /** Aborting rejects the call with code `aborted`. */
  signal?: AbortSignal;
}

export interface BoundaryClient {
  publish(topic: string, payload: Uint8Array, options?: PublishCall & CallOptions): Promise<PublishAck>;
  subscribe(subscriptions: WireSubscription[], options?: SubscribeCall & CallOptions): Promise<SubscribeAck>;
  unsubscribe(filters: string[], options?: UnsubscribeCall & CallOptions): Promise<SubscribeAck>;
  disconnect(options?: DisconnectCall & CallOptions): Promise<void>;
}

export interface PublishCall {
  qos?: QoS;
  retain?: boolean;
  properties?: WirePublishProperties;
}

export interface PublishAck {
  /** Reason code of PUBACK, PUBREC or PUBCOMP; 0 for QoS 0. */
  reasonCode: number;
  reasonString?: string;
  userProperties?: UserPropertyPairs;
}

export interface WireSubscription {
  topic: string;
  qos: QoS;
  /** No Local, Retain As Published, Retain Handling (3.8.3.1). */
  nl?: boolean;
  rap?: boolean;
  rh?: 0 | 1 | 2;
}

export interface SubscribeCall {
  properties?: { subscriptionIdentifier?: number; userProperties?: UserPropertyPairs };
}

export interface UnsubscribeCall {
  properties?: { userProperties?: UserPropertyPairs };
}

export interface SubscribeAck {
  /** One reason code for each filter, in the order asked (3.9.3, 3.11.3). */
  reasonCodes: number[];
  reasonString?: string;
  userProperties?: UserPropertyPairs;
}

export interface DisconnectCall {
  reasonCode?: number;
  reasonString?: string;
  /** Seconds (3.14.2.2.2). */
  sessionExpiryInterval?: number;
  userProperties?: UserPropertyPairs;
  /** Closes without waiting for packets in flight. */
  force?: boolean;
}

/** What the broker granted (3.2.2.3), with the specification's defaults filled in. */
export interface ConnackInfo {
  sessionPresent: boolean;
  reasonCode: number;
  clientId: string;
  properties: {
    sessionExpiryInterval: number;
    receiveMaximum: number;
    maximumQoS: number;
    retainAvailable: boolean;
    /** Bytes; 0 means the broker stated no limit. */
    maximumPacketSize: number;
    assignedClientIdentifier?: string;
    topicAliasMaximum: number;
    reasonString?: string;
    userProperties?: UserPropertyPairs;
    wildcardSubscriptionAvailable: boolean;
    subscriptionIdentifiersAvailable: boolean;
    sharedSubscriptionAvailable: boolean;
    /** Seconds. */
    serverKeepAlive: number;
    responseInformation?: string;
    serverReference?: string;
    authenticationMethod?: string;
  };
}

export interface DisconnectInfo {
  reasonCode: number;
  reasonString?: string;
  serverReference?: string;
  userProperties?: UserPropertyPairs;
}

export type ClientEvent =
  | { type: 'connect'; connack: ConnackInfo }
  /** An attempt is about to start; `delay` milliseconds from now. */
  | { type: 'reconnect'; attempt: number; delay: number }
  /** The broker sent DISCONNECT. */
  | { type: 'disconnect'; packet: DisconnectInfo }
  /** The connection ended, for whatever reason. */
  | { type: 'close'; error?: WireError }
  | { type: 'offline' }
  | { type: 'error'; error: WireError }
  /** Nothing follows: the client is finished. */
  | { type: 'end'; error?: WireError };

/** A Go error as plain data; `client/errors.ts` makes an `MqttError` of it. */
export interface WireError {
  code: string;
  message: string;
  /** The option or argument that was wrong, such as `topic` or `will.qos`. */
  field?: string;
  reasonCode?: number;
  reasonString?: string;
  /** Another server that the broker pointed to (4.11). */
  serverReference?: string;
  /** The WebSocket close code (RFC 6455, 7.4), where one was seen. */
  closeCode?: number;
  closeReason?: string;
}

/** Limits on one call. The signal cannot cross, so `abort` stands for it where `abortable` says it may come. */
interface WireLimits {
  timeout?: number;
  abortable?: boolean;
}

/** Page → worker. `client` and `id` are numbers the page chooses. */
export type ToWorker =
  | ({ type: 'connect'; id: number; client: number; options: BoundaryOptions } & WireLimits)
  | ({
      type: 'publish';
      id: number;
      client: number;
      topic: string;
      payload: Uint8Array;
      options: PublishCall;
    } & WireLimits)
  | ({
      type: 'subscribe';
      id: number;
      client: number;
      subscriptions: WireSubscription[];
      options: SubscribeCall;
    } & WireLimits)
  | ({
      type: 'unsubscribe';
      id: number;
      client: number;
      filters: string[];
      options: UnsubscribeCall;
    } & WireLimits)
  | ({ type: 'disconnect'; id: number; client: number; options: DisconnectCall } & WireLimits)
  | { type: 'abort'; id: number }
  /** The page has handed out the client's last batch. */
  | { type: 'consumed'; client: number };

/** Worker → page. */
export type FromWorker =
  | { type: 'ready' }
  /** The Go program ended or never started; nothing works from here on. */
  | { type: 'fatal'; error: WireError }
  | { type: 'result'; id: number; value: PublishAck | SubscribeAck | undefined }
  | { type: 'rejected'; id: number; error: WireError }
  | { type: 'event'; client: number; event: ClientEvent }
  | { type: 'batch'; client: number; buffer: ArrayBuffer; count: number; dropped: number };
