/** AWS IoT Core with a custom authorizer: your own function, which decides who may connect. */

import type { ConnectOptions } from '../client/index';
import { bad, encode, resolved, type Source } from './source';

export interface Authorizer {
  /** Default: the endpoint's own. */
  name?: string | undefined;
  /** The parameter in which the authorizer expects the token. Default `token`. */
  tokenKey?: string | undefined;
  token?: string | undefined;
  /** The token's RSA signature in Base64, if AWS IoT checks it before it runs the authorizer. */
  signature?: string | undefined;
}

/**
 * The options of a client that an authorizer decides on: name, token and signature go into the
 * query of the address at each attempt. `username` and `password` of the options go to the
 * authorizer, too. Throws an `MqttError` of code `bad-option`; if a function returns something
 * invalid, the attempt fails.
 */
export function customAuthorizer(options: ConnectOptions, authorizer: Source<Authorizer>): ConnectOptions {
  if (typeof authorizer !== 'function') queryOf(authorizer);
  return {
    ...options,
    async transformWsUrl(url, all) {
      const address = new URL((await options.transformWsUrl?.(url, all)) ?? url);
      const query = queryOf(await resolved(authorizer));
      address.search = [address.search.slice(1), query].filter(Boolean).join('&');
      return address.href;
    },
  };
}

function queryOf({ name, tokenKey = 'token', token, signature }: Authorizer): string {
  if (signature && !token) throw bad('token', 'is missing: signature is the signature of it');
  if (token && tokenKey === '') throw bad('tokenKey', 'must not be empty');
  const pairs: [string, string | undefined][] = [
    ['x-amz-customauthorizer-name', name],
    [tokenKey, token],
    ['x-amz-customauthorizer-signature', decoded(signature)],
  ];
  return pairs.flatMap(([key, value]) => (value ? `${encode(key)}=${encode(value)}` : [])).join('&');
}

/** Base64 has no %, so a signature with one was encoded for an address already. */
function decoded(signature: string | undefined): string | undefined {
  try {
    return signature?.includes('%') ? decodeURIComponent(signature) : signature;
  } catch {
    throw bad('signature', 'is neither Base64 nor percent-encoded Base64');
  }
}
