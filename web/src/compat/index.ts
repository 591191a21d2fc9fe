/** MQTT.js' names, callbacks and events over this client. What differs is in docs/moving-from-mqttjs.md. */

import { createClient } from './client';
import { clientOptions } from './options';
import type { IClientOptions, MqttClient } from './types';

/** Returns at once; `connect` is an event. Throws `bad-option` for options that can't be right. */
export function connect(url: string | URL, options?: IClientOptions): MqttClient;
export function connect(options: IClientOptions): MqttClient;
export function connect(first: string | URL | IClientOptions, second?: IClientOptions): MqttClient {
  const given = typeof first === 'string' || first instanceof URL ? { ...second, url: first } : first;
  const client = createClient(clientOptions(given));
  if (!given.manualConnect) client.connect();
  return client;
}

/**
 * Resolves when connected, or when the client has been ended; rejects at the
 * first `error`, and without `allowRetries` also when the first attempt fails.
 */
export function connectAsync(
  url: string | URL,
  options?: IClientOptions,
  allowRetries = true,
): Promise<MqttClient> {
  return new Promise((resolve, reject) => {
    const client = connect(url, options);
    const stopListening = (): void => {
      client.off('connect', succeed).off('end', succeed).off('error', fail).off('close', fail);
    };
    const succeed = (): void => {
      stopListening();
      resolve(client);
    };
    const fail = (error: unknown): void => {
      stopListening();
      client.end(true);
      reject(error);
    };
    client.on('connect', succeed).on('end', succeed).on('error', fail);
    if (!allowRetries) client.on('close', fail);
  });
}

export default { connect, connectAsync };
export { MqttError, type MqttErrorCode } from '../client/errors';
export type { Bytes } from './bytes';
export type * from './types';
