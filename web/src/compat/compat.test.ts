/** Typical uses of MQTT.js, through the compat API. */

import { readFileSync } from 'node:fs';
import { expect, test, vi } from 'vitest';
import WebSocket from 'ws';
import * as scripted from '../../e2e/support/scripted';
import mqtt, { type Packet } from './index';
import { brokers, clients, connect, next, record, startBroker } from './testing';

const { connack, packet, properties, type } = scripted;

test("the guide's example, verbatim", async () => {
  const { url } = await startBroker();
  const guide = readFileSync(new URL('../../docs/moving-from-mqttjs.md', import.meta.url), 'utf8');
  const [, code = ''] = /```js\n(.*?)```/s.exec(guide) ?? [];
  const run = new Function('mqtt', 'console', code.replace(/^import mqtt from 'mqttwasm\/compat';$/m, ''));
  const printed = await new Promise<unknown[]>((resolve) => {
    const here = { connect: (address: string) => connect(address.replace(/^wss:.*$/, url)) };
    run(here, { log: (...words: unknown[]) => resolve(words) });
  });
  expect(printed).toEqual(['presence', 'Hello mqtt']);
});

test('connect, subscribe, publish, and end at the first message', async () => {
  const { url } = await startBroker();
  const client = connect(url);
  expect(client.connected).toBe(false);
  client.on('connect', () => {
    client.subscribe('presence', (error) => {
      if (!error) client.publish('presence', 'Hello mqtt');
    });
  });
  const text = await new Promise((resolve) => {
    client.on('message', (topic, message) => {
      client.end(() => resolve(`${topic}: ${message.toString()}`));
    });
  });
  expect(text).toBe('presence: Hello mqtt');
  expect(client).toMatchObject({ connected: false, disconnected: true, disconnecting: false });
});

test('calls before the connection are queued, in order', async () => {
  const { url } = await startBroker();
  const client = connect(url);
  const seen: string[] = [];
  client.on('message', (_topic, message) => seen.push(`${message}`));
  client.subscribe('a/+');
  client.publish('a/b', '1').publish('a/b', '2', { qos: 1 });
  await client.publishAsync('a/b', '3', { qos: 2 });
  await vi.waitUntil(() => seen.length === 3);
  expect(seen).toEqual(['1', '2', '3']);
});

test('callbacks of publish get the packet that acknowledged it', async () => {
  const { url } = await startBroker();
  const client = connect(url);
  const published = (qos: 0 | 1 | 2) =>
    new Promise((resolve) => client.publish('a', 'b', { qos }, (...args) => resolve(args)));
  expect(await published(0)).toEqual([null, undefined]);
  expect(await published(1)).toMatchObject([null, { cmd: 'puback', reasonCode: 0 }]);
  expect(await published(2)).toMatchObject([null, { cmd: 'pubcomp', reasonCode: 0 }]);
});

test.each([
  [1, 'puback'],
  [2, 'pubrec'],
] as const)('callbacks of publish at QoS %i get the packet that refused it, too', async (qos, cmd) => {
  const { url } = await startBroker(async (connection) => {
    await connection.expect(type.connect);
    connection.send(connack());
    const id = (await connection.expect(type.publish)).body.subarray(3, 5);
    const why = properties(scripted.reasonString('full'));
    connection.send(packet(type[cmd], 0, id, Buffer.from([0x97]), why));
  });
  const client = connect(url);
  const args = await new Promise((resolve) => client.publish('a', 'b', { qos }, (...all) => resolve(all)));
  expect(args).toMatchObject([
    { code: 'refused' },
    { cmd, reasonCode: 0x97, properties: { reasonString: 'full' } },
  ]);
});

