import { expect, type Page, test } from '@playwright/test';
import { type Server, startServer } from './support/brokers';
import { complaintsOf, laptopAndPhone, launchWith, type Parts, partsOf, showView } from './support/page';
import { freePort } from './support/process';
import { type Listener, listen } from './support/tcp';

// Tests that need the name to resolve start a browser of their own.
test.use(launchWith('--host-resolver-rules=MAP broker.emqx.io ~NOTFOUND'));

/** Maximum milliseconds from navigation to connected. */
const budget = 5000;

interface Times {
  said?: number;
  connected?: number;
}

/** Makes the page record when it shows the notice and when it is connected. */
async function watchTimes(page: Page): Promise<() => Promise<Times>> {
  await page.addInitScript(() => {
    const times: Times = {};
    Object.assign(window, { times });
    new MutationObserver(() => {
      const status = document.querySelector('[role=status][aria-label=Connection]')?.textContent ?? '';
      const notice = document.querySelector('[role=alert]')?.textContent ?? '';
      if (notice.includes('instead')) times.said ??= performance.now();
      if (/^connected/.test(status)) times.connected ??= performance.now();
    }).observe(document, { subtree: true, childList: true, characterData: true, attributes: true });
  });
  return () => page.evaluate(() => (window as unknown as { times: Times }).times);
}

async function showsItWorks(parts: Parts): Promise<void> {
  await parts.publish.click();
  await expect(parts.row(await parts.topic.inputValue(), 'messages: 0')).toHaveCount(1);
}

async function fallsBack(page: Page, server: Server): Promise<Parts> {
  const times = await watchTimes(page);
  await page.goto(server.url);
  const parts = partsOf(page);
  await expect(parts.status).toHaveText(`connected ${server.mqtt}`);
  await expect(parts.notice).toContainText('Using “This server” instead');
  await expect(parts.broker).toHaveValue('This server');
  const { said, connected } = await times();
  expect(said).toBeLessThan(budget);
  expect(connected).toBeLessThan(budget);
  await showsItWorks(parts);
  return parts;
}

test.describe('the public broker’s name cannot be resolved', () => {
  let server: Server;

  test.beforeAll(async () => {
    server = await startServer();
  });

  test.afterAll(() => server?.stop());

  test('the page says so and works on the embedded broker, and offers to try again', {
    tag: '@timed',
  }, async ({ page }) => {
    const parts = await fallsBack(page, server);
    await expect(parts.notice).toContainText('Nothing answers at broker.emqx.io:8083');

    const retries: string[] = [];
    page.on('websocket', (socket) => retries.push(socket.url()));
    await parts.notice.getByRole('button', { name: 'Try EMQX public broker again' }).click();
    await expect.poll(() => retries).toEqual(['ws://broker.emqx.io:8083/mqtt', server.mqtt]);
    await expect(parts.status).toHaveText(`connected ${server.mqtt}`);
    await expect(parts.notice).toContainText('Using “This server” instead');
  });

  for (const [width, height] of laptopAndPhone) {
    test(`at ${width} by ${height} the notice leaves room for a message and its row`, async ({ page }) => {
      await page.setViewportSize({ width, height });
      await page.goto(server.url);
      const parts = partsOf(page);
      await expect(parts.status).toHaveText(`connected ${server.mqtt}`);
      await expect(parts.notice).toContainText('Using “This server” instead');
      if (width < 900) await showView(page, 'Publish');
      const topic = await parts.topic.inputValue();
      await parts.publish.click();
      if (width < 900) await showView(page, 'Messages');
      const row = parts.row(topic, 'messages: 0');
      await row.getByRole('button').click();
      await expect(page.locator('.payload-block').filter({ hasText: 'messages: 0' })).toBeInViewport({
        ratio: 1,
      });
      await expect(row).toBeInViewport({ ratio: 0.9 });
      const sheet = page.getByRole('region', { name: 'Message details' });
      if (width < 900) {
        const { y: bottom = 0 } = (await sheet.boundingBox()) ?? {};
        const { y = Number.NaN, height: tall = 0 } = (await row.boundingBox()) ?? {};
        expect(y + tall).toBeLessThanOrEqual(bottom);
      }
      await expect(parts.notice.locator('.notice-detail')).toBeHidden();
      await parts.notice.getByText('Why?').click();
      await expect(parts.notice.locator('.notice-detail')).toBeVisible();
    });
  }
});

test.describe('the public broker accepts connections and stays silent', () => {
  let server: Server;
  let silent: Listener;

  test.beforeAll(async () => {
    server = await startServer();
    silent = await listen(() => {});
  });

  test.afterAll(async () => {
    await silent?.stop();
    await server?.stop();
  });

  test('a click on Publish before that is sent once, to the broker that the page goes to', async ({
    playwright,
  }) => {
    const { launchOptions } = launchWith(`--host-resolver-rules=MAP broker.emqx.io 127.0.0.1:${silent.port}`);
    const browser = await playwright.chromium.launch(launchOptions);
    const page = await browser.newPage();
    await page.goto(server.url);
    const parts = partsOf(page);
    await parts.publish.click();
    await expect(parts.results).toContainText(['Sending…']);
    await expect(parts.row(await parts.topic.inputValue(), 'messages: 0')).toHaveCount(1);
    await expect(parts.status).toHaveText(`connected ${server.mqtt}`);
    await expect(parts.results).toHaveText([/Sent/]);
    await browser.close();
  });

  test('the page keeps to its five seconds', { tag: '@timed' }, async ({ playwright }) => {
    const { launchOptions } = launchWith(`--host-resolver-rules=MAP broker.emqx.io 127.0.0.1:${silent.port}`);
    const browser = await playwright.chromium.launch(launchOptions);
    await fallsBack(await browser.newPage(), server);
    expect(silent.accepted()).toBeGreaterThan(0);
    await browser.close();
  });
});

test.describe('a private default broker is dead', () => {
  let server: Server;
  let publicBroker: Listener;

  test.beforeAll(async () => {
    publicBroker = await listen((socket) => socket.destroy());
    server = await startServer(['-default-broker', `ws://127.0.0.1:${await freePort()}/mqtt`]);
  });

  test.afterAll(async () => {
    await publicBroker?.stop();
    await server?.stop();
  });

  test('the page goes to the embedded broker and never to the public one', { tag: '@timed' }, async ({
    playwright,
  }) => {
    const { launchOptions } = launchWith(
      `--host-resolver-rules=MAP broker.emqx.io 127.0.0.1:${publicBroker.port}`,
    );
    const browser = await playwright.chromium.launch(launchOptions);
    const page = await browser.newPage();
    const complaints = await complaintsOf(page);
    const asked: string[] = [];
    page.on('websocket', (socket) => asked.push(socket.url()));
    page.on('request', (request) => asked.push(request.url()));
    const parts = await fallsBack(page, server);
    await parts.notice.getByRole('button', { name: /^Try .* again$/ }).click();
    await expect(parts.status).toHaveText(`connected ${server.mqtt}`);

    expect(asked.filter((url) => url.includes('emqx'))).toEqual([]);
    expect(publicBroker.accepted()).toBe(0);
    expect(complaints.filter((text) => text.includes('emqx') || text.startsWith('policy'))).toEqual([]);

    // The count above could have been non-zero: the name does resolve to this listener.
    await parts.broker.selectOption('EMQX public broker');
    await parts.disconnect.click();
    await parts.connect.click();
    await expect(parts.notice).toContainText('broker.emqx.io:8083');
    expect(publicBroker.accepted()).toBeGreaterThan(0);
    await browser.close();
  });
});
