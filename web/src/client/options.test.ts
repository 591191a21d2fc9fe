import { expect, test } from 'vitest';
import { MqttError } from './errors';
import { connectSettings, endCall, plainCall, publishCall, subscribeSettings } from './options';
import type { ConnectOptions } from './types';
import { resolveAddress } from './url';

const url = 'ws://127.0.0.1:8080/mqtt';

function fieldOf(check: () => unknown): string | undefined {
  try {
    check();
  } catch (error) {
    expect(error).toBeInstanceOf(MqttError);
    expect((error as MqttError).code).toBe('bad-option');
    expect((error as MqttError).message).toContain((error as MqttError).field);
    return (error as MqttError).field;
  }
  return undefined;
}

test.each<[string, unknown]>([
  ['url', 7],
  ['clientId', 7],
  ['clientId', 'a\0b'],
  ['username', {}],
  ['username', '\uD800'],
  ['password', 12345],
  ['password', 'x'.repeat(65_536)],
  ['clean', 'yes'],
  ['keepalive', -1],
  ['keepalive', 65_536],
  ['keepalive', 1.5],
  ['keepalive', '60'],
  ['connectTimeout', 0],
  ['connectTimeout', Number.POSITIVE_INFINITY],
  ['reconnectPeriod', -1],
  ['reconnectPeriod', 2 ** 31],
  ['resubscribe', 1],
  ['protocolVersion', 4],
  ['worker', 'no'],
  ['WebSocket', {}],
  ['signal', {}],
  ['properties', 7],
  ['properties', null],
  ['properties.sessionExpiryInterval', 2 ** 32],
  ['properties.receiveMaximum', 0],
  ['properties.receiveMaximum', 65_536],
  ['properties.maximumPacketSize', 0],
  ['properties.topicAliasMaximum', 65_536],
  ['properties.requestResponseInformation', 1],
  ['properties.requestProblemInformation', 'x'],
  ['properties.userProperties', 'x'],
  ['properties.userProperties', { a: 7 }],
  ['properties.userProperties', [['a', 'b', 'c']]],
  ['properties.authenticationMethod', 7],
  ['properties.authenticationData', 7],
  ['properties.authenticationData', new Uint8Array(1)],
  ['will', 'x'],
  ['will.topic', undefined],
  ['will.topic', 'a/#'],
  ['will.payload', 7],
  ['will.payload', 'x'.repeat(65_536)],
  ['will.qos', 3],
  ['will.retain', 0],
  ['will.properties.willDelayInterval', -1],
  ['will.properties.responseTopic', 'a/+'],
])('connect option %s must not be %o', (field, value) => {
  const options: Record<string, unknown> = { url };
  const path = field.split('.');
  if (path[0] === 'will' && path.length > 1) options.will = { topic: 'gone' };
  let place = options;
  for (const key of path.slice(0, -1)) {
    place[key] ??= {};
    place = place[key] as Record<string, unknown>;
  }
  place[path.at(-1) as string] = value;
  expect(fieldOf(() => connectSettings(options as ConnectOptions))).toBe(field);
});

test.each([undefined, null, 7])('connect(%s) is a bad option', (options) => {
  expect(fieldOf(() => connectSettings(options as unknown as ConnectOptions))).toBe('options');
});

test('connect options cross as given, with a client identifier made up', () => {
  const password = new Uint8Array([1, 2]);
  const { boundary, worker } = connectSettings(url, {
    username: 'me',
    password,
    keepalive: 0,
    reconnectPeriod: 0,
    resubscribe: false,
    protocolVersion: 5,
    properties: { sessionExpiryInterval: 0xffff_ffff, userProperties: { a: ['1', '2'], b: '3' } },
    will: { topic: 'gone', payload: '😀', properties: { willDelayInterval: 5, correlationData: 'x' } },
  });
  expect(boundary).toEqual({
    url,
    clientId: expect.stringMatching(/^mqttwasm_[\da-f]{12}$/),
    username: 'me',
    password,
    keepalive: 0,
    reconnectPeriod: 0,
    resubscribe: false,
    properties: {
      sessionExpiryInterval: 0xffff_ffff,
      userProperties: [
        ['a', '1'],
        ['a', '2'],
        ['b', '3'],
      ],
    },
    will: {
      topic: 'gone',
      payload: new TextEncoder().encode('😀'),
      properties: { willDelayInterval: 5, correlationData: new Uint8Array([0x78]) },
    },
  });
  expect(boundary.password).not.toBe(password);
  expect(worker).toBe(true);
  expect(connectSettings(url).boundary.clientId).not.toBe(boundary.clientId);
});

test.each<[string, unknown]>([
  ['qos', 3],
  ['qos', '1'],
  ['retain', 1],
  ['timeout', -1],
  ['signal', 'x'],
  ['properties.payloadFormatIndicator', 1],
  ['properties.messageExpiryInterval', -1],
  ['properties.topicAlias', 0],
  ['properties.responseTopic', '#'],
  ['properties.correlationData', 7],
  ['properties.contentType', 7],
  ['properties.userProperties', [7]],
])('publish option %s must not be %o', (field, value) => {
  const [first, second] = field.split('.') as [string, string?];
  expect(fieldOf(() => publishCall({ [first]: second ? { [second]: value } : value }))).toBe(field);
});

