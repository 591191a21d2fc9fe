/**
 * What crosses between JavaScript and the Go program. The data is plain, since it also crosses
 * between page and worker (`messages.ts`): the worker adds nothing to the Go boundary, it only
 * carries calls to it and batches back.
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
  /** Milliseconds: no back-off step is longer. Default 30,000. */
  maxReconnectPeriod?: number;
  /** Try again even when the broker refused for a permanent reason. Default false. */
  reconnectOnConnackError?: boolean;
  /** Subscribe again after reconnecting without a session. Default true. */
  resubscribe?: boolean;
  /** Topic filters in one SUBSCRIBE when subscribing again. Default 8. */
  subscribeBatchSize?: number;
  /** More addresses of the same broker; each attempt uses the next one. */
  servers?: string[];
  /** What happens to QoS 1 and 2 messages in flight when the broker lost the session. Default `reject`. */
  sessionLost?: 'reject' | 'republish';
  /** Limits of what waits to be sent. */
  queue?: WireQueue;
  /** Name of a durable store for the session; absent: it lives in memory. */
  store?: string;
  /** Resolve at once, and connect in the background from the first attempt on. Default false. */
  background?: boolean;
  /** Report every packet by `onPackets`, from CONNECT on. Default false. */
  packetEvents?: boolean;
  /** Assign topic aliases when sending, as many as the broker accepts. Default false. */
  autoAssignTopicAlias?: boolean;
  properties?: WireConnectProperties;
  will?: WireWill;
}

export interface WireQueue {
  /** Accept messages while there is no connection. Default false. */
  offline?: boolean;
  /** Also those of QoS 0. Default true. */
  qos0?: boolean;
  /** Default 100,000. */
  messages?: number;
  /** Default 64 MiB. */
  bytes?: number;
  /** Default `reject`. */
  policy?: 'reject' | 'drop-oldest' | 'drop-newest';
}

/** Options of a single page that shares a connection. Go does not read them. */
export interface JoinOptions {
  /**
   * Its subscriptions in a program that crashed: the broker may send messages before the page can
   * subscribe again.
   */
  filters?: WireSubscription[];
  /** What happens to its subscriptions when it is gone and other pages go on. Default `unsubscribe`. */
  whenTabCloses?: 'unsubscribe' | 'keep';
}

/** One attempt to connect, before it is made. */
export interface AttemptInfo {
  url: string;
  /** 0 for the first, then from 1 since the last connection. */
  attempt: number;
}

/** What is to be used instead. */
export interface AttemptChange {
  url?: string;
  username?: string;
  password?: Uint8Array;
}

/** One step of enhanced authentication (4.12). */
export interface AuthStep {
  /**
   * `start` needs the first data, `continue` the answer to `data`; at `success` `data` is to be
   * validated.
   */
  phase: 'start' | 'continue' | 'success';
  method: string;
  data?: Uint8Array;
}

/** Every callback runs inside the Go program's event handler and must not throw. */
export interface BoundarySink {
  /**
   * A batch of received messages, in order, in the format of `client/message.ts`. The callee owns
   * the buffer and those of `payloads`, which are not in it; Go itself passes handles there
   * (`worker/kept-payloads.ts`). Go sends no further batch, and acknowledges none of these
   * messages, until the returned promise settles.
   */
  onBatch(
    buffer: ArrayBuffer,
    count: number,
    dropped: number,
    payloads?: Uint8Array<ArrayBuffer>[],
  ): undefined | Taking;
  onEvent(event: ClientEvent): void;
  /**
   * Packets as they crossed the wire, while they are wanted, in the format of `client/packet.ts`.
   * `dropped` more were too many to keep.
   */
  onPackets?(buffer: ArrayBuffer, dropped: number): void;
  /** Called before each attempt. A rejection fails the attempt. */
  onAttempt?(info: AttemptInfo): Promise<AttemptChange | undefined>;
  /** Makes the client use enhanced authentication, by `properties.authenticationMethod`. */
  onAuthenticate?(step: AuthStep): Promise<Uint8Array | undefined>;
}

/**
 * Resolves when the messages of a batch may be acknowledged. If that waits for a page that is
 * frozen or has not joined yet, `next` resolves before: then the next batch may come, and the
 * acknowledgements of both are still sent in order.
 */
export interface Taking extends Promise<void> {
  next?: Promise<void>;
}

