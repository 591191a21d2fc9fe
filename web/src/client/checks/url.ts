import type { ConnectOptions } from '../types';
import { bad, integer, text, u16 } from './rules';

export interface Address {
  /** Absolute, `ws:` or `wss:`, without credentials. */
  url: string;
  username?: string;
  password?: string;
}

type Page = Pick<Location, 'href' | 'protocol'>;
type Parts = Pick<ConnectOptions, 'url' | 'protocol' | 'host' | 'hostname' | 'port' | 'path'>;

/** Protocols that somebody who knows MQTT elsewhere may write, and whether they mean TLS. */
const elsewhere: Record<string, boolean> = {
  'mqtt:': false,
  'tcp:': false,
  'http:': false,
  'mqtts:': true,
  'ssl:': true,
  'tls:': true,
  'https:': true,
};

/** `page` is where relative addresses start, and what mixed content is judged by. */
export function resolveAddress(
  parts: Parts,
  page: Page | undefined = globalThis.location,
  prefix = '',
): Address {
  if (parts.url !== undefined) return parseAddress(parts.url, page, `${prefix}url`);
  const field = parts.host === undefined ? `${prefix}hostname` : `${prefix}host`;
  return parseAddress(assemble(parts, page, prefix, field), page, field);
}

/** A whole address, given as `field`. */
export function parseAddress(
  given: unknown,
  page: Page | undefined = globalThis.location,
  field = 'url',
): Address {
  const url = parse(given, page, field);
  if (url.hash !== '' || String(given).includes('#')) {
    throw bad(field, 'must not have a fragment (#…); write # in a path as %23');
  }
  refuseMixedContent(url, page, field);
  const address: Address = { url: '' };
  if (url.username !== '') address.username = decode(url.username, field);
  if (url.password !== '') address.password = decode(url.password, field);
  // Browsers refuse a WebSocket address with credentials in it.
  url.username = '';
  url.password = '';
  address.url = url.href;
  return address;
}

function assemble(parts: Parts, page: Page | undefined, prefix: string, field: string): string {
  const { protocol = page?.protocol === 'https:' ? 'wss' : 'ws', path = '/' } = parts;
  const bare = typeof protocol === 'string' ? protocol.replace(/:$/, '') : undefined;
  if (bare !== 'ws' && bare !== 'wss')
    throw bad(`${prefix}protocol`, 'must be ws or wss: browsers reach nothing else');
  const host = parts.host === undefined ? parts.hostname : parts.host;
  if (host === undefined)
    throw bad(`${prefix}url`, 'is missing; give a ws: or wss: address, or host, port and path');
  if (!/^(\[[\da-f:.]+\]|[^\s/?#@:[\]]+)(:\d+)?$/i.test(text(host, field))) {
    throw bad(field, `is not a host name: ${JSON.stringify(host)}`);
  }
  const port = parts.port === undefined ? '' : `:${integer(1, u16)(parts.port, `${prefix}port`)}`;
  const name = port === '' ? host : host.replace(/:\d+$/, '');
  if (text(path, `${prefix}path`).includes('#')) throw bad(`${prefix}path`, 'must not have a #; write %23');
  return `${bare}://${name}${port}/${path.replace(/^\//, '')}`;
}

function parse(given: unknown, page: Page | undefined, field: string): URL {
  if (typeof given !== 'string' && !(given instanceof URL)) throw bad(field, 'must be a string or a URL');
  const written = String(given).trim();
  // `localhost:8080/mqtt` is, by the letter, an address of protocol `localhost:`.
  const scheme = /^([a-z][a-z\d+.-]*:)(?!\d)/i.exec(written)?.[1]?.toLowerCase();
  // A host's name without a protocol would be taken for a path on this server.
  if (scheme === undefined && written !== '' && !/^\.{0,2}\//.test(written)) {
    const host = /^[\w.-]+(:\d+)?(\/\S*)?$/.test(written);
    throw bad(
      field,
      host ? `has no protocol; write ws://${written}` : `is not an address: ${JSON.stringify(written)}`,
    );
  }
  if (written === '') throw bad(field, 'is empty');
  let url: URL;
  try {
    url = new URL(written, scheme === undefined ? page?.href : undefined);
  } catch {
    throw bad(
      field,
      `is not an address: ${JSON.stringify(written)}; write, for example, ws://127.0.0.1:8080/mqtt`,
    );
  }
  // The URL parser lets http: become ws: for a relative address.
  if (scheme === undefined) url.protocol = url.protocol === 'https:' ? 'wss:' : 'ws:';
  if (url.protocol === 'ws:' || url.protocol === 'wss:') return url;
  const secure = elsewhere[url.protocol];
  if (secure === undefined) throw bad(field, `must begin with ws: or wss:, not ${url.protocol}`);
  throw bad(
    field,
    `browsers reach a broker only over ws: and wss:, not ${url.protocol}; write ${suggest(url, secure)}`,
  );
}

/** The same place as a WebSocket address, as far as one can tell. */
function suggest(url: URL, secure: boolean): string {
  const protocol = secure ? 'wss' : 'ws';
  if (url.protocol.startsWith('http')) return `${protocol}://${url.host}${url.pathname}`;
  return `${protocol}://${url.hostname}:PORT/mqtt with the broker's WebSocket port, often ${secure ? 8084 : 8083}`;
}

function refuseMixedContent(url: URL, page: Page | undefined, field: string): void {
  if (page?.protocol !== 'https:' || url.protocol !== 'ws:' || isLoopback(url.hostname)) return;
  throw bad(
    field,
    `a page that came over https may not open ${url.origin} (mixed content); use a wss: address`,
  );
}

function isLoopback(hostname: string): boolean {
  return /^(localhost|.*\.localhost|127(\.\d+){3}|\[::1\])$/.test(hostname);
}

function decode(part: string, field: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    throw bad(field, 'has credentials that are not percent-encoded UTF-8');
  }
}
