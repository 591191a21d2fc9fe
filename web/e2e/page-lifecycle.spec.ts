import { type Browser, type BrowserContext, chromium, expect, test } from '@playwright/test';
import config from '../playwright.config';
import { openApi } from './support/api';
import { type Mosquitto, type Server, startMosquitto, startServer } from './support/brokers';
import { startGate } from './support/gate';
import { type Packet, type ScriptedBroker, serve, startScripted, type } from './support/scripted';

declare global {
  interface Window {
    client: import('../src/client').Client;
    happened: unknown[];
  }
}

let server: Server;
let parts: { stop(): Promise<void> }[] = [];

test.beforeAll(async () => {
  server = await startServer();
});
test.afterAll(() => server.stop());
test.afterEach(async () => {
  for (const part of parts.reverse()) await part.stop();
  parts = [];
});

function started<T extends { stop(): Promise<void> }>(part: T): T {
  parts.push(part);
  return part;
}

test.describe('with the back-forward cache', { tag: '@timed' }, () => {
  let browser: Browser;
  let context: BrowserContext;
  let broker: Mosquitto;

  test.beforeAll(async () => {
    browser = await chromium.launch({
      ...config.use?.launchOptions,
      ignoreDefaultArgs: ['--disable-back-forward-cache'],
    });
  });
  test.afterAll(() => browser.close());
  test.beforeEach(async () => {
    context = await browser.newContext();
    broker = started(await startMosquitto());
  });
  test.afterEach(() => context.close());

  test('a page in the back-forward cache disconnects, and resumes its session when restored', async () => {
    const [page, other] = [await context.newPage(), await context.newPage()];
    await openApi(page, server.url);
    await openApi(other, server.url);
    await page.evaluate(async (url) => {
      window.happened = [];
      const properties = { sessionExpiryInterval: 60 };
      const client = await window.mqtt.connect(url, {
        clientId: 'left',
        reconnectPeriod: 30_000,
        properties,
      });
      await client.subscribe('meanwhile', { qos: 1 }, (message) => window.happened.push(message.text()));
      addEventListener('pageshow', ({ persisted }) => window.happened.push({ persisted }));
      client.on('connect', ({ sessionPresent }) => window.happened.push({ sessionPresent }));
      window.client = client;
    }, broker.mqtt);

    await page.goto(`${server.url}/healthz?elsewhere`);
    await broker.printed(/Received DISCONNECT from left/);
    await other.evaluate(async (url) => {
      const client = await window.mqtt.connect(url);
      await client.publish('meanwhile', 'you were away', { qos: 1 });
      await client.end();
    }, broker.mqtt);

    await page.goBack({ waitUntil: 'commit' }); // `load` does not fire again
    await page.waitForFunction(() => window.happened?.includes('you were away'));
    expect(await page.evaluate(() => window.happened)).toEqual([
      { persisted: true },
      { sessionPresent: true },
      'you were away',
    ]);
  });

  test('a page in the back-forward cache lets its store go, and reads it anew when restored', async () => {
    const page = await context.newPage();
    const open = async (query: string) => {
      await openApi(page, server.url, query);
      // Who asks for the lock in the moment before it is given back makes Chromium discard the page.
      await page.waitForFunction(async () => (await navigator.locks.query()).held?.length === 0);
      await page.evaluate(async (url) => {
        window.happened = [];
        const client = await window.mqtt.connect(url, { clientId: 'kept', store: 'indexeddb' });
        await client.subscribe('kept', { qos: 2 }, (message) => window.happened.push(message.text()));
        addEventListener('pageshow', ({ persisted }) => window.happened.push({ persisted }));
        for (const event of ['reconnect', 'end'] as const) {
          client.on(event, () => window.happened.push(event));
        }
        window.client = client;
      }, broker.mqtt);
    };
    await open('?first');
    await open('?second');
    await page.evaluate(() => window.client.publish('kept', 'x', { qos: 2 }));
    await page.goBack({ waitUntil: 'commit' });
    const [loaded] = await page.evaluate(() =>
      performance.getEntriesByType('navigation').map((entry) => entry.toJSON()),
    );
    expect(loaded?.notRestoredReasons, 'why the page was loaded anew').toBeNull();
    await page.waitForFunction(() => window.happened?.includes('reconnect') && window.client.connected);
    await page.evaluate(() => window.client.publish('kept', 'y', { qos: 2 }));
    await page.waitForFunction(() => window.happened.includes('y'));
    expect(await page.evaluate(() => window.happened)).toEqual([{ persisted: true }, 'reconnect', 'y']);
  });

  test('a page in the back-forward cache does not block others that share its connection', async () => {
    const join = async () => {
      const tab = await context.newPage();
      await openApi(tab, server.url);
      await tab.evaluate(async (url) => {
        window.happened = [];
        const client = await window.mqtt.connect(url, { shared: true });
        await client.subscribe('all', { qos: 1 }, (message) => window.happened.push(message.text()));
        addEventListener('pageshow', ({ persisted }) => window.happened.push({ persisted }));
        for (const event of ['close', 'end'] as const) client.on(event, () => window.happened.push(event));
        window.client = client;
      }, broker.mqtt);
      return tab;
    };
    const [page, other] = [await join(), await join()];
    const publish = async (text: string) => {
      await other.evaluate((text) => window.client.publish('all', text, { qos: 1 }), text);
      await other.waitForFunction((text) => window.happened.includes(text), text);
    };
    await publish('both');
    await page.waitForFunction(() => window.happened.includes('both'));
    await page.goto(`${server.url}/healthz?elsewhere`);
    // One that comes meanwhile does not throw it out of the cache.
    await join();
    for (const text of ['one', 'two', 'three']) await publish(text);
    await page.goBack({ waitUntil: 'commit' });
    await page.waitForFunction(() => window.happened?.includes('three'));
    await page.evaluate(() => window.client.publish('all', 'both again', { qos: 1 }));
    for (const tab of [page, other]) await tab.waitForFunction(() => window.happened.includes('both again'));
    // Messages that the other tab received meanwhile were held for this one.
    const seen = await page.evaluate(() => window.happened);
    expect(seen).toContainEqual({ persisted: true });
    expect(seen.filter((what) => typeof what === 'string')).toEqual([
      'both',
      'one',
      'two',
      'three',
      'both again',
    ]);
    expect(await other.evaluate(() => window.happened)).toEqual([
      'both',
      'one',
      'two',
      'three',
      'both again',
    ]);
  });
});

