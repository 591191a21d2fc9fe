import type { ConnectOptions } from '../types';
import { bad, integer, text, u16 } from './rules';

export interface Address {
  /** Absolute, `ws:` or `wss:`, without credentials. */
  url: string;
  username?: string;
  password?: string;
}

type Page = Pick<Location, 'href' | 'protocol'>;
/** What an address is made of. */
export type Parts = Pick<ConnectOptions, 'url' | 'protocol' | 'host' | 'hostname' | 'port' | 'path'>;

/** Protocols that are used for MQTT outside browsers; those in the group mean TLS. */
const elsewhere = /^(?:mqtt|tcp|http|(mqtts|ssl|tls|https)):$/;

/**
 * The address of the parts. Beside a `url` each of the others replaces that part of
 * it, as in MQTT.js. `page` is where relative addresses start, and what mixed
 * content is judged by.
 */
export function resolveAddress(
  parts: Parts,
  page: Page | undefined = globalThis.location,
  prefix = '',
): Address {
  const { url: whole, protocol, hostname, host = hostname, port, path } = parts;
  if (hostname !== undefined && hostname !== host && hostname !== nameOf(host)) {
    throw bad(`${prefix}hostname`, 'must not differ from host, which means the same');
  }
  const hostField = `${prefix}${parts.host === undefined ? 'hostname' : 'host'}`;
  if (whole === undefined) return parseAddress(assemble(parts, page, prefix, hostField), page, hostField);
  const field = `${prefix}url`;
  const base = parse(whole, page, field, protocol === undefined ? undefined : protocolOf(protocol, prefix));
  if (host === undefined && port === undefined && path === undefined) return finish(base, page, field);
  const merged = {
    protocol: base.protocol as 'ws',
    host: host === undefined ? base.hostname : host,
    // A host that includes a port uses that one.
    port: port === undefined && base.port !== '' && host === nameOf(host) ? Number(base.port) : port,
    path: path === undefined ? base.pathname + base.search : path,
  };
  const changed = parse(assemble(merged, page, prefix, hostField), page, field);
  changed.username = base.username;
  changed.password = base.password;
  return finish(changed, page, field);
}

/** A whole address, given as `field`. */
export function parseAddress(
  given: unknown,
  page: Page | undefined = globalThis.location,
  field = 'url',
): Address {
  return finish(parse(given, page, field), page, field);
}

function finish(url: URL, page: Page | undefined, field: string): Address {
  if (isMixedContent(url, page)) {
    throw bad(
      field,
      `a page that came over https may not open ${url.origin} (mixed content); use a wss: address`,
    );
  }
  const address: Address = { url: '' };
  if (url.username !== '') address.username = decode(url.username, field);
  if (url.password !== '') address.password = decode(url.password, field);
  // Browsers refuse a WebSocket address with credentials in it.
  url.username = '';
  url.password = '';
  address.url = url.href;
  return address;
}

/** A host without its port. */
function nameOf(host: unknown): unknown {
  return typeof host === 'string' ? host.replace(/:\d+$/, '') : host;
}

function assemble(
  parts: { [P in keyof Parts]: Parts[P] | undefined },
  page: Page | undefined,
  prefix: string,
  field: string,
): string {
  const { protocol = page?.protocol === 'https:' ? 'wss' : 'ws', path = '/' } = parts;
  const { hostname, host = hostname } = parts;
  const bare = protocolOf(protocol, prefix);
  if (host === undefined)
    throw bad(`${prefix}url`, 'is missing; give a ws: or wss: address, or host, port and path');
  if (!/^(\[[\da-f:.]+\]|[^\s/?#@:[\]]+)(:\d+)?$/i.test(text(host, field))) {
    throw bad(field, `is not a host name: ${JSON.stringify(host)}`);
  }
  const port = parts.port === undefined ? '' : `:${integer(1, u16)(parts.port, `${prefix}port`)}`;
  const name = port === '' ? host : nameOf(host);
  if (text(path, `${prefix}path`).includes('#')) throw bad(`${prefix}path`, 'must not have a #; write %23');
  return `${bare}://${name}${port}/${path.replace(/^\//, '')}`;
}

/** Without its colon. */
function protocolOf(given: unknown, prefix: string): 'ws' | 'wss' {
  const bare = typeof given === 'string' ? given.replace(/:$/, '') : undefined;
  if (bare === 'ws' || bare === 'wss') return bare;
  throw bad(`${prefix}protocol`, 'must be ws or wss: browsers can use no other');
}

/** With `protocol` instead of the address's own, if that one means MQTT. */
function parse(given: unknown, page: Page | undefined, field: string, protocol?: 'ws' | 'wss'): URL {
  if (typeof given !== 'string' && !(given instanceof URL)) throw bad(field, 'must be a string or a URL');
  let written = String(given).trim();
  // Strictly, `localhost:8080/mqtt` is an address with the protocol `localhost:`.
  const scheme = /^([a-z][a-z\d+.-]*:)(?!\d)/i.exec(written)?.[1]?.toLowerCase();
  // A host's name without a protocol would be taken for a path on this server.
  if (scheme === undefined && written !== '' && !/^\.{0,2}\//.test(written)) {
    const host = /^[\w.-]+(:\d+)?(\/\S*)?$/.test(written);
    throw bad(
      field,
      host ? `has no protocol; write ws://${written}` : `is not a valid URL: ${JSON.stringify(written)}`,
    );
  }
  if (written === '') throw bad(field, 'is empty');
  if (protocol && scheme !== undefined && (/^wss?:$/.test(scheme) || elsewhere.test(scheme))) {
    written = `${protocol}:${written.slice(scheme.length)}`;
  }
  let url: URL;
  try {
    url = new URL(written, scheme === undefined ? page?.href : undefined);
  } catch {
    throw bad(
      field,
      `is not a valid URL: ${JSON.stringify(written)}; write, for example, ws://127.0.0.1:8080/mqtt`,
    );
  }
  // The URL parser lets http: become ws: for a relative address.
  if (scheme === undefined) url.protocol = protocol ?? (url.protocol === 'https:' ? 'wss:' : 'ws:');
  if (url.hash !== '' || written.includes('#')) {
    throw bad(field, 'must not have a fragment (#…); write # in a path as %23');
  }
  if (url.protocol === 'ws:' || url.protocol === 'wss:') return url;
  const known = elsewhere.exec(url.protocol);
  if (!known) throw bad(field, `must begin with ws: or wss:, not ${url.protocol}`);
  throw bad(
    field,
    `browsers reach a broker only over ws: and wss:, not ${url.protocol}; write ${suggest(url, known[1] !== undefined)}`,
  );
}

/** The corresponding WebSocket address, as far as it is known. */
function suggest(url: URL, secure: boolean): string {
  const protocol = secure ? 'wss' : 'ws';
  if (url.protocol.startsWith('http')) return `${protocol}://${url.host}${url.pathname}`;
  return `${protocol}://${url.hostname}:PORT/mqtt with the broker's WebSocket port, often ${secure ? 8084 : 8083}`;
}

/** Browsers let an https page open ws: only to the same machine. */
export function isMixedContent(url: URL, page?: Pick<Page, 'protocol'>): boolean {
  return page?.protocol === 'https:' && url.protocol === 'ws:' && !isLoopback(url.hostname);
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
