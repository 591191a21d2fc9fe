/** The brokers that this page offers, as its host lists them in `config.json`. */

import { mark, TranslatedError, t } from '../core/i18n/i18n';
import { isRecord } from '../core/storage';

export interface Broker {
  name: string;
  /** The name is this program's own, not one given by the deployer. */
  builtIn?: boolean;
  url: string;
  /** For a page that came over https, which may not open a `ws:` address. */
  secureUrl?: string;
  default?: boolean;
  /** Runs inside the server that hosts this page. */
  embedded?: boolean;
}

export interface Config {
  version: string;
  brokers: Broker[];
}

/** What a host without `config.json` offers: a plain file server, for instance. */
export const standalone: Config = {
  version: '',
  brokers: [
    {
      name: mark('EMQX public broker'),
      builtIn: true,
      url: 'ws://broker.emqx.io:8083/mqtt',
      secureUrl: 'wss://broker.emqx.io:8084/mqtt',
      default: true,
    },
  ],
};

/** The server's other names, for the dictionary. */
const names = new Set([
  mark('This server'),
  ...standalone.brokers.map(({ name }) => name),
  mark('HiveMQ public broker'),
  mark('Mosquitto test broker'),
]);

/** What the broker is called in the page's language. */
export function nameOf({ name, builtIn }: Broker): string {
  return builtIn && names.has(name) ? t(name) : name;
}

function parseBroker(value: unknown): Broker | undefined {
  if (!isRecord(value) || typeof value.name !== 'string' || typeof value.url !== 'string') return undefined;
  const broker: Broker = { name: value.name, url: value.url };
  if (typeof value.secureUrl === 'string') broker.secureUrl = value.secureUrl;
  if (value.builtIn === true) broker.builtIn = true;
  if (value.default === true) broker.default = true;
  if (value.embedded === true) broker.embedded = true;
  return broker;
}

/** Keeps the valid parts; throws if there are none. */
export function parseConfig(value: unknown): Config {
  if (!isRecord(value) || !Array.isArray(value.brokers))
    throw new TranslatedError(() => t('it lists no brokers'));
  return {
    version: typeof value.version === 'string' ? value.version : '',
    brokers: value.brokers.map(parseBroker).filter((broker) => broker !== undefined),
  };
}

/**
 * Only a host that clearly has no `config.json` gets the public default. One that fails to deliver
 * it may be a private installation, and a private page must not connect to a public broker by
 * itself.
 */
export async function loadConfig(fetchConfig: () => Promise<Response>): Promise<Config> {
  const response = await fetchConfig();
  if (response.status === 404) return standalone;
  if (!response.ok)
    throw new TranslatedError(() => t('the server answered {status}', { status: response.status }));
  return parseConfig(await response.json());
}

/** The broker's address for a page at `page`; relative ones are on the page's own host. */
export function addressOf(broker: Broker, page: string): string {
  const secure = new URL(page).protocol === 'https:';
  const url = secure && broker.secureUrl ? broker.secureUrl : broker.url;
  if (!URL.canParse(url, page)) return url;
  return new URL(url, page).href.replace(/^http/, 'ws');
}

export function defaultBroker(config: Config): Broker | undefined {
  return config.brokers.find((broker) => broker.default) ?? config.brokers[0];
}

/**
 * Loopback, link-local and private addresses, and names without a public
 * suffix (RFC 1918, 4193, 6761, 6762, 8375).
 */
export function isPrivateHost(hostname: string): boolean {
  const host = hostname
    .toLowerCase()
    .replace(/^\[|\]$/g, '')
    .replace(/\.$/, '');
  if (host.includes(':')) {
    const mapped = /^::ffff:([0-9a-f]+):([0-9a-f]+)$/.exec(host);
    if (mapped) {
      const word = Number.parseInt(mapped[1] ?? '', 16);
      return isPrivateIPv4(word >> 8, word & 0xff);
    }
    return host === '::1' || host === '::' || /^f[cd]/.test(host) || /^fe[89ab]/.test(host);
  }
  const octets = /^(\d+)\.(\d+)\.\d+\.\d+$/.exec(host);
  if (octets) return isPrivateIPv4(Number(octets[1]), Number(octets[2]));
  return !host.includes('.') || /\.(localhost|local|internal|lan|home\.arpa|test|invalid)$/.test(host);
}

function isPrivateIPv4(a: number, b: number): boolean {
  return (
    a === 0 ||
    a === 10 ||
    a === 127 ||
    (a === 169 && b === 254) ||
    (a === 172 && b >= 16 && b < 32) ||
    (a === 192 && b === 168)
  );
}

/** Whether it leads from a private network to a public one; true if that is not known. */
export function leavesPrivate(from: string, to: string): boolean {
  if (!URL.canParse(from) || !URL.canParse(to)) return true;
  return isPrivateHost(new URL(from).hostname) && !isPrivateHost(new URL(to).hostname);
}

/**
 * Where to go when the default broker can't be reached: the embedded one, if
 * that does not lead from a private network to a public one.
 */
export function fallbackFor(broker: Broker, config: Config, page: string): Broker | undefined {
  const embedded = config.brokers.find((candidate) => candidate.embedded);
  if (!embedded || broker.embedded) return undefined;
  const from = addressOf(broker, page);
  const to = addressOf(embedded, page);
  return from === to || leavesPrivate(from, to) ? undefined : embedded;
}
