/** Options of `connect`, validated and converted to the form that crosses the boundary. */

import type { AuthStep, BoundaryOptions, JoinOptions, WireQueue } from '../../protocol/boundary';
import type { ConnectOptions } from '../types';
import { publishProperties } from './calls';
import {
  bad,
  binary,
  boolean,
  type Check,
  callback,
  integer,
  maxMilliseconds,
  oneOf,
  payload,
  qos,
  shape,
  signal,
  text,
  u16,
  u32,
  userProperties,
} from './rules';
import { topicName } from './topics';
import { type Address, type Parts, parseAddress, resolveAddress } from './url';

export const defaultReconnectPeriod = 1000;
export const defaultMaxReconnectPeriod = 30_000;
/** Seconds: a day. */
const defaultStoredExpiry = 86_400;

const connectProperties = shape({
  sessionExpiryInterval: integer(0, u32),
  receiveMaximum: integer(1, u16), // 0 is a Protocol Error (3.1.2.11.3)
  maximumPacketSize: integer(1, u32), // as here (3.1.2.11.4)
  topicAliasMaximum: integer(0, u16),
  requestResponseInformation: boolean,
  requestProblemInformation: boolean,
  userProperties,
  authenticationMethod: text,
  authenticationData: binary,
});

const willFields = shape({
  topic: topicName,
  payload,
  qos,
  retain: boolean,
  properties: shape({ ...publishProperties, willDelayInterval: integer(0, u32) }),
});

const will: Check<NonNullable<BoundaryOptions['will']>> = (value, field) => {
  const { topic, payload: bytes = new Uint8Array(), ...rest } = willFields(value, field);
  if (topic === undefined) throw bad(`${field}.topic`, 'is missing');
  if (bytes.length > u16) throw bad(`${field}.payload`, 'is longer than 65,535 bytes'); // Binary Data (3.1.3.4)
  return { topic, payload: bytes, ...rest };
};

const scramFields = shape({ username: text, password: text });

const scram: Check<Scram> = (value, field) => {
  const { username, password } = scramFields(value, field);
  if (username === undefined) throw bad(`${field}.username`, 'is missing');
  if (password === undefined) throw bad(`${field}.password`, 'is missing');
  return { username, password };
};

const queueFields = shape({
  messages: integer(1, u32),
  bytes: integer(1, Number.MAX_SAFE_INTEGER),
  policy: oneOf('reject', 'drop-oldest', 'drop-newest'),
});

/** Options that cross as they are. */
const connectFields = shape({
  clientId: text,
  username: text,
  password: binary,
  clean: boolean,
  keepalive: integer(0, u16),
  connectTimeout: integer(1, maxMilliseconds),
  reconnectPeriod: integer(0, maxMilliseconds),
  maxReconnectPeriod: integer(1, maxMilliseconds),
  reconnectOnConnackError: boolean,
  resubscribe: boolean,
  subscribeBatchSize: integer(1, u16),
  sessionLost: oneOf('reject', 'republish'),
  autoAssignTopicAlias: boolean,
  packetEvents: boolean,
  properties: connectProperties,
  will,
});

/** Options that others depend on. */
const decidingFields = shape({
  offlineQueue: ((value, field) =>
    typeof value === 'boolean' ? value : queueFields(value, field)) satisfies Check<boolean | WireQueue>,
  queueQoSZero: boolean,
  store: oneOf('indexeddb'),
});

const callbackFields = shape({
  transformWsUrl: callback as Check<NonNullable<ConnectOptions['transformWsUrl']>>,
  credentials: callback as Check<() => unknown>,
  authenticate: callback as Check<(step: AuthStep) => unknown>,
  scram,
});

/** An absolute address of a file, as text. */
const fileUrl: Check<string> = (value, field) => {
  if (!(value instanceof URL)) text(value, field);
  // Relative to <base>, if there is one, as the addresses of a page's own workers are.
  const base = globalThis.document?.baseURI ?? globalThis.location?.href;
  if (value === '' || !URL.canParse(String(value), base)) {
    throw bad(field, 'must be an address, absolute or relative to the page');
  }
  return new URL(String(value), base).href;
};

