/** What `connect` takes. */

import type { AuthStep, QoS } from '../protocol/boundary';
import type { Payload, PublishProperties, UserProperties } from './properties';

export type { AuthStep };

export interface Will {
  topic: string;
  payload?: Payload;
  qos?: QoS;
  retain?: boolean;
  properties?: PublishProperties & { willDelayInterval?: number };
}

/** An address, or its parts as in MQTT.js. */
export type Server = string | URL | Pick<ConnectOptions, 'protocol' | 'host' | 'hostname' | 'port' | 'path'>;

export interface Credentials {
  username?: string;
  password?: string | Uint8Array;
}

/** Limits of what waits to be sent. */
export interface OfflineQueue {
  /** Messages. Default 100,000. */
  messages?: number;
  /** Bytes of all of them. Default 67,108,864 (64 MiB). */
  bytes?: number;
  /**
   * What happens when there is no room. Default `reject`: the new publish rejects with
   * `queue-full`. `drop-oldest` and `drop-newest` drop a message in the queue or the new one; its
   * publish rejects with `dropped`.
   */
  policy?: 'reject' | 'drop-oldest' | 'drop-newest';
}

/** The browser's, or that of the `ws` package. */
export type WebSocketClass = new (url: string, protocols?: string | string[]) => object;

export interface ConnectOptions {
  /**
   * `ws:` or `wss:` address; or `protocol`, `host`, `port` and `path`. If both are given, each part
   * replaces that of the address, as in MQTT.js: with `protocol` the address may begin with
   * `mqtt:`, and `path` replaces its query, too.
   */
  url?: string | URL;
  /** Also for `servers` that have none of their own. */
  protocol?: 'ws' | 'wss';
  /** May have a port. */
  host?: string;
  /** The same as `host`; they must not differ. */
  hostname?: string;
  port?: number;
  /** With its query, if any. Also for `servers` given in parts that have none of their own. */
  path?: string;
  /**
   * More addresses of the same broker: each attempt uses the next one, starting with `url` if it is
   * given. Credentials in them must not differ.
   */
  servers?: Server[];
  /**
   * Called before each attempt with its address; returns the one to use, for example with a new
   * signature. Its time counts towards `connectTimeout`. If it throws, the attempt fails with code
   * `aborted` and what it threw as `cause`.
   */
  transformWsUrl?: (url: string, options: ConnectOptions) => string | Promise<string>;
  /**
   * Called before each attempt; returns the user name and password to use instead of `username` and
   * `password`, for example a token that has not expired. It may throw, like `transformWsUrl`.
   */
  credentials?: () => Credentials | Promise<Credentials>;