export interface BoundaryEnvironment {
  /** The WebSocket class Go dials with; `globalThis.WebSocket` when absent. */
  WebSocket?: unknown;
  /** Opens the durable store of that name. Rejects when another client has it. */
  openStore?(name: string): Promise<BoundaryStore>;
}

/** Durable keys and values for one session. */
export interface BoundaryStore {
  /** All records, in the order of the keys. */
  load(): Promise<[key: string, value: Uint8Array][]>;
  /**
   * Puts, or deletes if the value is null, all or nothing. Calls take effect in order; durable when
   * it resolves.
   */
  apply(changes: [key: string, value: Uint8Array | null][]): Promise<void>;
  close(): void;
}

export interface Boundary<Client extends BoundaryClient = BoundaryClient> {
  connect(
    options: BoundaryOptions & JoinOptions & BoundarySink & BoundaryEnvironment & CallOptions,
  ): Promise<Client>;
}

export interface CallOptions {
  /** Milliseconds until the call rejects with code `timeout`; 0: no limit. */
  timeout?: number;
  /** Aborting rejects the call with code `aborted`. */
  signal?: AbortSignal;
}

export interface BoundaryClient {
  publish(
    topic: string,
    payload: Uint8Array | string,
    options?: PublishCall & CallOptions,
  ): Promise<PublishAck>;
  subscribe(subscriptions: WireSubscription[], options?: SubscribeCall & CallOptions): Promise<SubscribeAck>;
  unsubscribe(filters: string[], options?: UnsubscribeCall & CallOptions): Promise<SubscribeAck>;
  /** Resolves with the answer, a batch of one message. */
  request(topic: string, payload: Uint8Array, options?: RequestCall & CallOptions): Promise<ArrayBuffer>;
  /** Authenticates again on the current connection (4.12.1). */
  reauthenticate(options?: CallOptions): Promise<void>;
  /** Closes the connection until `resume`; the client and its session stay. */
  suspend(options?: CallOptions): Promise<void>;
  resume(options?: CallOptions): Promise<void>;
  /** Makes the next attempt now; while connected, checks now whether the connection is still alive. */
  wake(options?: CallOptions): Promise<void>;
  /** Milliseconds from PINGREQ to PINGRESP. */
  ping(options?: CallOptions): Promise<number>;
  /** Turns `onPackets` on or off. */
  tellPackets(options: { on: boolean } & CallOptions): Promise<void>;
  disconnect(options?: DisconnectCall & CallOptions): Promise<void>;
}

/** Go's own form, in which publishes of the page cross together. */
export interface GoClient extends BoundaryClient {
  /**
   * Publishes all `records` (`client/transport/publish-batch.ts`), which are numbered from `first`
   * on. `onSettled` reports each once, those that settle in one task together; none after a
   * rejection, which means that none was accepted.
   */
  publishAll(records: Uint8Array, first: number, onSettled: OnSettled): undefined | Promise<void>;
}

/**
 * `acks` are those that succeeded and for which the broker sent only a reason code: for each its
 * number, an f64 little endian, and the code, a u8.
 */
export type OnSettled = (acks: ArrayBuffer, others: PublishOutcome[]) => void;

export interface PublishOutcome {
  id: number;
  ack?: PublishAck;
  error?: WireError;
}

export interface PublishCall {
  qos?: QoS;
  retain?: boolean;
  /** Resolve when the message is in the durable store. Default `acknowledged`. */
  waitFor?: 'acknowledged' | 'stored';
  properties?: WirePublishProperties;
}

export interface RequestCall {
  qos?: QoS;
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
  /** Subscription Identifier; from 2^27 on it is left out if the broker supports none. */
  identifier?: number;
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
  /** The connection ended, for any reason. */
  | { type: 'close'; error?: WireError }
  | { type: 'error'; error: WireError }
  /** Nothing follows: the client is finished. */
  | { type: 'end'; error?: WireError };

/** A Go error as plain data; `client/errors.ts` turns it into an `MqttError`. */
export interface WireError {
  code: string;
  message: string;
  /** The option or argument that was wrong, such as `topic` or `will.qos`. */
  field?: string;
  reasonCode?: number;
  reasonString?: string;
  /** Another server that the broker pointed to (4.11). */
  serverReference?: string;
  /** The WebSocket close code (RFC 6455, 7.4), if there was one. */
  closeCode?: number;
  closeReason?: string;
}
