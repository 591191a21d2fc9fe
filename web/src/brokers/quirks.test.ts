import { afterEach, expect, test } from 'vitest';
import NodeSocket from 'ws';
import { endOnMqtt5, serveAwsIot, serveMqtt3, serveRabbit } from '../../e2e/support/quirks';
import { filtersOf, type Script, startScripted, type } from '../../e2e/support/scripted';
import { type Client, type ConnectOptions, connect } from '../client';
import { sigV4 } from './sigv4';

// The real client against brokers with documented deviations.

const cleanUp: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const one of cleanUp.splice(0).reverse()) await one();
});

async function connected(script: Script, change = (options: ConnectOptions) => options) {
  const broker = await startScripted(script);
  cleanUp.push(broker.stop);
  const options = { url: broker.url, worker: false, WebSocket: NodeSocket, reconnectPeriod: 1 };
  const client = await connect(change(options));
  cleanUp.push(() => client.end());
  return { client, broker };
}

/** Resolves when the connection is lost and re-established, with the error. */
const comesBack = (client: Client) =>
  new Promise<unknown>((resolve) => {
    client.once('close', (error) => void client.once('connect', () => resolve(error)));
  });

test('AWS IoT: the address is signed again for each attempt', async () => {
  let seconds = 0;
  const { client, broker } = await connected(serveAwsIot, (options) =>
    sigV4(options, {
      credentials: { accessKeyId: 'A', secretAccessKey: 'S', sessionToken: 'T' },
      region: 'eu-west-1',
      now: () => Date.UTC(2026, 0, 1, 0, 0, seconds++),
    }),
  );
  const again = comesBack(client);
  broker.connections[0]?.hangUp();
  await again;
  const signatures = broker.connections.map(({ path }) => new URL(path, 'http://x').searchParams);
  expect(signatures.map((query) => query.get('X-Amz-Date'))).toEqual([
    '20260101T000000Z',
    '20260101T000001Z',
  ]);
  const [first, second] = signatures.map((query) => query.get('X-Amz-Signature'));
  expect(first).toMatch(/^[\da-f]{64}$/);
  expect(second).not.toBe(first);
  // The secret is not sent, and client.url holds no credentials.
  expect(broker.connections[0]?.path).not.toContain('AWS4S');
  expect(client.url).toBe(broker.url);
});

test('AWS IoT: errors do not contain the signature', async () => {
  const options = { url: 'ws://127.0.0.1:1/mqtt', worker: false, WebSocket: NodeSocket };
  const credentials = { accessKeyId: 'hunter1', secretAccessKey: 'hunter2', sessionToken: 'hunter3' };
  const error = await connect(sigV4(options, { credentials, region: 'eu-west-1' })).catch((error) => error);
  expect(error).toMatchObject({ code: 'network' });
  expect(`${error.message} ${error.cause} ${error.stack}`).not.toMatch(/hunter|X-Amz/);
});

test('AWS IoT: resubscribing sends packets of eight filters, without identifiers', async () => {
  const packets: string[][][] = [];
  const { client, broker } = await connected((connection) => {
    const mine: string[][] = [];
    packets.push(mine);
    return serveAwsIot(connection, (packet) => {
      if (packet.type === type.subscribe) mine.push(filtersOf(packet));
    });
  });
  const heard: string[] = [];
  const filters = Array.from({ length: 20 }, (_, n) => `device/${n}`);
  await Promise.all(
    filters.map((filter) => client.subscribe(filter, { qos: 1 }, ({ topic }) => void heard.push(topic))),
  );
  const again = comesBack(client);
  broker.connections[0]?.hangUp();
  await again;
  expect(packets[1]?.map(({ length }) => length)).toEqual([8, 8, 4]);
  expect(packets[1]?.flat().sort()).toEqual([...filters].sort());
  await client.publish('device/3', 'x', { qos: 1 });
  expect(heard).toEqual(['device/3']);
});

test.each([
  ['AWS IoT', serveAwsIot],
  ['RabbitMQ', serveRabbit],
] as const)(
  '%s: publishing at QoS 2 is refused locally, and subscribing is granted QoS 1',
  async (_, serve) => {
    const { client } = await connected(serve);
    await expect(client.publish('a', 'x', { qos: 2 })).rejects.toMatchObject({ code: 'unsupported' });
    expect((await client.subscribe('a', { qos: 1 })).qos).toBe(1);
    expect(client.connected).toBe(true);
  },
);

test('RabbitMQ: a subscription requested at QoS 2 gets QoS 1', async () => {
  const { client } = await connected(serveRabbit);
  expect((await client.subscribe('a', { qos: 2 })).qos).toBe(1);
});

test.each([
  ['$SYS', (client) => client.subscribe('$SYS/#')],
  ['more than 128 KB', (client) => client.publish('a', new Uint8Array(140_000), { qos: 1, timeout: 5000 })],
] as [string, (client: Client) => Promise<unknown>][])(
  'AWS IoT: %s closes the connection without a reason, and the client reconnects',
  async (_, ask) => {
    const { client } = await connected(serveAwsIot);
    const again = comesBack(client);
    const asked = ask(client).catch((error: unknown) => error);
    expect(await again).toMatchObject({ code: 'network' });
    await client.end();
    expect(await asked).toBeInstanceOf(Error);
  },
);

test('AWS IoT: a subscription requested at QoS 2 gets no SUBACK', async () => {
  const { client } = await connected(serveAwsIot);
  await expect(client.subscribe('a', { qos: 2, timeout: 50 })).rejects.toMatchObject({ code: 'timeout' });
});

test('a broker that speaks only MQTT 3.1.1 ends the client, with an explanation', async () => {
  await expect(connected(serveMqtt3)).rejects.toMatchObject({
    code: 'protocol',
    message: expect.stringContaining('MQTT 3.1.1 only'),
  });
  for (const how of ['close', 'hangUp'] as const) {
    await expect(connected(endOnMqtt5(how))).rejects.toMatchObject({
      code: 'network',
      message: expect.stringContaining('before CONNACK'),
    });
  }
});
