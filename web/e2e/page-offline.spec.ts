import { expect, type Page, test } from '@playwright/test';
import { startMosquitto, startServer } from './support/brokers';
import { startHost } from './support/deploy';
import { complaintsOf, openConnected, partsOf, showView, wholeBrowser } from './support/page';

// Installability needs the full browser.
test.use({ ...wholeBrowser, serviceWorkers: 'allow' });

/** Resolves when the service worker has cached the page. */
const kept = (page: Page) => page.evaluate(async () => void (await navigator.serviceWorker.ready));
const notice = (page: Page) => page.getByRole('status', { name: 'Version' });

test('the page can be installed', async ({ page }) => {
  const server = await startServer();
  try {
    await page.goto(server.url);
    await kept(page);
    const devtools = await page.context().newCDPSession(page);
    const { errors, url } = await devtools.send('Page.getAppManifest');
    expect([url, errors]).toEqual([`${server.url}/manifest.webmanifest`, []]);
    const { installabilityErrors } = await devtools.send('Page.getInstallabilityErrors');
    // A test's profile counts as incognito.
    expect(installabilityErrors.filter(({ errorId }) => errorId !== 'in-incognito')).toEqual([]);

    const manifest = await (await page.request.get(url)).json();
    expect(manifest).toMatchObject({ id: '/mqttwasm', start_url: './', display: 'standalone' });
    const purposes = manifest.icons.map(({ purpose }: { purpose: string }) => purpose);
    expect(purposes).toContain('maskable');
    for (const { src, sizes, type } of manifest.icons as Record<'src' | 'sizes' | 'type', string>[]) {
      const response = await page.request.get(`${server.url}/${src}`);
      expect(response.headers()['content-type'], src).toBe(type);
      const size = await page.evaluate(async (address) => {
        const image = new Image();
        image.src = address;
        await image.decode();
        return `${image.naturalWidth}x${image.naturalHeight}`;
      }, src);
      if (sizes !== 'any') expect(size, src).toBe(sizes);
    }
  } finally {
    await server.stop();
  }
});

test('opens without its server, and connects to a reachable broker', async ({ page }) => {
  const mosquitto = await startMosquitto();
  const server = await startServer(['-default-broker', mosquitto.mqtt]);
  try {
    await openConnected(page, server.url);
    await kept(page);
    await server.stop();
    const complaints = await complaintsOf(page);
    await page.reload();
    const parts = partsOf(page);
    await expect(parts.status).toHaveText(`connected ${mosquitto.mqtt}`);
    await parts.publish.click();
    await expect(parts.row(await parts.topic.inputValue(), 'messages: 0')).toHaveCount(1);
    // Code loaded on demand is cached too.
    await showView(page, 'Topics');
    await expect(page.getByRole('tree')).toBeVisible();
    await page.keyboard.press('?');
    await expect(page.getByRole('dialog', { name: 'Keyboard shortcuts' })).toBeVisible();
    // Failed requests are logged by the browser itself.
    expect(complaints.filter((text) => !text.startsWith('Failed to load resource'))).toEqual([]);
  } finally {
    await server.stop();
    await mosquitto.stop();
  }
});

test('a new build is used at once; an open page announces it and keeps its state', async ({
  page,
  context,
}) => {
  const mosquitto = await startMosquitto();
  const server = await startServer(['-default-broker', mosquitto.mqtt]);
  const host = await startHost(server.url);
  try {
    const parts = await openConnected(page, host.url);
    await kept(page);
    await page.reload(); // served by the service worker from now on
    await expect(parts.status).toHaveText(/^connected/);
    await parts.publish.click();
    await expect(parts.rows).toHaveCount(1);
    await expect(notice(page)).toBeEmpty();

    host.deploy();
    const second = await context.newPage();
    await second.goto(host.url);
    await expect(second).toHaveTitle('mqttwasm, renewed');
    await expect(notice(page)).toContainText('A new version is ready');
    await expect(notice(second)).toBeEmpty();
    await expect(page).toHaveTitle('mqttwasm');
    await expect(parts.rows).toHaveCount(1);

    await notice(page).getByRole('button', { name: 'Reload' }).click();
    await expect(page).toHaveTitle('mqttwasm, renewed');
    await expect(parts.status).toHaveText(/^connected/);
    await expect(notice(page)).toBeEmpty();

    // A server that accepts requests and never responds does not block the page.
    host.hang();
    await second.reload();
    await expect(second).toHaveTitle('mqttwasm, renewed');
    await expect(partsOf(second).status).toHaveText(/^connected/);
    host.deploy();

    // The old build's cache is deleted some time after its last page has closed.
    await page.close();
    await second.close();
    await expect(async () => {
      const third = await context.newPage();
      await third.goto(host.url);
      const names = await third.evaluate(() => caches.keys());
      await third.close();
      expect(names.filter((name) => name.includes('build'))).toEqual([
        `mqttwasm ${host.url}/ build feedfeedfeedfeed`,
      ]);
    }).toPass();
  } finally {
    await host.stop();
    await server.stop();
    await mosquitto.stop();
  }
});
