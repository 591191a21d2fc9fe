import { chromium, expect, type Page, type Route, test } from '@playwright/test';
import config from '../playwright.config';
import { violationsOf } from './support/axe';
import { type Mosquitto, type Server, startMosquitto, startServer } from './support/brokers';
import { complaintsOf, connectTo, openSettings, partsOf, showView } from './support/page';

let server: Server;
let mosquitto: Mosquitto;

test.beforeAll(async () => {
  [server, mosquitto] = await Promise.all([startServer(['-default-broker', 'mqtt']), startMosquitto()]);
});
test.afterAll(() => Promise.all([server?.stop(), mosquitto?.stop()]));

const waits = /^loading the client/;

/** Every request for the program goes to `answer`. */
async function onProgram(page: Page, answer: (route: Route) => unknown): Promise<void> {
  await page.context().route('**/*.wasm', answer);
}

/** Holds the program back until it is let go. */
async function holdProgram(page: Page): Promise<() => void> {
  let release = (): void => {};
  const released = new Promise<void>((resolve) => {
    release = resolve;
  });
  await onProgram(page, (route) => released.then(() => route.continue()));
  return release;
}

/** The page, which waits for its program. */
async function openHeld(page: Page) {
  const release = await holdProgram(page);
  await page.goto(server.url);
  const parts = partsOf(page);
  await expect(parts.status).toHaveText(waits);
  return { parts, release };
}

test('a click on Publish before the page is connected is sent when it is, once', async ({ page }) => {
  const { parts, release } = await openHeld(page);
  await parts.publish.click();
  await expect(parts.results).toContainText(['Sending…']);
  release();
  await expect(parts.row(await parts.topic.inputValue(), 'messages: 0')).toHaveCount(1);
  await expect(parts.results).toHaveCount(1);
  await expect(parts.results).toContainText(['Sent']);
});

test('so is a click that starts a repeat', async ({ page }) => {
  const { parts, release } = await openHeld(page);
  await parts.repeat.check();
  await parts.publish.click();
  await expect(parts.results).toContainText(['Sending…']);
  release();
  await expect(parts.row(await parts.topic.inputValue(), 'messages: 1')).toHaveCount(1);
  await parts.stop.click();
});

test('before the program is there the page says so, and its forms are of use', async ({ page }) => {
  const { parts, release } = await openHeld(page);
  await expect(parts.url).toHaveValue(server.mqtt);
  await expect(parts.topic).toHaveValue(/^mqttwasm\/.+/);
  const own = await parts.topic.inputValue();
  await parts.payload.fill('typed meanwhile');
  await parts.qos.selectOption('1');
  await parts.filter.fill('meanwhile/#');
  await parts.subscribe.click();
  const meanwhile = parts.subscriptions.filter({ hasText: 'meanwhile/#' });
  await expect(meanwhile).toContainText('pending');
  await openSettings(page, 'Options');
  await page.getByRole('textbox', { name: 'Client ID' }).fill('typed-meanwhile');
  await showView(page, 'Topics');
  await showView(page, 'Messages');
  expect(await violationsOf(page)).toEqual([]);

  release();
  await expect(parts.status).toHaveText(`connected ${server.mqtt}`);
  await expect(parts.notice).toBeEmpty();
  await expect(parts.topic).toHaveValue(own);
  await expect(meanwhile).toContainText('QoS');
  await parts.publish.click();
  await expect(parts.row(own, 'typed meanwhile')).toHaveCount(1);
});

test('Connect is taken at its word as soon as the program comes', async ({ page }) => {
  const { parts, release } = await openHeld(page);
  await connectTo(parts, mosquitto.mqtt);
  await expect(parts.status).toHaveText(new RegExp(`${waits.source}.*${mosquitto.mqtt}$`));
  release();
  await expect(parts.status).toHaveText(`connected ${mosquitto.mqtt}`);
});

