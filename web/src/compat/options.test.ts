/** Options, read as MQTT.js reads them. */

import { expect, test } from 'vitest';
import mqtt, { type IClientOptions } from './index';
import { connect, next, startBroker } from './testing';

test.each([
  ['user:pa:ss', { username: 'user:pa', password: 'ss' }],
  ['user', { username: 'user' }],
])('auth %s, read like MQTT.js', (auth, expected) => {
  expect(connect('ws://127.0.0.1:1/', { auth, manualConnect: true }).options).toMatchObject(expected);
});

test.each([undefined, null])('an option that is %s counts as missing', async (nothing) => {
  const { url } = await startBroker();
  const names = ['clientId', 'username', 'password', 'auth', 'query', 'will', 'properties', 'store'];
  const others = ['clean', 'keepalive', 'connectTimeout', 'queueQoSZero', 'offlineQueue', 'incomingStore'];
  const client = connect(url, Object.fromEntries([...names, ...others].map((name) => [name, nothing])));
  expect(client).toMatchObject({ keepalive: 60, queueQoSZero: true, options: { connectTimeout: 30_000 } });
  await client.publishAsync('a', 'waits for the connection');
});

test('query is added to the address, and may set the client identifier', async () => {
  const broker = await startBroker();
  const client = connect(`${broker.url}?a=1`, { query: { token: 'x y', clientId: 'me' } });
  await next(client, 'connect');
  expect(broker.connections[0]?.path).toBe('/mqtt?a=1&token=x+y&clientId=me');
  expect(client.options.clientId).toBe('me');
  const parts = { host: '127.0.0.1', port: 1, query: { a: '1' }, manualConnect: true };
  const ofParts = mqtt.connect(parts);
  expect(ofParts.options.path).toBe('/?a=1');
});

test.each([
  ['createWebsocket', { createWebsocket: () => {} }],
  ['protocolVersion', { protocolVersion: 4 }],
  ['clientId', { clean: false }],
  ['connectTimeout', { connectTimeout: 0 }],
  ['url', { url: 'mqtt://127.0.0.1' }],
])('an unsupported value of %s throws at once', (field, options) => {
  expect(() => mqtt.connect({ url: 'ws://127.0.0.1', ...options } as IClientOptions)).toThrow(
    expect.objectContaining({ field }),
  );
});
