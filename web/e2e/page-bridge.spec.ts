import { expect, test } from '@playwright/test';
import { type Mosquitto, type Server, startMosquitto, startServer } from './support/brokers';
import { openConnected } from './support/page';

// Two servers, each with its own broker, and a bridge between the brokers: the deployment guide's first step
// beyond one machine.

let brokers: Mosquitto[] = [];
let servers: Server[] = [];

test.beforeAll(async () => {
  const far = await startMosquitto();
  const near = await startMosquitto(undefined, [
    'connection to-the-other',
    `address 127.0.0.1:${far.tcpPort}`,
    'topic # both 2',
    'bridge_protocol_version mqttv50',
    'cleansession false',
  ]);
  brokers = [near, far];
  servers = await Promise.all(brokers.map(({ mqtt }) => startServer(['-default-broker', mqtt])));
  // Once the bridge has subscribed it misses nothing.
  await near.printed(/Received SUBACK from/);
});

test.afterAll(() => Promise.all([...servers, ...brokers].map((running) => running.stop())));

test('a page at one server sees what a page at the other sends, both ways', async ({ context }) => {
  const pages = await Promise.all(
    servers.map(async (server, i) => {
      const parts = await openConnected(await context.newPage(), server.url);
      await expect(parts.status).toHaveText(`connected ${brokers[i]?.mqtt}`);
      await parts.filter.fill('bridge/#');
      await parts.subscribe.click();
      await expect(parts.subscriptions.filter({ hasText: 'bridge/#' })).toHaveCount(1);
      return parts;
    }),
  );
  const [one, other] = pages;
  if (!one || !other) throw new Error('two servers are needed');
  for (const [from, to, payload] of [
    [one, other, 'from the first'],
    [other, one, 'from the second'],
  ] as const) {
    await from.topic.fill('bridge/hello');
    await from.payload.fill(payload);
    await from.qos.selectOption('2');
    await from.publish.click();
    await expect(to.row('bridge/hello', payload)).toHaveCount(1);
    // The message did not loop back.
    await expect(from.row('bridge/hello', payload)).toHaveCount(1);
  }
  for (const { rows } of pages) await expect(rows).toHaveCount(2);
});
