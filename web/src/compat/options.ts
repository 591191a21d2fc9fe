import { defaultTimeout } from '../client/checks/calls';
import { connectSettings, defaultReconnectPeriod } from '../client/checks/options';
import { bad, boolean, shape, text } from '../client/checks/rules';
import type { ConnectOptions } from '../client/types';
import type { IClientOptions } from './types';

/** Options of MQTT.js that must not be ignored silently, and what to do instead. */
const missing: Record<string, string> = {
  createWebsocket: 'give the class itself as WebSocket, with worker: false',
  wsOptions: 'in Node give a WebSocket class that sets them, with worker: false',
  incomingStore: "give store: 'indexeddb'",
  outgoingStore: "give store: 'indexeddb'",
  customHandleAcks: 'refuse at the broker, or acknowledge late with a handler of the mqttwasm API',
  messageIdProvider: 'this client numbers packets itself',
  authPacket: 'give authenticate or scram',
  signal: 'call end()',
};
const ownFields = shape({ auth: text, query: shape({}), manualConnect: boolean });
/**
 * Session Expiry Interval of a session that never expires, as with `clean: false` in MQTT 3.1.1
 * (MQTT 5, 3.1.2.11.2).
 */
const neverExpires = 0xffff_ffff;
export type ClientOptions = IClientOptions & { keepalive: number; queueQoSZero: boolean };
/** Fills in the defaults. Throws `bad-option`. */
export function clientOptions(asked: IClientOptions): ClientOptions {
  // Programs pass options that may be unset: undefined and null count as not given.
  const all: IClientOptions = Object.fromEntries(Object.entries(asked).filter(([, value]) => value != null));
  for (const [name, instead] of Object.entries(missing)) {
    if (name in all) throw bad(name, `is not supported; ${instead}`);
  }
  ownFields(all, '');
  const { auth, query, ...rest } = all;
  const [, username, password] = /^(.+?)(?::([^:]+))?$/s.exec(auth ?? '') ?? [];
  const given: IClientOptions = { ...rest, ...(query && withQuery(rest, query)) };
  if (username !== undefined) given.username = username;
  if (password !== undefined) given.password = password;
  if (given.clean === false && !given.clientId) throw bad('clientId', 'is missing; clean: false needs it');
  const keepsSession = given.clean === false && given.store === undefined;
  const options = {
    ...{ keepalive: 60, connectTimeout: defaultTimeout, reconnectPeriod: defaultReconnectPeriod },
    ...{ offlineQueue: true, queueQoSZero: true, sessionLost: 'republish' as const },
    ...given,
    ...(keepsSession && { properties: { sessionExpiryInterval: neverExpires, ...given.properties } }),
  };
  const { clientId } = connectSettings(options as unknown as ConnectOptions).boundary;
  return { ...options, ...(clientId !== undefined && { clientId }) };
}

function withQuery({ url, path = '/' }: IClientOptions, query: Record<string, string>): IClientOptions {
  const { clientId } = query;
  const place = String(url ?? path);
  const whole = `${place}${place.includes('?') ? '&' : '?'}${new URLSearchParams(query)}`;
  return { ...(url === undefined ? { path: whole } : { url: whole }), ...(clientId && { clientId }) };
}
