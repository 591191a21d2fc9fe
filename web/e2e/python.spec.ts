import { createServer } from 'node:net';
import { fileURLToPath } from 'node:url';
import { expect, test } from '@playwright/test';
import { openApi } from './support/api';
import { type Server, startServer } from './support/brokers';
import { type Running, start } from './support/process';

// The system's python3, which Debian's python3-paho-mqtt belongs to.
const python = '/usr/bin/python3';
const topic = '/python/mqtt';

let server: Server;
let programs: Running[] = [];

test.beforeAll(async () => {
  // The README's port, if it is free.
  const usual = await isFree(1883);
  server = await startServer(['-default-broker', '/mqtt'], usual ? 1883 : undefined);
});
test.afterAll(() => server.stop());
test.afterEach(async () => {
  await Promise.all(programs.map((program) => program.stop()));
  programs = [];
});

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = createServer();
    probe.once('error', () => resolve(false));
    probe.listen(port, '127.0.0.1', () => probe.close(() => resolve(true)));
  });
}

function run(script: string, ...more: string[]): Running {
  const path = fileURLToPath(new URL(`support/${script}`, import.meta.url));
  const program = start(python, [path, '127.0.0.1', String(server.tcpPort), topic, ...more]);
  programs.push(program);
  return program;
}

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');
const texts = ['hello', '温度：23 ℃', '👋🏽 👨‍👩‍👧‍👦', '\ufeffmit BOM, äöü'];
/** Every byte value, and not valid UTF-8. */
const binary = Uint8Array.from({ length: 256 }, (_, index) => 255 - index);

test('messages that Python publishes once a second appear on the page', async ({ page }) => {
  await page.goto(server.url);
  await expect(page.getByRole('status', { name: 'Connection' })).toHaveText(/^connected/);
  const form = page.getByRole('form', { name: 'Subscribe' });
  await form.getByRole('textbox', { name: 'Topic filter' }).fill(topic);
  await form.getByRole('button', { name: 'Subscribe' }).click();
  const subscription = page.getByRole('list', { name: 'Subscriptions' }).getByRole('listitem');
  await expect(subscription.filter({ hasText: topic })).toContainText('QoS 0');

  const publisher = run('publish.py');
  const log = page.getByRole('log', { name: 'Messages' });
  for (const n of [0, 1, 2]) {
    const row = log.locator('.row', { hasText: `messages: ${n}` });
    await expect(row).toHaveCount(1);
    await expect(row).toContainText(topic);
  }
  expect(publisher.output()).toMatch(
    /^Connected to MQTT Broker!\nSend `messages: 0` to topic `\/python\/mqtt`\n/,
  );
});

test('text and bytes from Python are shown as text and as binary', async ({ page }) => {
  await page.goto(server.url);
  await expect(page.getByRole('status', { name: 'Connection' })).toHaveText(/^connected/);
  const form = page.getByRole('form', { name: 'Subscribe' });
  await form.getByRole('textbox', { name: 'Topic filter' }).fill('/python/#');
  await form.getByRole('button', { name: 'Subscribe' }).click();
  const subscription = page.getByRole('list', { name: 'Subscriptions' }).getByRole('listitem');
  await expect(subscription.filter({ hasText: '/python/#' })).toContainText('QoS 0');

  const shown = texts.slice(0, 3);
  run('publish.py', ...shown.map((text) => hex(Buffer.from(text))), hex(binary));
  const rows = page.getByRole('log', { name: 'Messages' }).locator('.row');
  await expect(rows).toHaveCount(4);
  for (const [index, text] of shown.entries()) {
    await expect(rows.nth(index).locator('.row-payload')).toHaveText(text);
  }
  await expect(rows.nth(3)).toContainText('binary');
  await expect(rows.nth(3)).toContainText('ff fe fd fc');
});

test('Python receives messages that the page publishes', async ({ page }) => {
  const subscriber = run('subscribe.py');
  await subscriber.printed(/Subscribed/);
  await page.goto(server.url);
  await expect(page.getByRole('status', { name: 'Connection' })).toHaveText(/^connected/);
  const form = page.getByRole('form', { name: 'Publish' });
  await form.getByRole('textbox', { name: 'Topic' }).fill(topic);
  for (const text of ['hello', '温度：23 ℃', '👋🏽 👨‍👩‍👧‍👦', 'two\nlines']) {
    await form.getByRole('textbox', { name: 'Payload' }).fill(text);
    await form.getByRole('button', { name: 'Publish' }).click();
    await subscriber.printed(new RegExp(`\\(${hex(Buffer.from(text))}\\) from \`${topic}\` topic`));
  }
  expect(subscriber.output()).toContain('Received `温度：23 ℃` (');
});

test('bytes and text arrive unchanged, from Python and at Python', async ({ page }) => {
  const subscriber = run('subscribe.py');
  await subscriber.printed(/Subscribed/);
  await openApi(page, server.url);
  const payloads = [...texts.map((text) => hex(Buffer.from(text))), hex(binary)];
  await page.evaluate(
    async ({ url, topic, count }) => {
      const client = await window.mqtt.connect(url);
      const messages = await client.subscribe(topic, { nl: true });
      window.received = (async () => {
        const payloads: number[][] = [];
        for await (const { payload } of messages) {
          payloads.push([...payload]);
          await client.publish(topic, payload, { qos: 1 });
          if (payloads.length === count) break;
        }
        await client.end();
        return payloads;
      })();
    },
    { url: server.mqtt, topic, count: payloads.length },
  );
  run('publish.py', ...payloads);
  const received = await page.evaluate(() => window.received);
  expect(received.map((bytes) => hex(Uint8Array.from(bytes)))).toEqual(payloads);
  // Python gets each twice: its own and the page's.
  for (const payload of payloads) {
    await subscriber.printed(new RegExp(`\\(${payload}\\)[^]*\\(${payload}\\)`));
  }
});

declare global {
  interface Window {
    /** The bytes of each payload, as plain arrays that Playwright can serialise. */
    received: Promise<number[][]>;
  }
}
