/** The exports of MQTT.js. */

import type { MqttError } from '../client/errors';
import { ReasonCodes } from '../client/reason-codes';
import { MqttClient } from './client';
import type { IClientOptions } from './types';

type Address = string | URL | IClientOptions;
/** Returns at once; `connect` is an event. Throws `bad-option` for invalid options. */
export function connect(address: Address, options?: IClientOptions): MqttClient {
  const alone = typeof address === 'object' && !(address instanceof URL);
  return new MqttClient(alone ? { ...address, ...options } : { ...options, url: address });
}

/**
 * Resolves when connected, or when the client has been ended; rejects at the
 * first `error`, and without `allowRetries` also when the first attempt fails.
 */
export function connectAsync(address: Address, options?: IClientOptions, allowRetries = true) {
  return new Promise<MqttClient>((resolve, reject) => {
    const client = connect(address, options);
    const settle = (error?: MqttError): void => {
      client.off('connect', succeed).off('end', succeed).off('error', settle).off('close', close);
      if (error) reject(error);
      else resolve(client);
      if (error) client.end(true);
    };
    const succeed = (): void => settle();
    const close = (error: MqttError | undefined): void => {
      if (error && !(allowRetries && client.reconnecting)) settle(error);
    };
    client.on('connect', succeed).on('end', succeed).on('error', settle).on('close', close);
  });
}

export { MqttError, type MqttErrorCode } from '../client/errors';
export type { Bytes } from './bytes';
export type * from './types';
export { MqttClient, MqttClient as Client, ReasonCodes };