const localFields = shape({
  signal,
  worker: boolean,
  workerUrl: fileUrl,
  sharedWorkerUrl: fileUrl,
  wasmUrl: fileUrl,
  shared: boolean,
  whenTabCloses: oneOf('unsubscribe', 'keep'),
  protocolVersion: (value, field) => {
    if (value !== 5) throw bad(field, 'must be 5: this client speaks MQTT 5 only');
    return value;
  },
  WebSocket: callback as Check<unknown> as Check<typeof WebSocket>,
});

export interface Scram {
  username: string;
  password: string;
}

/** Functions of the caller. What they return is not validated yet. */
export interface Callbacks {
  transformWsUrl?: (url: string) => unknown;
  credentials?: () => unknown;
  authenticate?: (step: AuthStep) => unknown;
  /** Takes the place of `authenticate`. */
  scram?: Scram;
}

export interface Settings {
  /** Has no `clientId` only if `shared`, so that the options of tabs that gave none are equal. */
  boundary: BoundaryOptions & JoinOptions;
  callbacks: Callbacks;
  worker: boolean;
  shared: boolean;
  /** Absolute. */
  workerUrl?: string;
  sharedWorkerUrl?: string;
  wasmUrl?: string;
  WebSocket?: typeof WebSocket;
  signal?: AbortSignal;
}

type Page = typeof globalThis.location;

export function connectSettings(
  first: string | URL | ConnectOptions,
  second: ConnectOptions = {},
  page = globalThis.location,
): Settings {
  const given = typeof first === 'string' || first instanceof URL ? withUrl(first, second) : first;
  const {
    protocolVersion: _,
    worker = true,
    shared = false,
    whenTabCloses,
    ...local
  } = localFields(given, '');
  if (shared && !worker) throw bad('shared', 'needs a worker, and worker is false');
  if (local.WebSocket && worker && typeof Worker !== 'undefined') {
    throw bad('WebSocket', 'does not reach the worker; give worker: false too');
  }
  if (whenTabCloses !== undefined && !shared) throw bad('whenTabCloses', 'needs shared: true');
  if (shared) checkSharedWorker(local, page);
  const { url, servers, username, password } = addresses(given, page);
  const options = connectFields(
    {
      ...given,
      clientId: given.clientId ?? (shared ? undefined : randomClientId()),
      username: given.username ?? username,
      password: given.password ?? password,
    },
    '',
  );
  const boundary: Settings['boundary'] = {
    ...options,
    url,
    ...(servers.length > 0 && { servers }),
    ...(whenTabCloses !== undefined && { whenTabCloses }),
  };
  limitBackOff(boundary);
  const { transformWsUrl, ...callbacks } = callbackFields(given, '');
  checkAuthentication(boundary, callbacks);
  const { store, offlineQueue = store !== undefined, queueQoSZero: qos0 } = decidingFields(given, '');
  if (store !== undefined) keepSession(boundary, given.clientId);
  if (offlineQueue !== false) {
    const bounds = offlineQueue === true ? {} : offlineQueue;
    boundary.queue = { offline: true, ...bounds, ...(qos0 !== undefined && { qos0 }) };
  }
  return {
    boundary,
    callbacks: {
      ...callbacks,
      ...(transformWsUrl && { transformWsUrl: (url: string) => transformWsUrl(url, given) }),
    },
    worker,
    shared,
    ...local,
  };
}

function withUrl(url: string | URL, options: ConnectOptions): ConnectOptions {
  const { url: another = url } = { ...options };
  if (String(another) !== String(url)) throw bad('url', 'must not be given twice: it is the first argument');
  return { ...options, url };
}

function checkSharedWorker({ workerUrl, sharedWorkerUrl }: Partial<Settings>, page: Page): void {
  if (sharedWorkerUrl === undefined) {
    // Otherwise tabs would silently not share.
    if (workerUrl !== undefined) {
      throw bad('sharedWorkerUrl', 'is missing: shared needs it beside workerUrl');
    }
  } else if (page !== undefined && new URL(sharedWorkerUrl).origin !== page.origin) {
    throw bad('sharedWorkerUrl', `must be of the page's own origin, ${page.origin}`);
  }
}