  /** Default: `mqttwasm_` and random hexadecimal digits. */
  clientId?: string;
  username?: string;
  password?: string | Uint8Array;
  /** Clean Start. Default true; false with a `store`, which allows no other value. */
  clean?: boolean;
  /** Seconds between pings when nothing else is sent. Default 60; 0 turns pings off. */
  keepalive?: number;
  /** Milliseconds for one attempt, from dialling to CONNACK. Default 30,000. */
  connectTimeout?: number;
  /** Milliseconds: the first back-off step. Default 1,000; 0 turns reconnecting off. */
  reconnectPeriod?: number;
  /**
   * Milliseconds: no back-off step is longer. At least `reconnectPeriod`.
   * Default 30,000, or `reconnectPeriod` where that is more.
   */
  maxReconnectPeriod?: number;
  /**
   * Try again even when the broker refused for a permanent reason, such as bad credentials. Default
   * false: the client then ends.
   */
  reconnectOnConnackError?: boolean;
  /** Subscribe again after reconnecting without a session. Default true. */
  resubscribe?: boolean;
  /**
   * Topic filters that go into one SUBSCRIBE when the client subscribes again. Default 8, the
   * maximum of AWS IoT Core.
   */
  subscribeBatchSize?: number;
  /**
   * What happens to QoS 1 and 2 messages in flight when the broker lost the session. `reject`:
   * their publishes reject with `session-lost`. `republish`: they are sent again as new messages,
   * so they may arrive twice. Default `reject`; with a `store`, `republish`. If the CONNACK that
   * said that the session was lost is itself lost, the client can't know, and sends them again.
   */
  sessionLost?: 'reject' | 'republish';
  /**
   * Accept messages while there is no connection, and send them at the next one. Default false:
   * publishing then rejects with `not-connected`; with a `store` true. An object sets limits, for
   * everything that waits to be sent.
   */
  offlineQueue?: boolean | OfflineQueue;
  /** Whether the offline queue accepts QoS 0 messages, too. Default true. */
  queueQoSZero?: boolean;
  /**
   * Keeps the session in IndexedDB: messages that wait or are in flight outlive the page, and a
   * client with the same address and `clientId` continues where this one stopped. Only one client
   * at a time can use it. Needs `clientId`, and changes the defaults of `clean`, `sessionLost`,
   * `offlineQueue` and `properties.sessionExpiryInterval`. Default: the session lives in memory.
   */
  store?: 'indexeddb';
  /**
   * Assign topic aliases when sending, as many as the broker accepts. Default false. A publish must
   * then not have a `topicAlias` of its own.
   */
  autoAssignTopicAlias?: boolean;
  /**
   * Emit `packetsend` and `packetreceive`, from CONNECT on. Each packet then takes more time.
   * Default false; `setPacketEvents` changes it.
   */
  packetEvents?: boolean;
  protocolVersion?: 5;
  properties?: {
    /** Seconds. Default 0: the session ends with the connection. With a `store` 86,400, and not 0. */
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
  /**
   * Enhanced authentication by `properties.authenticationMethod`: returns the data to send at each
   * step. At `success` it validates the broker's last data, and throws to reject it. If it throws,
   * the connection ends with code `aborted` and what it threw as `cause`.
   */
  authenticate?: (
    step: AuthStep,
  ) => Uint8Array | string | undefined | Promise<Uint8Array | string | undefined>;
  /**
   * Authentication by SCRAM-SHA-256 (RFC 7677), in which the broker proves its identity, too. Takes
   * the place of `authenticate` and the authentication properties.
   */
  scram?: { username: string; password: string };
  will?: Will;
  /**
   * Aborts connecting. `connect` rejects with the reason given to `abort`, or with code `aborted`;
   * events and other calls always have an `MqttError`.
   */
  signal?: AbortSignal;
  /** False runs the client on this thread instead of in a worker. Default true. */
  worker?: boolean;
  /**
   * Runs the client in a SharedWorker: the tabs of one origin that connect with the same options
   * share one connection and one session, each with its own subscriptions. When the tab in which
   * the browser runs it crashes, the others reconnect and resubscribe by themselves. Default false.
   */
  shared?: boolean;
  /**
   * What happens to this tab's subscriptions when it closes or its client ends while other tabs use
   * the shared connection. `unsubscribe`: they end, unless another tab has them, too. `keep`: the
   * session keeps them, as it does when the last tab closes; for ten seconds QoS 1 and 2 messages
   * wait for a tab that subscribes to them, for example the same one after a reload; after that
   * they are dropped. Needs `shared`. Default `unsubscribe`.
   */
  whenTabCloses?: 'unsubscribe' | 'keep';
  /**
   * Address of the worker's script, `mqttwasm/worker` of the package. It may be relative to the
   * page. One of another origin is imported by a script of the page's origin. Clients with
   * different addresses have different workers. Without `wasmUrl` the worker loads `mqttwasm.wasm`
   * from its own directory. Default: where the bundler put it, or the directory of the client's own
   * script.
   */
  workerUrl?: string | URL;
  /**
   * The same for `shared`: `mqttwasm/shared-worker` of the package. It must be of the page's own
   * origin, and must be given with `workerUrl`, which is then for browsers without a SharedWorker.
   */
  sharedWorkerUrl?: string | URL;
  /**
   * Address of the WebAssembly program, `mqttwasm/wasm` of the package. Another origin must allow
   * it by CORS.
   */
  wasmUrl?: string | URL;
  /**
   * The WebSocket class to dial with. A class can't cross into a worker: in a browser it needs
   * `worker: false`. In Node the client never uses a worker. Default `globalThis.WebSocket`.
   */
  WebSocket?: WebSocketClass;
}
