import { expect, type Page, test } from '@playwright/test';
import type { ConnectOptions } from '../src/client';
import { openApi } from './support/api';
import { type Server, startServer } from './support/brokers';
import { type ScriptedBroker, serve, startScripted } from './support/scripted';

declare global {
  interface Window {
    stored: import('../src/client').Client;
    /** The error's code, or `connected`. */
    connecting: Promise<string>;
    /** Payloads that the handlers received. */
    got: string[];
  }
}

let server: Server;
let broker: ScriptedBroker;

test.beforeAll(async () => {
  server = await startServer();
  broker = await startScripted((connection) => serve(connection));
});
test.afterAll(() => Promise.all([server.stop(), broker.stop()]));
test.beforeEach(({ page }) => openApi(page, server.url));

const store: ConnectOptions = { clientId: 'one', store: 'indexeddb' };

/** Starts connecting a client with a store. */
async function begin(page: Page, options: ConnectOptions = store): Promise<void> {
  await page.evaluate(
    ({ url, options }) => {
      window.connecting = window.mqtt.connect(url, options).then(
        (client) => {
          window.stored = client;
          return 'connected';
        },
        (error) => error.code as string,
      );
    },
    { url: broker.url, options },
  );
}

const outcome = (page: Page) => page.evaluate(() => window.connecting);

for (const [wrong, field, options] of [
  ['a store without clientId', 'clientId', { store: 'indexeddb' }],
  ['a store with clean', 'clean', { ...store, clean: true }],
  [
    'a store whose session ends with the connection',
    'properties.sessionExpiryInterval',
    { ...store, properties: { sessionExpiryInterval: 0 } },
  ],
  ['another store', 'store', { clientId: 'one', store: 'sqlite' as never }],
] as [string, string, ConnectOptions][]) {
  test(`${wrong} is a bad option`, async ({ page }) => {
    const error = await page.evaluate(
      ({ url, options }) => window.failure(window.mqtt.connect(url, options)),
      { url: broker.url, options },
    );
    expect(error).toMatchObject({ name: 'MqttError', code: 'bad-option', field });
  });
}

test("waitFor 'stored' needs a store, and QoS 1 or 2", async ({ page }) => {
  await begin(page);
  expect(await outcome(page)).toBe('connected');
  const errors = await page.evaluate(async (url) => {
    const plain = await window.mqtt.connect(url);
    const errors = [
      await window.failure(plain.publish('t', 'x', { qos: 1, waitFor: 'stored' })),
      await window.failure(window.stored.publish('t', 'x', { waitFor: 'stored' })),
    ];
    await plain.end();
    await window.stored.end();
    return errors;
  }, broker.url);
  for (const error of errors) expect(error).toMatchObject({ code: 'bad-option', field: 'waitFor' });
});

/** Connects with a store, and subscribes before the first message is delivered. */
async function subscribe(page: Page, handling: 'finishes' | 'never ends'): Promise<void> {
  await page.evaluate(
    async ({ url, options, handling }) => {
      window.got = [];
      window.stored = await window.mqtt.connect(url, options);
      await window.stored.subscribe('kept', { qos: 2 }, (message) => {
        window.got.push(message.text());
        return handling === 'finishes' ? undefined : new Promise(() => {});
      });
    },
    { url: server.mqtt, options: store, handling },
  );
}

const publishKept = (page: Page, text: string) =>
  page.evaluate(
    async ({ url, text }) => {
      const client = await window.mqtt.connect(url);
      await client.publish('kept', text, { qos: 2 });
      await client.end();
    },
    { url: server.mqtt, text },
  );

const got = async (page: Page) => {
  await page.waitForFunction(() => window.got.length > 0);
  return page.evaluate(() => window.got);
};

test('messages that the broker queued while no page was open reach an early subscriber', async ({ page }) => {
  await subscribe(page, 'finishes');
  await page.evaluate(() => window.stored.end());
  await openApi(page, server.url);
  await publishKept(page, 'while you were out');
  await subscribe(page, 'finishes');
  expect(await got(page)).toEqual(['while you were out']);
  await page.evaluate(() => window.stored.end({ properties: { sessionExpiryInterval: 0 } }));
});