test('closing the tab ends the connection, with DISCONNECT if there is time', async ({ page }) => {
  const packets: Packet[] = [];
  let end = (): void => {};
  const ended = new Promise<void>((resolve) => {
    end = resolve;
  });
  const broker = started(
    await startScripted((connection) => serve(connection, (packet) => packets.push(packet)).finally(end)),
  );
  await openApi(page, server.url);
  await page.evaluate(async (url) => {
    window.client = await window.mqtt.connect(url);
  }, broker.url);
  await page.close();
  await ended;
  // 0x00, also when omitted: the broker does not publish the will (3.14.2.1).
  for (const { type: kind, body } of packets) expect([kind, body[0] ?? 0]).toEqual([type.disconnect, 0]);
});

test('an online event triggers the next attempt at once', async ({ page }) => {
  const gate = started(await startGate(server.mqtt));
  await openApi(page, server.url);
  await page.evaluate(async (url) => {
    window.happened = [];
    const client = await window.mqtt.connect(url, { reconnectPeriod: 30_000 });
    for (const event of ['offline', 'close', 'connect'] as const) {
      client.on(event, () => window.happened.push(event));
    }
    client.on('reconnect', ({ delay }) => {
      // The back-off is random; a short delay would prove nothing.
      if (delay > 15_000) window.happened.push('long wait');
      else dispatchEvent(new Event('online'));
    });
  }, gate.url);
  gate.shut();
  await page.waitForFunction(() => window.happened.includes('long wait'));
  gate.open();
  await page.evaluate(() => {
    window.happened = [];
    dispatchEvent(new Event('online'));
  });
  await page.waitForFunction(() => window.happened.includes('connect'), undefined, { timeout: 5000 });
  expect(await page.evaluate(() => window.happened)).toEqual(['connect']);
});

test('offline is reported, and the client reconnects at once if the network works anyway', async ({
  page,
}) => {
  const gate = started(await startGate(server.mqtt));
  await openApi(page, server.url);
  await page.evaluate(async (url) => {
    window.happened = [];
    const client = await window.mqtt.connect(url);
    for (const event of ['offline', 'close'] as const) client.on(event, () => window.happened.push(event));
    window.client = client;
    dispatchEvent(new Event('offline'));
  }, gate.url);
  await gate.answered(type.pingresp, 1);
  await page.evaluate(() => window.client.publish('still', 'here', { qos: 1 }));
  expect(await page.evaluate(() => window.happened)).toEqual(['offline']);
});

test('a dead connection is detected when the page becomes visible', async ({ page }) => {
  const broker: ScriptedBroker = started(
    await startScripted(async (connection) => {
      await serve(connection, ({ type: kind }) => {
        if (kind === type.publish && broker.connections[0] === connection) connection.goSilent();
      });
    }),
  );
  await openApi(page, server.url);
  await page.evaluate(async (url) => {
    window.client = await window.mqtt.connect(url, { reconnectPeriod: 1 });
    await window.client.publish('please/die', '');
  }, broker.url);
  const seconds = await page.evaluate(async () => {
    const again = new Promise((resolve) => window.client.once('connect', resolve));
    const since = performance.now();
    document.dispatchEvent(new Event('visibilitychange'));
    await again;
    return (performance.now() - since) / 1000;
  });
  expect(seconds).toBeLessThan(10); // 5 for the PINGRESP timeout, 1 for the socket to close
  expect(broker.connections).toHaveLength(2);
});
