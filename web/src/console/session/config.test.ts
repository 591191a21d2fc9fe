import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { choose } from '../core/i18n/i18n';
import {
  addressOf,
  type Config,
  defaultBroker,
  fallbackFor,
  isPrivateHost,
  loadConfig,
  nameOf,
  parseConfig,
  standalone,
} from './config';

const emqx = {
  name: 'EMQX',
  url: 'ws://broker.emqx.io:8083/mqtt',
  secureUrl: 'wss://broker.emqx.io:8084/mqtt',
  default: true,
};
const embedded = { name: 'This server', url: '/mqtt', embedded: true };
const config: Config = { version: '1', brokers: [embedded, emqx] };

describe('parseConfig', () => {
  it('keeps the brokers that it can parse', () => {
    expect(
      parseConfig({
        version: '1.2',
        brokers: [
          emqx,
          { name: 'no address' },
          null,
          7,
          { ...embedded, x: 1 },
          { ...embedded, builtIn: true },
        ],
      }),
    ).toEqual({ version: '1.2', brokers: [emqx, embedded, { ...embedded, builtIn: true }] });
  });

  it.each([null, 'text', {}, { brokers: 'x' }])('refuses %j', (value) => {
    expect(() => parseConfig(value)).toThrow('lists no brokers');
  });
});

describe('nameOf', () => {
  beforeEach(() => {
    vi.stubGlobal('document', { documentElement: {} });
  });
  afterEach(async () => {
    await choose('en');
    vi.unstubAllGlobals();
  });

  it('is translated for built-in names, and verbatim for a deployment’s own', async () => {
    const names = () =>
      [true, undefined].map((builtIn) => nameOf({ ...embedded, ...(builtIn && { builtIn }) }));
    expect(names()).toEqual(['This server', 'This server']);
    await choose('zh');
    expect(names()).toEqual(['本服务器', 'This server']);
    expect(nameOf({ name: 'connected', url: '', builtIn: true })).toBe('connected');
  });
});

describe('loadConfig', () => {
  it('reads the host’s configuration', async () => {
    expect(await loadConfig(async () => Response.json(config))).toEqual(config);
  });

  it('offers the public broker on a host without a configuration', async () => {
    expect(await loadConfig(async () => new Response('', { status: 404 }))).toBe(standalone);
  });

  it('offers nothing if the host fails to deliver its configuration', async () => {
    await expect(loadConfig(async () => new Response('', { status: 502 }))).rejects.toThrow('502');
    await expect(loadConfig(async () => new Response('<!doctype html>'))).rejects.toThrow();
  });
});

describe('addressOf', () => {
  it.each([
    [emqx, 'http://a.example/', 'ws://broker.emqx.io:8083/mqtt'],
    [emqx, 'https://a.example/', 'wss://broker.emqx.io:8084/mqtt'],
    [{ name: 'x', url: 'ws://b.example/mqtt' }, 'https://a.example/', 'ws://b.example/mqtt'],
    [embedded, 'http://127.0.0.1:8080/', 'ws://127.0.0.1:8080/mqtt'],
    [embedded, 'https://a.example/console/', 'wss://a.example/mqtt'],
    [{ name: 'x', url: 'http://[' }, 'http://a.example/', 'http://['],
  ])('%j seen from %s', (broker, page, address) => {
    expect(addressOf(broker, page)).toBe(address);
  });
});

it('uses the first broker if none is marked as the default', () => {
  expect(defaultBroker(config)).toEqual(emqx);
  expect(defaultBroker({ version: '', brokers: [embedded] })).toEqual(embedded);
  expect(defaultBroker({ version: '', brokers: [] })).toBeUndefined();
});

describe('isPrivateHost', () => {
  it.each([
    'localhost',
    'a.localhost',
    'broker',
    'nas.local',
    '127.0.0.1',
    '10.1.2.3',
    '172.31.0.1',
    '192.168.1.1',
    '169.254.1.1',
    '[::1]',
    '[fd00::1]',
    '[fe80::1]',
    '[::ffff:a01:203]',
  ])('%s is private', (host) => expect(isPrivateHost(host)).toBe(true));

  it.each([
    'broker.emqx.io',
    '8.8.8.8',
    '172.32.0.1',
    '[2001:db8::1]',
    '[::ffff:808:808]',
    'local.example.com',
  ])('%s is public', (host) => expect(isPrivateHost(host)).toBe(false));
});

describe('fallbackFor', () => {
  const page = 'http://127.0.0.1:8080/';

  it('goes from the default broker to the embedded one', () => {
    expect(fallbackFor(emqx, config, page)).toEqual(embedded);
  });

  it('never goes from a private broker to a public one', () => {
    const inside = { name: 'inside', url: 'ws://10.0.0.5:8083/mqtt', default: true };
    const brokers = { version: '', brokers: [inside, embedded] };
    expect(fallbackFor(inside, brokers, 'https://console.example.com/')).toBeUndefined();
    expect(fallbackFor(inside, brokers, page)).toEqual(embedded);
  });

  it('has none without another, embedded broker', () => {
    expect(fallbackFor(embedded, config, page)).toBeUndefined();
    expect(fallbackFor(emqx, { version: '', brokers: [emqx] }, page)).toBeUndefined();
  });
});
