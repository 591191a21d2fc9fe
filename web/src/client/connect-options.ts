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

/** Bounds of what waits to be sent. */
export interface OfflineQueue {
  /** Messages. Default 100,000. */
  messages?: number;
  /** Bytes of all of them. Default 67,108,864 (64 MiB). */
  bytes?: number;
  /**
   * What happens when there is no room. Default `reject`: the new publish
   * rejects with `queue-full`. `drop-oldest` and `drop-newest` give up a message
   * in the queue or the new one; its publish rejects with `dropped`.
   */
  policy?: 'reject' | 'drop-oldest' | 'drop-newest';
}

/** The browser's, or that of the `ws` package. */
export type WebSocketClass = new (url: string, protocols?: string | string[]) => object;

export interface ConnectOptions {
  /**
   * `ws:` or `wss:` address; or `protocol`, `host`, `port` and `path`. Where both are
   * given, each part replaces that of the address, as in MQTT.js: with `protocol` the
   * address may begin with `mqtt:`, and `path` replaces its query too.
   */
  url?: string | URL;
  /** Also of `servers` that have none of their own. */
  protocol?: 'ws' | 'wss';
  /** May have a port. */
  host?: string;
  /** The same as `host`; they must not differ. */
  hostname?: string;
  port?: number;
  /** With its query, if any. Also of `servers` given in parts that have none of their own. */
  path?: string;
  /**
   * More addresses of the same broker: each attempt takes the next, `url` being
   * the first where it is given. Credentials in them must not differ.
   */
  servers?: Server[];
  /**
   * Called before each attempt with its address; gives the one to use, for
   * example signed anew. Its time counts towards `connectTimeout`. What it
   * throws fails the attempt, with code `aborted` and the thrown as `cause`.
   */
  transformWsUrl?: (url: string, options: ConnectOptions) => string | Promise<string>;
  /**
   * Called before each attempt; gives the user name and password to use instead
   * of `username` and `password`, for example a token that has not expired.
   * Throwing is as with `transformWsUrl`.
   */
  credentials?: () => Credentials | Promise<Credentials>;

  /** Default: `mqttwasm_` and random hexadecimal digits. */
  clientId?: string;
  username?: string;
  password?: string | Uint8Array;
  /** Clean Start. Default true; false with a `store`, which takes no other value. */
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
   * Try again also when the broker refused for a reason that stays, such as bad
   * credentials. Default false: the client ends then.
   */
  reconnectOnConnackError?: boolean;
  /** Subscribe again after a reconnect without a session. Default true. */
  resubscribe?: boolean;
  /**
   * Topic filters that go into one SUBSCRIBE when the client subscribes again.
   * Default 8, which is all that AWS IoT Core takes.
   */
  subscribeBatchSize?: number;
  /**
   * What becomes of QoS 1 and 2 messages in flight when the broker forgot the
   * session. `reject`: their publishes reject with `session-lost`. `republish`:
   * they are sent again as new messages, so they may arrive twice. Default
   * `reject`; with a `store`, `republish`.
   */
  sessionLost?: 'reject' | 'republish';
  /**
   * Take messages also while there is no connection, and send them at the next
   * one. Default false: publishing then rejects with `not-connected`; with a
   * `store` true. An object states bounds; they hold for everything that waits
   * to be sent.
   */
  offlineQueue?: boolean | OfflineQueue;
  /** Whether the offline queue takes QoS 0 messages too. Default true. */
  queueQoSZero?: boolean;
  /**
   * Keeps the session in IndexedDB: messages that wait or are in flight outlive
   * the page, and a client with the same address and `clientId` goes on where
   * this one stopped. One client at a time can have it. Needs `clientId`, and
   * changes the defaults of `clean`, `sessionLost`, `offlineQueue` and
   * `properties.sessionExpiryInterval`. Default: the session lives in memory.
   */
  store?: 'indexeddb';
  /**
   * Give topics aliases when sending, as many as the broker takes. Default
   * false. A publish must not choose a `topicAlias` of its own then.
   */
  autoAssignTopicAlias?: boolean;
  /**
   * Emit `packetsend` and `packetreceive`, from CONNECT on. They cost time for
   * every packet. Default false; `setPacketEvents` changes it.
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
   * Enhanced authentication by `properties.authenticationMethod`: gives the data
   * to send at each step. At `success` it checks the data that came with it, by
   * throwing or not. What it throws ends the connection, with code `aborted` and
   * the thrown as `cause`.
   */
  authenticate?: (
    step: AuthStep,
  ) => Uint8Array | string | undefined | Promise<Uint8Array | string | undefined>;
  /**
   * Authentication by SCRAM-SHA-256 (RFC 7677), which proves the broker too.
   * Stands for `authenticate` and the authentication properties.
   */
  scram?: { username: string; password: string };
  will?: Will;
  /**
   * Gives up connecting. `connect` rejects with the reason that `abort` was given, or
   * with code `aborted`; events and other calls always have an `MqttError`.
   */
  signal?: AbortSignal;
  /** False runs the client on this thread instead of in a worker. Default true. */
  worker?: boolean;
  /**
   * Runs the client in a SharedWorker: the tabs of one origin that connect with
   * the same options have one connection and one session together, and each its
   * own subscriptions. When the tab that the browser runs it in crashes, the
   * others connect and subscribe again by themselves. Default false.
   */
  shared?: boolean;
  /**
   * What becomes of this tab's subscriptions when it closes or its client ends, and
   * other tabs go on with the shared connection. `unsubscribe`: they end, unless
   * another tab has them too. `keep`: the session keeps them, as it does when the
   * last tab closes; for ten seconds QoS 1 and 2 messages wait for a tab that
   * subscribes to them, for example the same one after a reload, and after that they
   * go to nobody. Needs `shared`. Default `unsubscribe`.
   */
  whenTabCloses?: 'unsubscribe' | 'keep';
  /**
   * Where the worker's script is, `mqttwasm/worker` of the package. Relative
   * addresses are the page's. One of another origin is imported by a script of
   * the page's. Clients with different addresses have different workers. Without
   * `wasmUrl` the worker loads `mqttwasm.wasm` from beside it. Default: what the
   * bundler made of it, or beside the client's own script.
   */
  workerUrl?: string | URL;
  /**
   * The same for `shared`: `mqttwasm/shared-worker` of the package. It must be of
   * the page's own origin, and must be given where `workerUrl` is, which is for
   * browsers without a SharedWorker then.
   */
  sharedWorkerUrl?: string | URL;
  /**
   * Where the WebAssembly program is, `mqttwasm/wasm` of the package. Another
   * origin has to allow it by CORS.
   */
  wasmUrl?: string | URL;
  /**
   * The WebSocket class to dial with. A class can't cross into a worker: in a browser it
   * needs `worker: false`. Node has none of that kind. Default `globalThis.WebSocket`.
   */
  WebSocket?: WebSocketClass;
}
