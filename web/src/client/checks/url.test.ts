import { expect, test } from 'vitest';
import { fieldOf } from '../testing-errors';
import { connectSettings } from './options';
import { resolveAddress } from './url';

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
  // Parts override those of the URL, as in MQTT.js.
  [{ url: 'ws://a.test/mqtt', port: 9001 }, undefined, 'ws://a.test:9001/mqtt'],
  [{ url: 'ws://a.test:8083/mqtt?token=x', path: '/y' }, undefined, 'ws://a.test:8083/y'],
  [{ url: 'ws://a.test:8083/mqtt?token=x', path: 'y?z=1' }, undefined, 'ws://a.test:8083/y?z=1'],
  [{ url: 'ws://a.test:8083/mqtt?token=x', path: '' }, undefined, 'ws://a.test:8083/'],
  [{ url: 'ws://a.test/mqtt?token=x', protocol: 'wss' as const }, httpsPage, 'wss://a.test/mqtt?token=x'],
  [{ url: 'ws://a.test:8083/mqtt', host: 'b.test' }, undefined, 'ws://b.test:8083/mqtt'],
  [{ url: 'ws://a.test:8083/mqtt', hostname: '[::1]' }, undefined, 'ws://[::1]:8083/mqtt'],
  [{ url: 'ws://[::1]:8083/mqtt', port: 9001 }, undefined, 'ws://[::1]:9001/mqtt'],
  [{ url: 'ws://a.test:8083/mqtt', host: 'b.test:1' }, undefined, 'ws://b.test:1/mqtt'],
  [{ url: 'ws://a.test/mqtt', host: 'b.test:1', port: 2 }, undefined, 'ws://b.test:2/mqtt'],
  [{ url: 'ws://a.test', host: 'b.test', hostname: 'b.test' }, undefined, 'ws://b.test/'],
  [{ url: new URL('ws://a.test/mqtt'), port: 9001 }, undefined, 'ws://a.test:9001/mqtt'],
  [{ url: '/mqtt', port: 9001 }, httpPage, 'ws://host.test:9001/mqtt'],
  [{ url: '/mqtt', protocol: 'wss' as const }, httpPage, 'wss://host.test:81/mqtt'],
  [{ url: 'mqtt://a.test:8083', protocol: 'ws' as const, path: '/x' }, undefined, 'ws://a.test:8083/x'],
  [{ url: 'MQTTS://a.test', protocol: 'wss' as const, port: 8084 }, undefined, 'wss://a.test:8084/'],
])('%o is the address %s', (parts, page, expected) => {
  expect(resolveAddress(parts, page)).toEqual({ url: expected });
});

test('credentials are removed from the address', () => {
  expect(resolveAddress({ url: 'ws://me:p%40ss@broker.test/mqtt' })).toEqual({
    url: 'ws://broker.test/mqtt',
    username: 'me',
    password: 'p@ss',
  });
  expect(resolveAddress({ url: 'mqtt://me:p%40ss@broker.test', protocol: 'ws', port: 1 })).toEqual({
    url: 'ws://broker.test:1/',
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
  ['not a url', 'is not a valid URL'],
  ['broker.test:8083', 'ws://broker.test:8083'],
  ['ftp://broker.test', 'must begin with ws: or wss:'],
  ['ws://', 'is not a valid URL'],
  ['ws://a b/', 'is not a valid URL'],
  ['', 'is empty'],
  ['/mqtt', 'is not a valid URL'],
  ['ws://broker.test/#', 'fragment'],
  ['ws://broker.test/a#b', 'fragment'],
  ['ws://%E0%A4%A@broker.test/', 'percent-encoded'],
])('the address %s is refused with: %s', (address, hint) => {
  expect(fieldOf(() => resolveAddress({ url: address }, undefined))).toBe('url');
  expect(() => resolveAddress({ url: address }, undefined)).toThrow(hint);
});

test('an address given twice is refused', () => {
  expect(fieldOf(() => connectSettings('ws://a.test/', { url: 'ws://b.test/' }))).toBe('url');
  expect(connectSettings('ws://a.test/', { url: 'ws://a.test/' }).boundary.url).toBe('ws://a.test/');
  expect(connectSettings('ws://a.test/', { port: 1, path: '/x' }).boundary.url).toBe('ws://a.test:1/x');
});

test('an https page gets an error about mixed content for ws:', () => {
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
  [{ host: 'a', protocol: Symbol('ws') as unknown as 'ws' }, 'protocol'],
  [{ host: 'a', path: '/b#c' }, 'path'],
  [{ host: 'a%' }, 'host'],
  [{ host: 'a', hostname: 'b' }, 'hostname'],
  [{ url: 'ws://a/', host: 'b', hostname: 'c' }, 'hostname'],
  [{ url: 'ws://a/', host: 'b/c' }, 'host'],
  [{ url: 'ws://a/', hostname: '' }, 'hostname'],
  [{ url: 'ws://a/', port: 0 }, 'port'],
  [{ url: 'ws://a/', port: '9001' as unknown as number }, 'port'],
  [{ url: 'ws://a/', path: '/b#c' }, 'path'],
  [{ url: 'ws://a/', protocol: 'mqtt' as 'ws' }, 'protocol'],
  [{ url: 'ftp://a/', protocol: 'ws' as const }, 'url'],
])('the parts %o are refused for %s', (parts, field) => {
  expect(fieldOf(() => resolveAddress(parts, undefined))).toBe(field);
});
