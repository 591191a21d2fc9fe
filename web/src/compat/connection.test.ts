/** Connections that are lost, refused, ended and reconnected, as in MQTT.js. */

import { expect, test, vi } from 'vitest';
import * as scripted from '../../e2e/support/scripted';
import { connect, echo, next, record, recordFilters, refuse, startBroker } from './testing';

const { connack, serve, type } = scripted;

test('after a failed first attempt the client keeps trying', async () => {
  const { url } = await startBroker(async (connection) => connection.hangUp());
  const client = connect(url);
  const seen = record(client);
  await next(client, 'connect');
  expect(seen).toEqual(['offline', 'close', 'reconnect', 'connect']);
});

test('offline is emitted once, however many attempts fail', async () => {
  const busy = async (connection: scripted.Connection) => {
    await connection.expect(type.connect);
    connection.send(connack(0x89));
  };
  const { url } = await startBroker((connection) => connection.hangUp(), busy);
  const client = connect(url);
  const seen = record(client);
  await next(client, 'connect');
  expect(seen).toEqual(['offline', 'close', 'reconnect', 'error', 'close', 'reconnect', 'connect']);
});

test('a lost connection is restored with its subscriptions and queued messages', async () => {
  let lose = (): void => {};
  const { url } = await startBroker(async (connection) => {
    lose = () => connection.hangUp();
    await echo(connection);
  });
  const client = connect(url);
  await client.subscribeAsync('kept/#');
  const seen = record(client);
  lose();
  await next(client, 'offline');
  expect(client).toMatchObject({ connected: false, reconnecting: true });
  client.publish('kept/a', 'from offline');
  const [, payload] = (await next(client, 'message')) as [string, Uint8Array];
  expect(payload.toString()).toBe('from offline');
  expect(seen).toEqual(['offline', 'close', 'reconnect', 'connect']);
});

test('ending the client on close emits no reconnect', async () => {
  const { url } = await startBroker(async (connection) => {
    await connection.expect(type.connect);
    connection.send(connack());
    connection.hangUp();
  });
  const client = connect(url);
  const seen = record(client);
  client.on('close', () => client.end());
  await next(client, 'end');
  expect(seen).toEqual(['connect', 'offline', 'close', 'end']);
});

test('without queueQoSZero a QoS 0 message is not queued', async () => {
  const { url } = await startBroker();
  const client = connect(url, { queueQoSZero: false });
  await expect(client.publishAsync('a', 'b')).rejects.toMatchObject({ code: 'not-connected' });
  expect(await client.publishAsync('a', 'b', { qos: 1 })).toMatchObject({ cmd: 'puback' });
});

test('refused credentials end the client', async () => {
  const { url } = await startBroker(refuse);
  const client = connect(url);
  const seen = record(client);
  const [error] = await next(client, 'error');
  expect(error).toMatchObject({ code: 'refused', reasonCode: 0x86 });
  await vi.waitUntil(() => client.disconnected);
  expect(seen).toEqual(['error', 'close', 'end']);
});

test("the broker's DISCONNECT is a packet", async () => {
  const { url } = await startBroker(async (connection) => {
    await connection.expect(type.connect);
    connection.send(connack(), scripted.disconnect(0x8b, scripted.reasonString('restarting')));
  });
  const [info] = await next(connect(url), 'disconnect');
  expect(info).toEqual({
    cmd: 'disconnect',
    reasonCode: 0x8b,
    properties: { reasonString: 'restarting' },
  });
});

test.each([
  ['the broker closes it', scripted.disconnect(0x8b), ['disconnect', 'close', 'error', 'end']],
  ['a packet is invalid', Buffer.from([0x36, 2, 0, 0]), ['close', 'error', 'end']],
  ['the network fails', undefined, ['close', 'end']],
])('with reconnectPeriod 0 the client ends when %s', async (_, packet, expected) => {
  const { url } = await startBroker(async (connection) => {
    await connection.expect(type.connect);
    connection.send(connack());
    if (packet) connection.send(packet);
    else connection.hangUp();
  });
  const client = connect(url, { reconnectPeriod: 0 });
  const seen = record(client);
  await next(client, 'end');
  expect(seen).toEqual(['connect', ...expected]);
});

test('end before a connection, and reconnect after end', async () => {
  const { url } = await startBroker();
  const client = connect(url);
  const waiting = client.publishAsync('a', 'b', { qos: 1 });
  const done = new Promise((resolve) => client.end(resolve));
  await expect(waiting).rejects.toMatchObject({ code: 'not-connected' });
  await done;
  expect(client.disconnected).toBe(true);
  client.reconnect();
  await next(client, 'connect');
  expect(client).toMatchObject({ connected: true, disconnected: false });
});