/** The first address, and the others. Without `url` or its parts, all come from `servers`. */
function addresses(given: ConnectOptions, page: Page): Address & { servers: string[] } {
  const { url, host, hostname, protocol, path, servers = [] } = given;
  if (!Array.isArray(servers)) throw bad('servers', 'must be an array of addresses');
  const common = { ...(protocol !== undefined && { protocol }), ...(path !== undefined && { path }) };
  const all = Array.from(servers, (server: unknown, index) => serverAddress(server, index, page, common));
  const own = all.length === 0 || url !== undefined || host !== undefined || hostname !== undefined;
  if (own) all.unshift(resolveAddress(given, page));
  else refuseUnused(given, servers.some(isParts));
  const first = all[0] as Address;
  for (const [index, other] of all.entries()) {
    // All have the same credentials.
    const { username = first.username, password = first.password } = other;
    if (username === first.username && password === first.password) continue;
    throw bad(`servers[${own ? index - 1 : index}]`, 'has other credentials than the first address');
  }
  const [, ...others] = new Set(all.map((one) => one.url));
  return { ...first, servers: others };
}

function serverAddress(server: unknown, index: number, page: Page, common: Partial<Parts>): Address {
  const field = `servers[${index}]`;
  if (!isParts(server)) return parseAddress(server, page, field);
  return resolveAddress(server.url === undefined ? { ...common, ...server } : server, page, `${field}.`);
}

function isParts(server: unknown): server is Parts {
  return typeof server === 'object' && server !== null && !(server instanceof URL);
}

/** Refuses parts of an address that would have no effect, since all of `servers` are whole addresses. */
function refuseUnused(given: ConnectOptions, common: boolean): void {
  for (const part of common ? (['port'] as const) : (['port', 'protocol', 'path'] as const)) {
    if (given[part] !== undefined) throw bad(part, 'must be given in each entry of servers');
  }
}

function limitBackOff(boundary: BoundaryOptions): void {
  const { reconnectPeriod = defaultReconnectPeriod, maxReconnectPeriod } = boundary;
  if (maxReconnectPeriod === undefined) {
    if (reconnectPeriod > defaultMaxReconnectPeriod) boundary.maxReconnectPeriod = reconnectPeriod;
  } else if (maxReconnectPeriod < reconnectPeriod) {
    throw bad('maxReconnectPeriod', `must be at least reconnectPeriod, which is ${reconnectPeriod}`);
  }
}

function checkAuthentication(boundary: BoundaryOptions, { authenticate, scram }: Callbacks): void {
  const { authenticationMethod, authenticationData } = boundary.properties ?? {};
  if (scram) {
    if (authenticate || authenticationMethod !== undefined || authenticationData) {
      throw bad(
        'scram',
        'must not be given together with authenticate, authenticationMethod or authenticationData',
      );
    }
    boundary.properties = { ...boundary.properties, authenticationMethod: 'SCRAM-SHA-256' };
  }
  if (authenticate && authenticationMethod === undefined) {
    throw bad('properties.authenticationMethod', 'is missing, and authenticate needs it');
  }
  if (authenticate && authenticationData) {
    throw bad('properties.authenticationData', 'must not be given: authenticate gives the data');
  }
  // (3.1.2.11.10)
  if (authenticationData && authenticationMethod === undefined) {
    throw bad('properties.authenticationData', 'needs properties.authenticationMethod');
  }
}

/** Checks and sets what a session that outlives the page needs, and its name. */
function keepSession(boundary: BoundaryOptions, clientId: string | undefined): void {
  if (!clientId) throw bad('clientId', 'is missing: a store belongs to one, so give the same each time');
  if (boundary.clean) throw bad('clean', 'must not be true with a store, which keeps the session');
  if (boundary.properties?.sessionExpiryInterval === 0) {
    throw bad('properties.sessionExpiryInterval', 'must not be 0 with a store, which keeps the session');
  }
  const { origin, pathname } = new URL(boundary.url);
  // Without the query, which may hold a signature that changes each time.
  boundary.store = `mqttwasm ${JSON.stringify([origin + pathname, clientId])}`;
  boundary.clean = false;
  boundary.sessionLost ??= 'republish';
  boundary.properties = { sessionExpiryInterval: defaultStoredExpiry, ...boundary.properties };
}

/** At most 23 bytes, which every broker must accept [MQTT-3.1.3-5]. */
function randomClientId(): string {
  const random = crypto.getRandomValues(new Uint8Array(6));
  return `mqttwasm_${Array.from(random, (byte) => byte.toString(16).padStart(2, '0')).join('')}`;
}