test('Disconnect is too', async ({ page }) => {
  const { parts, release } = await openHeld(page);
  await parts.disconnect.click();
  await expect(parts.status).toHaveText(/^disconnected/);
  await parts.filter.fill('a/#');
  await parts.subscribe.click();
  await expect(page.getByRole('form', { name: 'Subscribe' })).toContainText('Not connected to a broker');
  const loaded = page.waitForResponse('**/*.wasm');
  release();
  await (await loaded).finished();
  await parts.url.fill(mosquitto.mqtt);
  await parts.connect.click();
  await expect(parts.status).toHaveText(`connected ${mosquitto.mqtt}`);
});

test('a program that can’t be had gives the reason, and another try', async ({ page }) => {
  let there = false;
  await onProgram(page, (route) => (there ? route.continue() : route.fulfill({ status: 503 })));
  await page.goto(server.url);
  const parts = partsOf(page);
  await expect(parts.notice).toContainText('The client’s program could not be loaded');
  await expect(parts.notice).toContainText('answered 503');
  await expect(parts.status).toHaveText(/^disconnected/);
  expect(await violationsOf(page)).toEqual([]);

  const again = parts.notice.getByRole('button', { name: 'Try again' });
  await again.click();
  await expect(parts.notice).toContainText('answered 503');
  there = true;
  await again.click();
  await expect(parts.status).toHaveText(`connected ${server.mqtt}`);
  await expect(parts.notice).toBeEmpty();
});

test('a host that sends another type for the program still gives a page that works', async ({ page }) => {
  const complaints = await complaintsOf(page);
  await onProgram(page, async (route) => {
    const response = await route.fetch();
    await route.fulfill({ response, headers: { 'Content-Type': 'application/octet-stream' } });
  });
  await page.goto(server.url);
  await expect(partsOf(page).status).toHaveText(`connected ${server.mqtt}`);
  expect(complaints).toEqual([]);
});

for (const serviceWorkers of ['block', 'allow'] as const) {
  const by = serviceWorkers === 'allow' ? 'the service worker’s copy' : 'the browser’s cache';
  test(`the program is compiled as it streams in, and later comes compiled with ${by}`, async () => {
    const options = config.use?.launchOptions;
    const context = await chromium.launchPersistentContext(test.info().outputPath('profile'), {
      ...options,
      serviceWorkers,
      // Left to itself Chromium keeps what it has compiled only when it is a lot, or after a while.
      args: [...(options?.args ?? []), '--js-flags=--wasm-caching-timeout-ms=0'],
    });
    /** Opens the page, and returns how Chromium says that it came by the program. */
    async function visit(): Promise<string[]> {
      const page = await context.newPage();
      const devtools = await context.newCDPSession(page);
      const seen = new Set<string>();
      const complete = new Promise((resolve) => devtools.once('Tracing.tracingComplete', resolve));
      devtools.on('Tracing.dataCollected', ({ value }) => {
        for (const { name } of value as { name: string }[]) if (name.startsWith('v8.wasm.')) seen.add(name);
      });
      await devtools.send('Tracing.start', {
        transferMode: 'ReportEvents',
        traceConfig: { includedCategories: ['disabled-by-default-devtools.timeline'] },
      });
      await page.goto(server.url);
      await expect(partsOf(page).status).toHaveText(/^connected/);
      if (serviceWorkers === 'allow') {
        await page.evaluate(async () => void (await navigator.serviceWorker.ready));
      }
      await devtools.send('Tracing.end');
      await complete;
      await page.close();
      return [...seen];
    }
    try {
      const first = await visit();
      expect(first).toContain('v8.wasm.streamFromResponseCallback');
      expect(first).not.toContain('v8.wasm.moduleCacheHit');
      // The service worker's copy is another one, of which nothing is compiled at first.
      await expect(async () => expect(await visit()).toContain('v8.wasm.moduleCacheHit')).toPass();
    } finally {
      await context.close();
    }
  });
}