test('payloads are bytes with a toString', async () => {
  const { url } = await startBroker();
  const client = connect(url);
  client.publish('a', '{"n": "\u00e9"}');
  const [topic, payload, publish] = (await next(client, 'message')) as [string, Uint8Array, unknown];
  expect(payload).toBeInstanceOf(Uint8Array);
  expect(JSON.parse(payload.toString())).toEqual({ n: '\u00e9' });
  expect(`${payload.subarray(0, 1)}`).toBe('{');
  const encoded = payload.slice(-3) as Uint8Array & {
    toString(encoding?: string, start?: number, end?: number): string;
  };
  expect(encoded.toString('hex')).toBe('a9227d');
  expect(encoded.toString('base64')).toBe('qSJ9');
  expect(encoded.toString('HEX')).toBe('a9227d');
  expect(encoded.toString('UTF-8')).toBe('\ufffd"}');
  expect(encoded.toString('utf8', 1, 2)).toBe('"');
  expect(encoded.toString(undefined, 2)).toBe('}');
  expect(() => encoded.toString('latin1')).toThrow('utf8, hex or base64');
  expect(publish).toMatchObject({ cmd: 'publish', topic, qos: 0, retain: false, dup: false, properties: {} });
});

test('a missing payload is empty, and options may be missing', async () => {
  const { url } = await startBroker();
  const client = connect(url);
  const messages: string[] = [];
  client.on('message', (_topic, payload) => messages.push(payload.toString()));
  const gone = JSON.parse('[null]') as [string];
  await client.publishAsync('a', ...gone);
  client.publish('a', ...([] as unknown as [string]));
  await client.publishAsync('a', 'end', ...(gone as unknown as [undefined]));
  await vi.waitUntil(() => messages.length === 3);
  expect(messages).toEqual(['', '', 'end']);
});

test('properties of a message, with user properties by name', async () => {
  const bytes = [
    0x03, 0, 1, 0x74, 0x26, 0, 1, 0x6b, 0, 1, 0x31, 0x26, 0, 1, 0x6b, 0, 1, 0x32, 0x09, 0, 1, 0x63,
  ];
  const { url } = await startBroker(async (connection) => {
    await connection.expect(type.connect);
    connection.send(
      connack(),
      packet(type.publish, 0, Buffer.from([0, 1, 0x61]), properties(Buffer.from(bytes))),
    );
  });
  const [, , publish] = await next(connect(url), 'message');
  expect(publish).toMatchObject({ properties: { contentType: 't', userProperties: { k: ['1', '2'] } } });
  const { correlationData } = (publish as { properties: { correlationData: Uint8Array } }).properties;
  expect(correlationData.toString()).toBe('c');
});

test('the will and other CONNECT fields, as in packetsend', async () => {
  const { url } = await startBroker();
  const client = connect(url, {
    clientId: 'me',
    clean: false,
    username: 'user',
    password: 'pass',
    will: { topic: 'gone', payload: 'bye', qos: 1, retain: true },
  });
  const [sent] = await next(client, 'packetsend');
  expect(sent).toMatchObject({
    cmd: 'connect',
    clientId: 'me',
    clean: false,
    properties: { sessionExpiryInterval: 0xffff_ffff },
    username: 'user',
    will: { topic: 'gone', qos: 1, retain: true },
  });
  expect(client.options).toMatchObject({ clientId: 'me', keepalive: 60, reconnectPeriod: 1 });
});

test('the promise-returning forms', async () => {
  const { url } = await startBroker();
  const client = await mqtt.connectAsync(url, { worker: false, WebSocket });
  expect(client.connected).toBe(true);
  await client.subscribeAsync('a', { qos: 1 });
  await client.publishAsync('a', 'b');
  await client.unsubscribeAsync('a');
  await client.endAsync();
  await expect(client.publishAsync('a', 'b')).rejects.toMatchObject({ code: 'not-connected' });
});

test('connectAsync without retries rejects if there is no broker', async () => {
  const options = { worker: false, WebSocket, reconnectPeriod: 1 };
  const refused = mqtt.connectAsync('ws://127.0.0.1:1/', options, false);
  await expect(refused).rejects.toMatchObject({ code: 'network' });
});

test('listeners are called with the client as this', async () => {
  const { url } = await startBroker();
  const client = connect(url);
  const itself = await new Promise((resolve) => {
    client.on('connect', function (this: unknown) {
      resolve(this);
    });
  });
  expect(itself).toBe(client);
});

test('listeners are added and removed', async () => {
  const { url } = await startBroker();
  const client = connect(url);
  const never = (): void => expect.unreachable();
  client.on('message', never).off('message', never);
  client.addListener('message', never).removeListener('message', never);
  client.once('message', never).removeAllListeners('message');
  client.publish('a', 'b');
  await next(client, 'message');
  client.on('message', never).removeAllListeners();
  await client.publishAsync('a', 'b', { qos: 1 });
  expect(() => client.on('message', undefined as never)).toThrow('listener: must be a function');
});

