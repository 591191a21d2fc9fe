/** Tokens: where they come from, and when they expire. */

import { bad, type Source } from './source';

/** A token, alone or with its expiry. A JWT contains its own. */
export type Token = string | { token: string /** Milliseconds since 1970. */; expiresAt?: number };

export type TokenSource = Source<Token>;

export interface TokenRequest extends Omit<RequestInit, 'signal'> {
  /** The member of a JSON answer that is the token. Default: `access_token`, `token`, `id_token` or `password`. */
  member?: string;
  /** Milliseconds until the whole answer has arrived. Default 10,000. */
  timeout?: number;
}

/** Bytes of an answer. */
const largest = 65_536;
const members = ['access_token', 'token', 'id_token', 'password'];

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}

/**
 * A function that fetches a token from `url` at each call: text, a JSON string, or JSON as OAuth
 * 2.0 has it, with `expires_in` in seconds (RFC 6749, 5.1). It rejects with an Error that says why
 * there is none, without the query and user name of the address. Throws an `MqttError` of code
 * `bad-option`.
 */
export function tokenFrom(
  url: string | URL,
  request: TokenRequest = {},
): () => Promise<{ token: string; expiresAt?: number }> {
  const base = globalThis.location?.href;
  const target = URL.canParse(String(url), base) ? new URL(url, base) : undefined;
  if (!target || !/^https?:$/.test(target.protocol)) throw bad('url', 'must be an http: or https: address');
  const { member, timeout = 10_000, ...init } = request;
  const place = target.origin + target.pathname;
  const fail = (why: string, cause?: unknown) => new Error(`the token of ${place} ${why}`, { cause });

  return async () => {
    const askedAt = Date.now();
    let text: string;
    let status: number;
    try {
      // A cached token may have expired.
      const response = await fetch(target, {
        cache: 'no-store',
        referrerPolicy: 'no-referrer',
        ...init,
        signal: AbortSignal.timeout(timeout),
      });
      status = response.status;
      text = response.ok ? await textOf(response) : '';
    } catch (cause) {
      if ((cause as Error).name === 'TimeoutError') throw fail(`did not arrive within ${timeout} ms`, cause);
      if (cause instanceof RangeError) throw fail(`is longer than ${largest} bytes`, cause);
      const why =
        'could not be fetched: the server cannot be reached, or does not let this page read the answer (CORS)';
      throw fail(why, cause);
    }
    if (status < 200 || status > 299) throw fail(`was refused with status ${status}`);
    return read(text.trim(), askedAt);
  };

  function read(text: string, askedAt: number): { token: string; expiresAt?: number } {
    if (text.startsWith('<')) throw fail('is a web page instead, perhaps a login page');
    let value: unknown = text;
    try {
      if (/^[{"]/.test(text)) value = JSON.parse(text);
    } catch (cause) {
      throw fail('is neither text nor JSON', cause);
    }
    if (!isRecord(value)) value = { token: value };
    const answer = value as Record<string, unknown>;
    const names = member === undefined ? members : [member];
    const token = names.map((name) => answer[name]).find((one) => typeof one === 'string' && one !== '');
    if (typeof token !== 'string') throw fail(`is not in the answer, which has no ${names.join(', ')}`);
    const seconds = Number(answer.expires_in);
    return seconds > 0 ? { token, expiresAt: askedAt + seconds * 1000 } : { token };
  }
}

/** Throws a RangeError if it is longer than any token. */
async function textOf(response: Response): Promise<string> {
  const decoder = new TextDecoder();
  const reader = response.body?.getReader();
  let text = '';
  for (let size = 0; reader; ) {
    const { done, value } = await reader.read();
    if (done) break;
    size += value.length;
    if (size > largest) {
      await reader.cancel();
      throw new RangeError('too long');
    }
    text += decoder.decode(value, { stream: true });
  }
  return text + decoder.decode();
}

/**
 * When a JWT expires, in milliseconds since 1970: its claim `exp` (RFC 7519, 4.1.4). Undefined if
 * there is none, or the token is not a JWT. Nothing is verified.
 */
export function expiryOf(token: string): number | undefined {
  try {
    const [, claims = ''] = token.split('.');
    const { exp }: { exp?: unknown } = JSON.parse(atob(claims.replaceAll('-', '+').replaceAll('_', '/')));
    return typeof exp === 'number' && Number.isFinite(exp) ? exp * 1000 : undefined;
  } catch {
    return undefined;
  }
}