test('a QoS 2 message whose handler had not finished when the page died is redelivered', async ({ page }) => {
  await subscribe(page, 'never ends');
  await publishKept(page, 'first');
  expect(await got(page)).toEqual(['first']);
  await openApi(page, server.url);
  await subscribe(page, 'finishes');
  expect(await got(page)).toEqual(['first']);
  await page.evaluate(() => window.stored.end());
  // Once handled, it is not redelivered again.
  await openApi(page, server.url);
  await subscribe(page, 'finishes');
  await publishKept(page, 'second');
  expect(await got(page)).toEqual(['second']);
  await page.evaluate(() => window.stored.end({ properties: { sessionExpiryInterval: 0 } }));
});

for (const worker of [true, false]) {
  test.describe(`worker: ${worker}`, () => {
    test('a second tab waits 5 s for the store, then fails with in-use', async ({ page }) => {
      const other = await page.context().newPage();
      await openApi(other, server.url);
      await begin(page, { ...store, worker });
      expect(await outcome(page)).toBe('connected');
      await begin(other, { ...store, worker });
      expect(await outcome(other)).toBe('in-use');
      // Another clientId uses another store.
      await begin(other, { ...store, worker, clientId: 'two' });
      expect(await outcome(other)).toBe('connected');
      // The first client is unaffected.
      expect(await page.evaluate(() => window.stored.publish('t', 'x', { qos: 2 }))).toMatchObject({
        reasonCode: 0,
      });
      await page.evaluate(() => window.stored.end());
      await begin(other, { ...store, worker });
      expect(await outcome(other)).toBe('connected');
    });

    test('a waiting second tab gets the store when the first one is closed', async ({ page }) => {
      const other = await page.context().newPage();
      await openApi(other, server.url);
      await begin(other, { ...store, worker });
      expect(await outcome(other)).toBe('connected');
      await begin(page, { ...store, worker });
      await other.close();
      expect(await outcome(page)).toBe('connected');
    });

    test('without storage space publishing fails, and works again once there is some', async ({ page }) => {
      const devtools = await page.context().newCDPSession(page);
      const setQuota = (quotaSize?: number) =>
        devtools.send('Storage.overrideQuotaForOrigin', {
          origin: server.url,
          ...(quotaSize !== undefined && { quotaSize }),
        });
      // Set before anything is stored, because Chromium caches the remaining quota for a while.
      await setQuota(1 << 20);
      await begin(page, { ...store, worker });
      expect(await outcome(page)).toBe('connected');
      const publish = (size: number, waitFor: 'stored' | 'acknowledged') =>
        page.evaluate(
          ({ size, waitFor }) =>
            window.stored.publish('t', window.randomBytes(size), { qos: 1, waitFor }).then(
              () => 'ok',
              (error) => `${error.code}: ${error.message}`,
            ),
          { size, waitFor },
        );
      expect(await publish(1000, 'stored')).toBe('ok');
      for (const waitFor of ['stored', 'acknowledged'] as const) {
        expect(await publish(4 << 20, waitFor)).toMatch(/^storage: .*no room is left/);
      }
      await setQuota();
      expect(await publish(4 << 20, 'acknowledged')).toBe('ok');
      expect(await page.evaluate(() => window.stored.state)).toBe('connected');
    });
  });
}

test("publishes settle, and the store is free again, when the site's data are deleted meanwhile", async ({
  page,
}) => {
  const devtools = await page.context().newCDPSession(page);
  for (let round = 0; round < 10; round++) {
    await begin(page);
    expect(await outcome(page)).toBe('connected');
    const failures = page.evaluate(async () => {
      const publishing = Array.from({ length: 4 }, async () => {
        for (;;) await window.stored.publish('t', 'x', { qos: 1, waitFor: 'stored' });
      });
      return (await Promise.all(publishing.map(window.failure))).map(({ code }) => code);
    });
    await devtools.send('Storage.clearDataForOrigin', { origin: server.url, storageTypes: 'indexeddb' });
    expect(await failures).toEqual(Array(4).fill('storage'));
    await page.evaluate(() => window.stored.end());
  }
});
