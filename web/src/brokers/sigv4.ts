/** AWS IoT Core over WebSocket: addresses signed by Signature Version 4. */

import type { ConnectOptions } from '../client/index';
import { bad, encode, resolved, type Source } from './source';

/** As AWS' SDKs have them. */
export interface AwsCredentials {
  accessKeyId: string;
  secretAccessKey: string;
  /** Of temporary credentials, such as those of Cognito or STS. */
  sessionToken?: string | undefined;
}

export interface Signing {
  /** Asked at each attempt where it is a function, such as a credential provider of AWS' SDK. */
  credentials: Source<AwsCredentials>;
  /** Such as `eu-west-1`. Default: what the host's name says. */
  region?: string;
  /** Default `iotdevicegateway`. */
  service?: string;
  /** Seconds for which an address may be dialled; a connection lasts longer. Default 900. */
  expires?: number;
  /** Milliseconds since 1970, for clocks that are known to be wrong. Default `Date.now`. */
  now?: () => number;
}

/**
 * The options of a client whose address is signed anew at each attempt. Throws an
 * `MqttError` of code `bad-option`; what is wrong with credentials that a function
 * gives fails the attempt.
 */
export function sigV4(options: ConnectOptions, signing: Signing): ConnectOptions {
  const { credentials, region, expires = 900 } = signing;
  if (!credentials) throw bad('credentials', 'is missing');
  if (typeof credentials !== 'function') check(credentials);
  if (region !== undefined && !/^[a-z\d-]+$/.test(region)) throw bad('region', 'must be like eu-west-1');
  if (!(expires >= 1 && expires <= 604_800)) throw bad('expires', 'must be 1 to 604,800 seconds');
  return {
    ...options,
    async transformWsUrl(url, all) {
      const own = (await options.transformWsUrl?.(url, all)) ?? url;
      return presign(own, check(await resolved(credentials)), signing);
    },
  };
}

function check(credentials: AwsCredentials): AwsCredentials {
  for (const name of ['accessKeyId', 'secretAccessKey'] as const) {
    if (typeof credentials?.[name] !== 'string' || credentials[name] === '') throw bad(name, 'is missing');
  }
  return credentials;
}

/** The region in the name of an AWS IoT endpoint, one in China or of a VPC too; undefined of other hosts. */
export function regionOf(host: string): string | undefined {
  const [, region] = /\.iot(?:-fips)?\.([a-z\d-]+)\.(?:vpce\.)?amazonaws\.com(?:\.cn)?$/.exec(host) ?? [];
  return region;
}

const utf8 = (text: string) => new TextEncoder().encode(text);
const hex = (bytes: ArrayBuffer) =>
  Array.from(new Uint8Array(bytes), (byte) => byte.toString(16).padStart(2, '0')).join('');
const sha256 = async (text: string) => hex(await crypto.subtle.digest('SHA-256', utf8(text)));

async function hmac(key: BufferSource, text: string): Promise<ArrayBuffer> {
  const hash = { name: 'HMAC', hash: 'SHA-256' };
  const imported = await crypto.subtle.importKey('raw', key, hash, false, ['sign']);
  return crypto.subtle.sign('HMAC', imported, utf8(text));
}

async function presign(address: string, credentials: AwsCredentials, signing: Signing): Promise<string> {
  const url = new URL(address);
  const { region = regionOf(url.hostname), service = 'iotdevicegateway', expires = 900 } = signing;
  const { accessKeyId, secretAccessKey, sessionToken } = credentials;
  if (region === undefined) throw bad('region', `is missing, and ${url.hostname} does not name one`);
  if (!globalThis.crypto?.subtle) {
    throw new Error('browsers sign only for pages of https: and of this very machine (crypto.subtle)');
  }
  const now = new Date((signing.now ?? Date.now)()).toISOString().replace(/[-:]|\.\d+/g, '');
  const day = now.slice(0, 8);
  const scope = `${day}/${region}/${service}/aws4_request`;

  const query = [
    ...url.searchParams,
    ['X-Amz-Algorithm', 'AWS4-HMAC-SHA256'],
    ['X-Amz-Credential', `${accessKeyId}/${scope}`],
    ['X-Amz-Date', now],
    ['X-Amz-Expires', String(expires)],
    ['X-Amz-SignedHeaders', 'host'],
  ].map(([name = '', value = '']) => [encode(name), encode(value)] as const);
  // By code point, and by value where names are the same.
  query.sort(([a, b], [c, d]) => (a < c || (a === c && b < d) ? -1 : 1));
  const canonicalQuery = query.map((pair) => pair.join('=')).join('&');
  const canonicalPath = url.pathname.split('/').map(encode).join('/');
  const emptyBody = await sha256('');
  const request = ['GET', canonicalPath, canonicalQuery, `host:${url.host}`, '', 'host', emptyBody].join(
    '\n',
  );
  const toSign = ['AWS4-HMAC-SHA256', now, scope, await sha256(request)].join('\n');

  let key: BufferSource = utf8(`AWS4${secretAccessKey}`);
  for (const part of [day, region, service, 'aws4_request']) key = await hmac(key, part);
  const signature = hex(await hmac(key, toSign));

  // AWS IoT wants the session's token behind what is signed.
  const token = sessionToken ? `&X-Amz-Security-Token=${encode(sessionToken)}` : '';
  url.search = `${canonicalQuery}&X-Amz-Signature=${signature}${token}`;
  return url.href;
}
