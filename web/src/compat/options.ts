import { connectSettings, defaultReconnectPeriod, defaultTimeout } from '../client/checks/options';
import { bad } from '../client/checks/rules';
import type { IClientOptions } from './types';

/** Options of MQTT.js that must not be passed over in silence, and what to do instead. */
const missing: Record<string, string> = {
  createWebsocket: 'give the class itself as WebSocket, with worker: false',
  wsOptions: 'in Node give a WebSocket class that sets them, with worker: false',
  incomingStore: "give store: 'indexeddb'",
  outgoingStore: "give store: 'indexeddb'",
  customHandleAcks: 'refuse at the broker, or acknowledge late with a handler of the mqttwasm API',
  messageIdProvider: 'this client numbers packets itself',
  signal: 'call end()',
};

/** Never: what MQTT 3.1.1, without the word, means by `clean: false` (MQTT 5, 3.1.2.11.2). */
const neverExpires = 0xffff_ffff;

/** With the defaults filled in. Throws `bad-option`, which trying again cannot mend. */
export function clientOptions(given: IClientOptions): IClientOptions & { reconnectPeriod: number } {
  for (const [name, instead] of Object.entries(missing)) {
    if ((given as Record<string, unknown>)[name] !== undefined) throw bad(name, `is not offered; ${instead}`);
  }
  const keepsSession = given.clean === false && given.store === undefined;
  const options = {
    keepalive: 60,
    connectTimeout: defaultTimeout,
    reconnectPeriod: defaultReconnectPeriod,
    offlineQueue: true,
    sessionLost: 'republish' as const,
    ...given,
    ...(keepsSession && { properties: { sessionExpiryInterval: neverExpires, ...given.properties } }),
  };
  const { clientId } = connectSettings(options).boundary;
  return { ...options, ...(clientId !== undefined && { clientId }) };
}
