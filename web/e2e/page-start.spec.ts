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

/** Routes every request for the program to `answer`. */
async function onProgram(page: Page, answer: (route: Route) => unknown): Promise<void> {
  await page.context().route('**/*.wasm', answer);
}

/** Holds back the program until released. */
async function holdProgram(page: Page): Promise<() => void> {
  let release = (): void => {};
  const released = new Promise<void>((resolve) => {
    release = resolve;
  });
  await onProgram(page, (route) => released.then(() => route.continue()));
  return release;
}

/** Opens the page while its program is held back. */
async function openHeld(page: Page) {
  const release = await holdProgram(page);
  await page.goto(server.url);
  const parts = partsOf(page);
  await expect(parts.status).toHaveText(waits);
  return { parts, release };
}

test('a click on Publish before connecting is sent once connected, and only once', async ({ page }) => {
  const { parts, release } = await openHeld(page);
  await parts.publish.click();
  await expect(parts.results).toContainText(['Sending…']);
  release();
  await expect(parts.row(await parts.topic.inputValue(), 'messages: 0')).toHaveCount(1);
  await expect(parts.results).toHaveCount(1);
  await expect(parts.results).toContainText(['Sent']);
});

test('a click that starts a repeat is, too', async ({ page }) => {
  const { parts, release } = await openHeld(page);
  await parts.repeat.check();
  await parts.publish.click();
  await expect(parts.results).toContainText(['Sending…']);
  release();
  await expect(parts.row(await parts.topic.inputValue(), 'messages: 1')).toHaveCount(1);
  await parts.stop.click();
});

test('before the program has loaded the page says so, and its forms can be used', async ({ page }) => {
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

test('Connect clicked before the program has loaded takes effect when it has', async ({ page }) => {
  const { parts, release } = await openHeld(page);
  await connectTo(parts, mosquitto.mqtt);
  await expect(parts.status).toHaveText(new RegExp(`${waits.source}.*${mosquitto.mqtt}$`));
  release();
  await expect(parts.status).toHaveText(`connected ${mosquitto.mqtt}`);
});

test('so does Disconnect', async ({ page }) => {
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

test('a program that fails to load gives the reason, and can be retried', async ({ page }) => {
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

test('a program served with the wrong content type still works', async ({ page }) => {
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
  test(`the program is compiled while streaming, and later loaded precompiled with ${by}`, async () => {
    const options = config.use?.launchOptions;
    const context = await chromium.launchPersistentContext(test.info().outputPath('profile'), {
      ...options,
      serviceWorkers,
      // By default Chromium caches compiled code only if there is much of it, or after a delay.
      args: [...(options?.args ?? []), '--js-flags=--wasm-caching-timeout-ms=0'],
    });
    /** Opens the page, and returns Chromium's trace events on how it loaded the program. */
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
      // The service worker's copy is a separate resource, whose code is not cached at first.
      await expect(async () => expect(await visit()).toContain('v8.wasm.moduleCacheHit')).toPass();
    } finally {
      await context.close();
    }
  });
}