test.each<[string, unknown]>([
  ['qos', 3],
  ['nl', 1],
  ['rap', 'x'],
  ['rh', 3],
  ['highWaterMark', 0],
  ['properties.subscriptionIdentifier', 0],
  ['properties.subscriptionIdentifier', 268_435_456],
])('subscribe option %s must not be %o', (field, value) => {
  const [first, second] = field.split('.') as [string, string?];
  expect(fieldOf(() => subscribeSettings({ [first]: second ? { [second]: value } : value }))).toBe(field);
});

test.each<[string, unknown]>([
  ['reasonCode', 256],
  ['reasonString', 7],
  ['properties.sessionExpiryInterval', -1],
])('end option %s must not be %o', (field, value) => {
  const [first, second] = field.split('.') as [string, string?];
  expect(fieldOf(() => endCall({ [first]: second ? { [second]: value } : value }))).toBe(field);
});

test('a call has 30 seconds unless it says otherwise', () => {
  expect(plainCall()).toEqual({ timeout: 30_000 });
  expect(publishCall({ timeout: 0, qos: 1 })).toEqual({ timeout: 0, qos: 1 });
});

const httpPage = { protocol: 'http:', href: 'http://host.test:81/dir/page.html?q#x' };
const httpsPage = { protocol: 'https:', href: 'https://host.test/page.html' };

test.each([
  [{ url: 'ws://broker.emqx.io:8083/mqtt' }, undefined, 'ws://broker.emqx.io:8083/mqtt'],
  [{ url: '  WSS://Broker.Test  ' }, undefined, 'wss://broker.test/'],
  [{ url: new URL('ws://[::1]:1/a?b=c') }, undefined, 'ws://[::1]:1/a?b=c'],
  [{ url: '/mqtt' }, httpPage, 'ws://host.test:81/mqtt'],
  [{ url: './mqtt' }, httpPage, 'ws://host.test:81/dir/mqtt'],
  [{ url: '//other.test/mqtt' }, httpsPage, 'wss://other.test/mqtt'],
  [{ host: 'broker.test', port: 8083, path: '/mqtt' }, undefined, 'ws://broker.test:8083/mqtt'],
  [{ hostname: 'broker.test', path: 'mqtt' }, httpsPage, 'wss://broker.test/mqtt'],
  [{ host: 'broker.test:1', port: 2, protocol: 'wss' as const }, undefined, 'wss://broker.test:2/'],
  [{ host: '[::1]:8083' }, undefined, 'ws://[::1]:8083/'],
  [{ url: 'ws://localhost:8080/mqtt' }, httpsPage, 'ws://localhost:8080/mqtt'],
  [{ url: 'ws://127.0.0.1:8080/mqtt' }, httpsPage, 'ws://127.0.0.1:8080/mqtt'],
])('%o is the address %s', (parts, page, expected) => {
  expect(resolveAddress(parts, page)).toEqual({ url: expected });
});

test('credentials move out of the address', () => {
  expect(resolveAddress({ url: 'ws://me:p%40ss@broker.test/mqtt' })).toEqual({
    url: 'ws://broker.test/mqtt',
    username: 'me',
    password: 'p@ss',
  });
  const { boundary } = connectSettings('ws://me:p%40ss@broker.test/mqtt', { username: 'you' });
  expect(boundary).toMatchObject({ username: 'you', password: new TextEncoder().encode('p@ss') });
});

test.each([
  ['mqtt://broker.test:1883', 'ws://broker.test:PORT/mqtt'],
  ['mqtts://broker.test', 'wss://broker.test:PORT/mqtt'],
  ['tcp://broker.test:1883', 'ws://broker.test:PORT/mqtt'],
  ['http://broker.test:8083/mqtt', 'ws://broker.test:8083/mqtt'],
  ['https://broker.test/mqtt', 'wss://broker.test/mqtt'],
  ['localhost:8080/mqtt', 'ws://localhost:8080/mqtt'],
  ['broker.example', 'write ws://broker.example'],
  ['mqtt', 'write ws://mqtt'],
  ['not a url', 'is not an address'],
  ['broker.test:8083', 'ws://broker.test:8083'],
  ['ftp://broker.test', 'must begin with ws: or wss:'],
  ['ws://', 'is not an address'],
  ['ws://a b/', 'is not an address'],
  ['', 'is empty'],
  ['/mqtt', 'is not an address'],
  ['ws://broker.test/#', 'fragment'],
  ['ws://broker.test/a#b', 'fragment'],
  ['ws://%E0%A4%A@broker.test/', 'percent-encoded'],
])('the address %s is refused, saying: %s', (address, hint) => {
  expect(fieldOf(() => resolveAddress({ url: address }, undefined))).toBe('url');
  expect(() => resolveAddress({ url: address }, undefined)).toThrow(hint);
});

test('an https page is told that ws: is mixed content', () => {
  const mixed = { url: 'ws://broker.emqx.io:8083/mqtt' };
  expect(fieldOf(() => resolveAddress(mixed, httpsPage))).toBe('url');
  expect(() => resolveAddress(mixed, httpsPage)).toThrow('mixed content');
  expect(fieldOf(() => resolveAddress(mixed, httpPage))).toBeUndefined();
});

test.each([
  [{}, 'url'],
  [{ host: 'a/b' }, 'host'],
  [{ hostname: '' }, 'hostname'],
  [{ host: 'a', port: 0 }, 'port'],
  [{ host: 'a', port: 65_536 }, 'port'],
  [{ host: 'a', protocol: 'mqtt' as 'ws' }, 'protocol'],
])('the parts %o are refused for %s', (parts, field) => {
  expect(fieldOf(() => resolveAddress(parts, undefined))).toBe(field);
});