test.each(['error', 'close'] as const)('reconnect when the client gives up, on %s', async (event) => {
  const { url } = await startBroker(refuse);
  const client = connect(url, { username: 'me', password: 'too old' });
  const seen = record(client);
  client.once(event, () => client.reconnect());
  client.on('reconnect', () => expect(client.disconnected).toBe(false));
  await next(client, 'connect');
  expect(seen).toEqual(['error', 'close', 'reconnect', 'connect']);
  expect(client).toMatchObject({ connected: true, disconnected: false });
});

test('manual reconnect, with reconnectPeriod 0', async () => {
  const lost: scripted.Script = async (connection) => {
    await connection.expect(type.connect);
    connection.send(connack());
    connection.hangUp();
  };
  const { url, connections } = await startBroker(lost, (connection) => connection.hangUp(), lost);
  const client = connect(url, { reconnectPeriod: 0 });
  const seen = record(client);
  client.on('close', () => void (connections.length < 4 && client.reconnect()));
  await vi.waitUntil(() => connections.length === 4 && client.connected);
  const attempt = ['reconnect', 'connect', 'close'];
  expect(seen).toEqual(['connect', 'close', 'reconnect', 'close', ...attempt, 'reconnect', 'connect']);
  await client.publishAsync('a', 'b', { qos: 1 });
  await client.endAsync();
  expect(seen.slice(-2)).toEqual(['close', 'end']);
});

test('a reconnect during a connection has no effect after it', async () => {
  let lose = (): void => {};
  const { url } = await startBroker((connection) => {
    lose = () => connection.hangUp();
    return serve(connection);
  });
  const client = connect(url, { reconnectPeriod: 0 });
  await next(client, 'connect');
  client.reconnect();
  await client.publishAsync('a', 'b', { qos: 1 });
  const seen = record(client);
  lose();
  await vi.waitUntil(() => seen.length > 1);
  expect(seen).toEqual(['close', 'end']);
});

test('a requested reconnect is cancelled by end', async () => {
  const { url } = await startBroker(refuse);
  const client = connect(url);
  const seen = record(client);
  client.once('error', () => client.reconnect().end());
  await next(client, 'end');
  expect(client.disconnected).toBe(true);
  client.reconnect();
  await next(client, 'connect');
  expect(seen).toEqual(['error', 'close', 'end', 'reconnect', 'connect']);
});

test('reconnect after end restores the subscriptions, with their options', async () => {
  const asked: string[] = [];
  const { url } = await startBroker(...Array<scripted.Script>(3).fill(recordFilters(asked)));
  const client = connect(url);
  await client.subscribeAsync({ 'a/+': { qos: 1, nl: true }, b: { qos: 0 } });
  await client.unsubscribeAsync('b');
  await client.endAsync();
  client.reconnect().end(); // before it is connected
  await next(client, 'end');
  client.reconnect();
  await vi.waitUntil(() => asked.length === 3);
  expect(asked).toEqual(['a/+ 5', 'b 0', 'a/+ 5']);

  const forgetful = connect(url, { resubscribe: false });
  await forgetful.subscribeAsync('c');
  await forgetful.endAsync();
  forgetful.reconnect();
  await next(forgetful, 'connect');
  await forgetful.publishAsync('d', '', { qos: 0 });
  expect(asked.slice(3)).toEqual(['c 0']);
});

test('username and password may be changed in the options for the next attempt', async () => {
  const seen: string[] = [];
  const note: scripted.Script = async (connection) => {
    seen.push((await connection.expect(type.connect)).body.subarray(-10).toString());
    connection.send(connack());
    connection.close();
  };
  const { url } = await startBroker(note, note, note);
  const client = connect(url, { username: 'me', password: 'token-0001' });
  await next(client, 'connect');
  client.options.password = 'token-0002';
  await next(client, 'connect');
  await client.endAsync(true);

  const signed = connect(url, {
    transformWsUrl(address, options, itself) {
      expect(options).toBe(itself.options);
      itself.options.username = 'me';
      itself.options.password = 'token-0003';
      return address;
    },
  });
  await next(signed, 'connect');
  expect(seen).toEqual(['token-0001', 'token-0002', 'token-0003']);

  const none = connect((await startBroker()).url, { username: 'me', password: null as unknown as string });
  await next(none, 'connect');
});

test('ending during the first attempt leaves no connection behind', async () => {
  const seen: string[] = [];
  const { url } = await startBroker(async (connection) => {
    await connection.expect(type.connect);
    seen.push('attempt');
    await connection.next().catch(() => seen.push('closed'));
  });
  const client = connect(url);
  const events = record(client);
  await vi.waitUntil(() => seen.length === 1);
  await client.endAsync();
  await vi.waitUntil(() => seen.length === 2);
  expect(seen).toEqual(['attempt', 'closed']);
  expect(events).toEqual(['end']);
});

test('manualConnect waits for connect()', async () => {
  const { url } = await startBroker();
  const client = connect(url, { manualConnect: true });
  const connected = next(client, 'connect');
  client.connect();
  await connected;
});
