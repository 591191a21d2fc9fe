import { expect, type Page, test } from '@playwright/test';
import { startMosquitto, startServer } from './support/brokers';
import { startHost } from './support/deploy';
import { complaintsOf, openConnected, partsOf, showView, wholeBrowser } from './support/page';

// Whether a page can be installed is for the whole browser to say.
test.use({ ...wholeBrowser, serviceWorkers: 'allow' });

/** Resolves when the page's build is kept. */
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
    // A test's profile is a private one.
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

test('it opens without its server, and talks to a broker that is there', async ({ page }) => {
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
    // What is loaded on demand is there as well.
    await showView(page, 'Topics');
    await expect(page.getByRole('tree')).toBeVisible();
    await page.keyboard.press('?');
    await expect(page.getByRole('dialog', { name: 'Keyboard shortcuts' })).toBeVisible();
    // That the files named anew by each build can't be had is the browser's to say.
    expect(complaints.filter((text) => !text.startsWith('Failed to load resource'))).toEqual([]);
  } finally {
    await server.stop();
    await mosquitto.stop();
  }
});

test('a newer build is there at once, and an open page tells of it and keeps what it has', async ({
  page,
  context,
}) => {
  const mosquitto = await startMosquitto();
  const server = await startServer(['-default-broker', mosquitto.mqtt]);
  const host = await startHost(server.url);
  try {
    const parts = await openConnected(page, host.url);
    await kept(page);
    await page.reload(); // from now on by way of the service worker
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

    // A server that takes requests and says nothing does not keep anybody from the page.
    host.hang();
    await second.reload();
    await expect(second).toHaveTitle('mqttwasm, renewed');
    await expect(partsOf(second).status).toHaveText(/^connected/);
    host.deploy();

    // When its last page is closed the former build's copy goes, whenever the browser gets to it.
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
