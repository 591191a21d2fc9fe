/** What callers give, checked and brought into the form that crosses the boundary. */

import type {
  BoundaryOptions,
  DisconnectCall,
  CallOptions as Limits,
  PublishCall,
  QoS,
  SubscribeCall,
  WireSubscription,
} from '../worker/messages';
import {
  bad,
  binary,
  boolean,
  type Check,
  integer,
  maxMilliseconds,
  payload,
  qos,
  shape,
  signal,
  text,
  timeout,
  u16,
  u32,
  userProperties,
} from './check';
import { topicName } from './topics';
import type { ConnectOptions } from './types';
import { resolveAddress } from './url';

export const defaultTimeout = 30_000;
const defaultHighWaterMark = 10_000;

const publishProperties = {
  payloadFormatIndicator: boolean,
  messageExpiryInterval: integer(0, u32),
  topicAlias: integer(1, u16), // 0 is not permitted [MQTT-3.3.2-8]
  responseTopic: topicName, // [MQTT-3.3.2-14]
  correlationData: binary,
  userProperties,
  contentType: text,
};

const limits = { timeout, signal };

const connectProperties = shape({
  sessionExpiryInterval: integer(0, u32),
  receiveMaximum: integer(1, u16), // 0 is a Protocol Error (3.1.2.11.3)
  maximumPacketSize: integer(1, u32), // and here (3.1.2.11.4)
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

const connectFields = {
  clientId: text,
  username: text,
  password: binary,
  clean: boolean,
  keepalive: integer(0, u16),
  connectTimeout: integer(1, maxMilliseconds),
  reconnectPeriod: integer(0, maxMilliseconds),
  resubscribe: boolean,
  properties: connectProperties,
  will,
};

const localFields = shape({
  signal,
  worker: boolean,
  shared: boolean,
  protocolVersion: (value, field) => {
    if (value !== 5) throw bad(field, 'must be 5: this client speaks MQTT 5 only');
    return value;
  },
  WebSocket: (value, field) => {
    if (typeof value !== 'function') throw bad(field, 'must be a WebSocket class');
    return value as typeof WebSocket;
  },
});

export interface Settings {
  boundary: BoundaryOptions;
  worker: boolean;
  shared: boolean;
  WebSocket?: typeof WebSocket;
  signal?: AbortSignal;
}

export function connectSettings(
  first: string | URL | ConnectOptions,
  second: ConnectOptions = {},
  page = globalThis.location,
): Settings {
  const given = typeof first === 'string' || first instanceof URL ? { ...second, url: first } : first;
  const { protocolVersion: _, worker = true, shared = false, ...local } = localFields(given, '');
  const { url, username, password } = resolveAddress(given, page);
  const options = shape(connectFields)(
    {
      ...given,
      clientId: given.clientId ?? (shared ? undefined : randomClientId()),
      username: given.username ?? username,
      password: given.password ?? password,
    },
    '',
  );
  const { properties } = options;
  if (properties?.authenticationData && properties.authenticationMethod === undefined) {
    // (3.1.2.11.10)
    throw bad('properties.authenticationData', 'needs properties.authenticationMethod');
  }
  return { boundary: { ...options, url } as Settings['boundary'], worker, shared, ...local };
}

/** At most 23 bytes, which every broker must take [MQTT-3.1.3-5]. */
function randomClientId(): string {
  const random = crypto.getRandomValues(new Uint8Array(6));
  return `mqttwasm_${Array.from(random, (byte) => byte.toString(16).padStart(2, '0')).join('')}`;
}

/** A call's time limit, 30 seconds when it states none. */
export type Limited<T> = T & Limits & { timeout: number };

const publishFields = shape({ ...limits, qos, retain: boolean, properties: shape(publishProperties) });

export function publishCall(options: unknown = {}): Limited<PublishCall> {
  return { timeout: defaultTimeout, ...publishFields(options, '') };
}

export interface SubscribeSettings {
  call: Limited<SubscribeCall>;
  subscription: Omit<WireSubscription, 'topic'>;
  highWaterMark: number;
}

const subscribeFields = shape({
  ...limits,
  qos,
  nl: boolean,
  rap: boolean,
  rh: integer(0, 2) as Check<QoS>,
  properties: shape({ subscriptionIdentifier: integer(1, 268_435_455), userProperties }),
  highWaterMark: integer(1, u32),
});

export function subscribeSettings(options: unknown = {}): SubscribeSettings {
  const checked = subscribeFields(options, '');
  const { qos: granted = 0, nl, rap, rh, highWaterMark = defaultHighWaterMark, ...call } = checked;
  const subscription: SubscribeSettings['subscription'] = { qos: granted };
  if (nl !== undefined) subscription.nl = nl;
  if (rap !== undefined) subscription.rap = rap;
  if (rh !== undefined) subscription.rh = rh;
  return { call: { timeout: defaultTimeout, ...call }, subscription, highWaterMark };
}

const callFields = shape(limits);

export function plainCall(options: unknown = {}): Limited<object> {
  return { timeout: defaultTimeout, ...callFields(options, '') };
}

const endFields = shape({
  ...limits,
  reasonCode: integer(0, 255),
  reasonString: text,
  properties: shape({ sessionExpiryInterval: integer(0, u32), userProperties }),
});

export function endCall(options: unknown = {}): Limited<DisconnectCall> {
  const { properties, ...rest } = endFields(options, '');
  return { timeout: defaultTimeout, ...rest, ...properties };
}
