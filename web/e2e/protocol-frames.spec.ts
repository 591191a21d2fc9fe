import { expect, type Page, test } from '@playwright/test';
import { openApi } from './support/api';
import { type Server, startServer } from './support/brokers';
import { firstPacket, type ScriptedBroker, serve, startScripted, topicOf, type } from './support/scripted';

let server: Server;
let broker: ScriptedBroker;

test.beforeAll(async () => {
  server = await startServer();
});
test.afterAll(() => server.stop());

test.beforeEach(async ({ page }) => {
  broker = await startScripted((connection) => serve(connection));
  await openApi(page, server.url);
});
test.afterEach(() => broker.stop());

/** Splits each frame into packets; fails if a frame ends within a packet. */
function packetsOf(frame: Buffer) {
  const packets = [];
  for (let rest = frame; rest.length > 0; ) {
    const first = firstPacket(rest);
    if (!first) throw new Error(`a frame of ${frame.length} bytes ends within a packet`);
    packets.push(first.packet);
    rest = rest.subarray(first.size);
  }
  return packets;
}

test('the handshake offers mqtt, and CONNECT has protocol level 5', async ({ page }) => {
  await page.evaluate(async (url) => {
    const client = await window.mqtt.connect(url);
    await client.end();
  }, broker.url);
  const [connection] = broker.connections;
  expect(connection?.offered).toBe('mqtt'); // [MQTT-6.0.0-3]
  const connect = packetsOf(connection?.frames[0] as Buffer);
  expect(connect.map((packet) => packet.type)).toEqual([type.connect]);
  expect(connect[0]?.body.subarray(0, 7)).toEqual(Buffer.from('\0\x04MQTT\x05')); // 3.1.2.1, 3.1.2.2
});

test('a single PUBLISH is exactly one frame, and no frame is empty', async ({ page }) => {
  const sizes = [0, 1, 1000, 70_000, 1 << 20];
  await page.evaluate(
    async ({ url, sizes }) => {
      const client = await window.mqtt.connect(url);
      for (const qos of [0, 1, 2] as const) {
        for (const size of sizes) await client.publish(`frames/${qos}`, window.randomBytes(size), { qos });
      }
      await client.end();
    },
    { url: broker.url, sizes },
  );
  const frames = broker.connections[0]?.frames ?? [];
  expect(frames.filter((frame) => frame.length === 0)).toEqual([]);
  const published = frames.map(packetsOf).filter((packets) => packets.some((p) => p.type === type.publish));
  expect(published.map((packets) => packets.length)).toEqual(Array(15).fill(1));
  // topic length and topic, packet identifier for QoS 1 and 2, empty properties
  const payloads = published.map(([packet]) => {
    const qos = ((packet?.flags ?? 0) >> 1) & 3;
    return { qos, size: (packet?.body.length ?? 0) - 2 - 'frames/0'.length - (qos ? 2 : 0) - 1 };
  });
  expect(payloads).toEqual([0, 1, 2].flatMap((qos) => sizes.map((size) => ({ qos, size }))));
});

/** The packets of each frame with a PUBLISH, for publishes made at once. */
async function publishedAtOnce(page: Page, count: number, size: number) {
  await page.evaluate(
    async ({ url, count, size }) => {
      const client = await window.mqtt.connect(url);
      const payload = new Uint8Array(size);
      await Promise.all(
        Array.from({ length: count }, (_, n) =>
          client.publish(`frames/${n}`, payload, { qos: (n % 3) as 0 | 1 | 2 }),
        ),
      );
      await client.end();
    },
    { url: broker.url, count, size },
  );
  const frames = broker.connections[0]?.frames ?? [];
  expect(frames.filter((frame) => frame.length === 0)).toEqual([]);
  const published = frames.map(packetsOf).filter((packets) => packets.some((p) => p.type === type.publish));
  expect(published.flat().map(topicOf)).toEqual(Array.from({ length: count }, (_, n) => `frames/${n}`));
  return published;
}

test('fifty publishes made at once share a frame, in order', async ({ page }) => {
  const published = await publishedAtOnce(page, 50, 1);
  expect(published.map((packets) => packets.length)).toEqual([50]);
});

test('publishes made at once share frames up to 64 KiB, and no packet is split', async ({ page }) => {
  const published = await publishedAtOnce(page, 30, 5000);
  expect(published.map((packets) => packets.length)).toEqual([13, 13, 4]);
});