test('an invalid call without a callback is an error event, which needs no listener', async () => {
  const { url } = await startBroker();
  const client = connect(url);
  const reported = vi.fn();
  vi.stubGlobal('reportError', reported);
  client.publish('a/#', 'never sent');
  await client.publishAsync('a', 'b');
  expect(reported).not.toHaveBeenCalled();
  const heard = next(client, 'error');
  client.subscribe('a/#/b');
  expect(await heard).toMatchObject([{ code: 'bad-option', field: 'topic' }]);
});

test('a message that the broker would not take, or an ended client, is an error event, too', async () => {
  const maximumQoS = Buffer.from([0x24, 0]); // 3.2.2.3.4
  const { url } = await startBroker(async (connection) => {
    await connection.expect(type.connect);
    connection.send(connack(0, maximumQoS, scripted.maximumPacketSize(20)));
  });
  const client = connect(url);
  await next(client, 'connect');
  const codes: string[] = [];
  client.on('error', ({ code }) => codes.push(code));
  client.publish('a', 'b', { qos: 1 });
  client.publish('a', 'longer than the twenty bytes');
  await vi.waitUntil(() => codes.length === 2);
  client.end();
  client.publish('a', 'while it ends');
  await next(client, 'end');
  client.subscribe('a').unsubscribe('a');
  await vi.waitUntil(() => codes.length === 5);
  const late = Array(3).fill('not-connected');
  expect(codes).toEqual(['unsupported', 'packet-too-large', ...late]);
});

test('messages published without a connection wait in the bounded queue', async () => {
  const client = connect('ws://127.0.0.1:1/', { offlineQueue: { messages: 10 }, reconnectPeriod: 1000 });
  for (let n = 0; n < 10; n++) client.publish('a', String(n), { qos: 1 });
  const full = (message: string) =>
    new Promise((resolve) => client.publish('a', message, { qos: 1 }, resolve));
  expect(await full('while the program loads')).toMatchObject({ code: 'queue-full' });
  await next(client, 'offline');
  expect(await full('while it reconnects')).toMatchObject({ code: 'queue-full' });
  const unheard = next(client, 'error');
  client.publish('a', 'without a callback');
  expect(await unheard).toMatchObject([{ code: 'queue-full' }]);
});

test('end waits for messages in flight, and nothing happens after its callback', async () => {
  let acknowledge = (): void => {};
  const { url } = await startBroker(async (connection) => {
    await connection.expect(type.connect);
    connection.send(connack());
    const sent = await connection.expect(type.publish);
    acknowledge = () => connection.send(scripted.answerTo(sent) as Buffer);
  });
  const client = connect(url);
  const seen: string[] = record(client);
  client.on('outgoingEmpty', () => seen.push('outgoingEmpty'));
  await next(client, 'connect');
  client.publish('a', 'b', { qos: 1 }, () => seen.push('callback'));
  await vi.waitUntil(() => brokers[0]?.connections[0]?.frames.length === 2);
  const done = client.endAsync();
  expect(client.disconnecting).toBe(true);
  await expect(client.publishAsync('a', 'b')).rejects.toMatchObject({ code: 'not-connected' });
  acknowledge();
  await done;
  expect(seen).toEqual(['connect', 'callback', 'outgoingEmpty', 'close', 'end']);
  await client.endAsync();
  expect(seen.at(-1)).toBe('end');
});

test('end waits for SUBACK and UNSUBACK, too', async () => {
  const { url } = await startBroker();
  const client = connect(url);
  await client.subscribeAsync('old');
  const seen: unknown[] = [];
  client.subscribe('new', (error, granted) => seen.push(error, granted?.length));
  client.unsubscribe('old', (error) => seen.push(error));
  await client.endAsync();
  expect(seen.sort()).toEqual([1, null, null]);
});

