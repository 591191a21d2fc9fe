/** JSON Web Tokens by enhanced authentication (4.12), as Azure Event Grid accepts them. */

import type { Client, ConnectOptions, MqttError } from '../client/index';
import { bad, resolved } from './source';
import { expiryOf, type TokenSource } from './token';

export interface Jwt {
  /** If it is a function, it is called at each attempt and each renewal. */
  token: TokenSource;
  /** Default `OAUTH2-JWT`; for issuers other than Microsoft Entra ID Event Grid has `CUSTOM-JWT`. */
  method?: string;
}

export interface Renewal {
  options: ConnectOptions;
  /**
   * Authenticates the client again before its token expires, until the client ends or the returned
   * function is called. `failed` is called with the reason why a renewal failed; another one
   * follows while there is a connection.
   */
  renew(client: Client, failed?: (error: MqttError) => void): () => void;
}

/** Milliseconds: the earliest renewal. The latest is what a timer can count. */
const soonest = 30_000;
const latest = 2 ** 31 - 1;
/** The remaining part of a token's lifetime at which it is renewed: a fifth, but at most five minutes. */
const part = 0.2;
const most = 300_000;

/**
 * The options of a client that sends the token as authentication data, and `renew`. A token without
 * a known expiry is not renewed. Throws an `MqttError` of code `bad-option`.
 */
export function jwt(options: ConnectOptions, { token, method = 'OAUTH2-JWT' }: Jwt): Renewal {
  if (!token) throw bad('token', 'is missing');
  if (method === '') throw bad('method', 'must not be empty');
  let expiresAt: number | undefined;

  async function fresh(): Promise<string> {
    const given = await resolved(token);
    const { token: text, expiresAt: told } = typeof given === 'string' ? { token: given } : given;
    if (typeof text !== 'string' || text === '') throw bad('token', 'is missing');
    expiresAt = told ?? expiryOf(text);
    return text;
  }

  function renew(client: Client, failed: (error: MqttError) => void = () => {}): () => void {
    let timer: ReturnType<typeof setTimeout> | undefined;

    function plan(): void {
      clearTimeout(timer);
      if (expiresAt === undefined || !client.connected) return;
      const left = expiresAt - Date.now();
      const wait = Math.max(soonest, left - Math.min(most, left * part));
      timer = setTimeout(wait > latest ? plan : () => void again(), Math.min(wait, latest));
    }

    async function again(): Promise<void> {
      if (!client.connected) return;
      try {
        await client.reauthenticate();
      } catch (error) {
        // Without a connection, events say so, and the next attempt gets a token anyway.
        if (client.connected) failed(error as MqttError);
      }
      plan();
    }

    function stop(): void {
      clearTimeout(timer);
      client.off('connect', plan).off('end', stop);
    }

    client.on('connect', plan).on('end', stop);
    plan();
    return stop;
  }

  return {
    options: {
      ...options,
      properties: { ...options.properties, authenticationMethod: method },
      authenticate: ({ phase }) => (phase === 'start' ? fresh() : undefined),
    },
    renew,
  };
}
