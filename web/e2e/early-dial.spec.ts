/** A client opens its WebSocket while its program is still loading. */

import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, type Page, test } from '@playwright/test';
import type { ConnectOptions } from '../src/client';
import { type Server, startServer } from './support/brokers';
import { type Script, type ScriptedBroker, serve, startScripted } from './support/scripted';

let server: Server;
let broker: ScriptedBroker;
let script: Script;
/** Resolves when a client has opened a WebSocket. */
let dialled: Promise<void>;

test.beforeAll(async () => {
  server = await startServer();
});
test.afterAll(() => server.stop());

test.beforeEach(async ({ page }) => {
  let tell = (): void => {};
  dialled = new Promise((resolve) => {
    tell = resolve;
  });
  script = (connection) => serve(connection);
  broker = await startScripted((connection) => {
    tell();
    return script(connection);
  });
  await page.goto(`${server.url}/healthz`);
});
test.afterEach(() => broker.stop());

/** Holds back the program until `until` resolves. */
const holdProgram = (page: Page, until: () => Promise<unknown>) =>
  page.route(/\.wasm$/, async (route) => {
    await until();
    await route.continue();
  });

/** Resolves with the events so far when the client is connected. */
const connectIn = (page: Page, options: ConnectOptions = {}) =>
  page.evaluate(
    async ({ url, options }) => {
      const { createClient } = (await import('/mqttwasm.js' as string)) as typeof import('../src/client');
      const client = createClient(url, options);
      const events: string[] = [];
      for (const event of ['error', 'close', 'reconnect'] as const)
        client.on(event, () => events.push(event));
      await new Promise<void>((resolve) => client.on('connect', () => resolve()));
      const before = [...events];
      await client.end();
      return before;
    },
    { url: broker.url, options },
  );

test('the WebSocket is opened before the program has loaded, and the program uses it', async ({ page }) => {
  await holdProgram(page, () => dialled);
  expect(await connectIn(page)).toEqual([]);
  expect(broker.connections).toHaveLength(1);
  expect(broker.connections[0]?.offered).toBe('mqtt');
});

test('a WebSocket that the broker closed before the program loaded is replaced silently', async ({
  page,
}) => {
  let left = (): void => {};
  const closed = new Promise<void>((resolve) => {
    left = resolve;
  });
  script = async (connection) => {
    if (broker.connections.length > 1) return serve(connection);
    connection.close();
    await connection.next().catch(left);
  };
  await holdProgram(page, () => closed);
  expect(await connectIn(page)).toEqual([]);
  expect(broker.connections).toHaveLength(2);
});

test('a client that ends while its program loads closes the WebSocket', async ({ page }) => {
  let left = (): void => {};
  const closed = new Promise<void>((resolve) => {
    left = resolve;
  });
  script = (connection) => connection.next().then(() => {}, left);
  await holdProgram(page, () => closed);
  await page.evaluate(async (url) => {
    const { createClient } = (await import('/mqttwasm.js' as string)) as typeof import('../src/client');
    Object.assign(globalThis, { client: createClient(url) });
  }, broker.url);
  await dialled;
  await page.evaluate(() => (globalThis as unknown as { client: { end(): Promise<void> } }).client.end());
  await closed;
  expect(broker.connections[0]?.frames).toEqual([]);
});

test('a WebSocket that fails to open counts as one failed attempt', async ({ page }) => {
  let attempts = 0;
  let refuse = (): void => {};
  const refused = new Promise<void>((resolve) => {
    refuse = resolve;
  });
  const host = createServer();
  host.on('upgrade', (_, socket) => {
    attempts++;
    socket.end('HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n', refuse);
  });
  await new Promise<void>((resolve) => host.listen(0, '127.0.0.1', resolve));
  await holdProgram(page, () => refused);
  const code = await page.evaluate(
    async (url) => {
      const mqtt = (await import('/mqttwasm.js' as string)) as typeof import('../src/client');
      return mqtt.connect(url).catch((error: unknown) => error instanceof mqtt.MqttError && error.code);
    },
    `ws://127.0.0.1:${(host.address() as AddressInfo).port}/mqtt`,
  );
  await new Promise((resolve) => host.close(resolve));
  expect([code, attempts]).toEqual(['network', 1]);
});

test('reloading the page while the program loads leaves no WebSocket open', async ({ page }) => {
  let left = (): void => {};
  const closed = new Promise<void>((resolve) => {
    left = resolve;
  });
  script = (connection) => {
    if (broker.connections.length > 1) return serve(connection);
    return connection.next().then(() => {}, left);
  };
  await holdProgram(page, () => closed);
  const first = connectIn(page).catch(() => {}); // rejects when the page reloads
  await dialled;
  await page.reload();
  await first;
  await closed;
  expect(await connectIn(page)).toEqual([]);
  expect(broker.connections).toHaveLength(2);
});

for (const [form, options] of [
  ['a shared worker', { shared: true }],
  ['no worker', { worker: false }],
] as [string, ConnectOptions][]) {
  test(`${form}: the program opens the only WebSocket`, async ({ page }) => {
    expect(await connectIn(page, options)).toEqual([]);
    expect(broker.connections).toHaveLength(1);
  });
}
