/** AWS IoT Core over WebSocket: addresses signed with Signature Version 4. */

import type { ConnectOptions } from '../client/index';
import { bad, encode, resolved, type Source } from './source';

/** In the form of the AWS SDKs. */
export interface AwsCredentials {
  accessKeyId: string;
  secretAccessKey: string;
  /** Of temporary credentials, such as those of Cognito or STS. */
  sessionToken?: string | undefined;
}

export interface Signing {
  /** If it is a function, such as a credential provider of the AWS SDK, it is called at each attempt. */
  credentials: Source<AwsCredentials>;
  /** Such as `eu-west-1`. Default: the region in the host name. */
  region?: string;
  /** Default `iotdevicegateway`. */
  service?: string;
  /** Seconds for which an address may be dialled; a connection lasts longer. Default 900. */
  expires?: number;
  /** Milliseconds since 1970, for clocks that are known to be wrong. Default `Date.now`. */
  now?: () => number;
}

/**
 * The options of a client whose address is signed anew at each attempt. Throws an `MqttError` of
 * code `bad-option`; if a function returns invalid credentials, the attempt fails.
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

/** The region in the name of an AWS IoT endpoint, also in China or of a VPC; undefined for other hosts. */
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
    throw new Error('browsers sign only on pages that came over https: or from this machine (crypto.subtle)');
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
  // By code point, and by value if names are the same.
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

  // AWS IoT wants the session token after the signed part.
  const token = sessionToken ? `&X-Amz-Security-Token=${encode(sessionToken)}` : '';
  url.search = `${canonicalQuery}&X-Amz-Signature=${signature}${token}`;
  return url.href;
}