test('with manualConnect calls wait for connect(), and end settles them', async () => {
  const { url, connections } = await startBroker();
  const client = connect(url, { manualConnect: true });
  const lost = client.publishAsync('a', 'b', { qos: 1 });
  await client.endAsync();
  await expect(lost).rejects.toMatchObject({ code: 'not-connected' });
  expect(connections).toEqual([]);
  const again = connect(url, { manualConnect: true });
  const sent = again.publishAsync('a', 'b', { qos: 1 });
  again.connect();
  expect(await sent).toMatchObject({ cmd: 'puback' });
});

test('a late listener gets packets, too', async () => {
  const { url } = await startBroker();
  const client = connect(url);
  await next(client, 'connect');
  const sent = next(client, 'packetsend');
  await client.publishAsync('a', 'b', { qos: 1 });
  expect(await sent).toMatchObject([{ cmd: 'publish' }]);
});

test('packets have payloads with a toString, and user properties by name', async () => {
  const props = [0x26, 0, 1, 0x6b, 0, 1, 0x31, 0x26, 0, 1, 0x6b, 0, 1, 0x32, 0x09, 0, 1, 0x63];
  const { url } = await startBroker(async (connection) => {
    await connection.expect(type.connect);
    connection.send(connack(0, scripted.userProperty('k', '1')));
    await connection.expect(type.publish);
    connection.send(
      packet(type.publish, 0, Buffer.from([0, 1, 0x61]), properties(Buffer.from(props)), Buffer.from('in')),
    );
  });
  const client = connect(url, { password: 'pass', will: { topic: 'gone', payload: 'bye' } });
  const packets: Packet[] = [];
  client.on('packetsend', (one) => packets.push(one)).on('packetreceive', (one) => packets.push(one));
  const [told] = await next(client, 'connect');
  expect(told).toMatchObject({ properties: { userProperties: { k: '1' } } });
  expect(client.serverProperties).toMatchObject({ userProperties: { k: '1' } });
  client.publish('a', 'out', { properties: { userProperties: { k: ['1', '2'] }, correlationData: 'c' } });
  await vi.waitUntil(() => packets.length === 4);
  const [sent, accepted, out, received] = packets;
  expect(`${sent?.password} ${sent?.will?.payload}`).toBe('pass bye');
  expect(accepted).toMatchObject({ cmd: 'connack', properties: { userProperties: { k: '1' } } });
  for (const [publish, text] of [
    [out, 'out'],
    [received, 'in'],
  ] as const) {
    expect(publish).toMatchObject({ cmd: 'publish', properties: { userProperties: { k: ['1', '2'] } } });
    expect(`${publish?.payload} ${publish?.properties?.correlationData}`).toBe(`${text} c`);
  }
});

test('CONNACK fields, and a ping', async () => {
  const pings: number[] = [];
  const keepAlive = Buffer.from([0x13, 0, 20]); // Server Keep Alive (3.2.2.3.14)
  const { url } = await startBroker(async (connection) => {
    await connection.expect(type.connect);
    connection.send(connack(0, keepAlive));
    pings.push((await connection.next()).type);
  });
  const client = connect(url);
  expect(client).toMatchObject({ serverProperties: undefined, keepalive: 60, queueQoSZero: true });
  await next(client, 'connect');
  expect(client).toMatchObject({ serverProperties: { serverKeepAlive: 20 }, keepalive: 20 });
  client.sendPing();
  await vi.waitUntil(() => pings.length > 0);
  expect(pings).toEqual([type.pingreq]);
});

test('a client is an instance of its class, under both names', async () => {
  const client = connect('ws://127.0.0.1:1/');
  expect(client).toBeInstanceOf(mqtt.MqttClient);
  expect(mqtt.Client).toBe(mqtt.MqttClient);
  expect(mqtt.ReasonCodes[0x87]).toBe('Not authorized');
});

test('connectAsync takes options alone, and rejects when the client gives up', async () => {
  const { url } = await startBroker();
  const options = { worker: false, WebSocket };
  const client = await mqtt.connectAsync({ ...options, url });
  clients.push(client);
  expect(client.connected).toBe(true);
  const gaveUp = mqtt.connectAsync({ ...options, url: 'ws://127.0.0.1:1/', reconnectPeriod: 0 });
  await expect(gaveUp).rejects.toMatchObject({ code: 'network' });
});
