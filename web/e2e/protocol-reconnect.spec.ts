import { expect, test } from '@playwright/test';
import { openApi } from './support/api';
import { type Server, startMosquitto, startServer } from './support/brokers';
import { freePort } from './support/process';
import { answerTo, connack, filtersOf, publish, startScripted, type } from './support/scripted';

let server: Server;
let brokers: { stop(): Promise<void> }[] = [];

test.beforeAll(async () => {
  server = await startServer();
});
test.afterAll(() => server.stop());
test.afterEach(async () => {
  await Promise.all(brokers.map((broker) => broker.stop()));
  brokers = [];
});
test.beforeEach(({ page }) => openApi(page, server.url));

declare global {
  interface Window {
    lost: import('../src/client').Client;
    events: string[];
    heard: AsyncIterator<import('../src/client').Message>;
  }
}

test('the broker stops and restarts: the client reconnects and resubscribes', async ({ page }) => {
  const port = await freePort();
  const first = await startMosquitto(port);
  brokers.push(first);
  await page.evaluate(async (url) => {
    const client = await window.mqtt.connect(url, { reconnectPeriod: 20 });
    window.lost = client;
    window.events = [];
    for (const event of ['close', 'reconnect', 'connect', 'end'] as const) {
      client.on(event, () => {
        if (window.events.at(-1) !== event) window.events.push(event);
      });
    }
    window.heard = (await client.subscribe('back/#', { qos: 1 }))[Symbol.asyncIterator]();
    await client.publish('back/1', 'before', { qos: 1 });
  }, first.mqtt);
  const text = () => page.evaluate(async () => (await window.heard.next()).value?.text());
  expect(await text()).toBe('before');

  await first.stop();
  await page.waitForFunction(() => window.events.includes('reconnect'));
  expect(await page.evaluate(() => [window.lost.state, window.lost.connected])).toEqual([
    'reconnecting',
    false,
  ]);

  brokers = [await startMosquitto(port)];
  await page.waitForFunction(() => window.events.at(-1) === 'connect');
  await page.evaluate(() => window.lost.publish('back/2', 'after', { qos: 1 }));
  expect(await text()).toBe('after');
  expect(await page.evaluate(() => window.events)).toEqual(['connect', 'close', 'reconnect', 'connect']);
  await page.evaluate(() => window.lost.end());
  expect((await page.evaluate(() => window.events)).slice(4)).toEqual(['close', 'end']);
});

test('subscriptions at the time of the loss are restored before the next message', async ({ page }) => {
  const again: string[] = [];
  const broker = await startScripted(async (connection) => {
    const round = broker.connections.length;
    await connection.expect(type.connect);
    connection.send(connack());
    for (;;) {
      const packet = await connection.next();
      const answer = answerTo(packet);
      if (answer) connection.send(answer);
      if (round === 1 && packet.type === type.publish) connection.hangUp();
      if (round === 2 && packet.type === type.subscribe) {
        again.push(...filtersOf(packet));
        if (again.length === 2) connection.send(publish('kept/x', 'welcome back'));
      }
    }
  });
  brokers.push(broker);
  const text = await page.evaluate(async (url) => {
    const client = await window.mqtt.connect(url, { reconnectPeriod: 10 });
    const dropped = await client.subscribe('dropped');
    const messages = (await client.subscribe(['kept/+', 'kept/too'], { qos: 1 }))[0]?.[
      Symbol.asyncIterator
    ]();
    await dropped.unsubscribe();
    await client.publish('please/drop', '');
    const text = (await messages?.next())?.value?.text();
    await client.end();
    return text;
  }, broker.url);
  expect(text).toBe('welcome back');
  expect(again.sort()).toEqual(['kept/+', 'kept/too']);
  expect(broker.connections).toHaveLength(2);
});
