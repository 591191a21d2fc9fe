/** The main workflows in the system's Firefox, which Playwright can't drive. */

import puppeteer, { type Browser, type Page } from 'puppeteer-core';
import { test as base, expect } from './support/fixtures';

const test = base.extend<{ visited: Page }, { firefox: Browser }>({
  firefox: [
    // biome-ignore lint/correctness/noEmptyPattern: Playwright reads what is asked for from the pattern
    async ({}, use) => {
      const browser = await puppeteer.launch({
        browser: 'firefox',
        executablePath: '/usr/bin/firefox-esr',
        defaultViewport: { width: 1280, height: 800 },
        // WebDriver BiDi can't emulate the colour scheme, so the preference makes the system's dark.
        extraPrefsFirefox: { 'layout.css.prefers-color-scheme.content-override': 0 },
      });
      await use(browser);
      await browser.close();
    },
    { scope: 'worker', timeout: 60_000 },
  ],
  /** A page that is open and connected. */
  async visited({ firefox, server }, use) {
    const context = await firefox.createBrowserContext();
    const page = await context.newPage();
    const complaints: string[] = [];
    page.on('console', (message) => {
      if (message.type() === 'error') complaints.push(message.text());
    });
    // Content security policy violations are included.
    page.on('pageerror', (error) => complaints.push(String(error)));
    await page.goto(server.url);
    await expect.poll(() => textOf(page, 'status', 'Connection')).toMatch(/^connected/);
    await use(page);
    await context.close();
    expect(complaints).toEqual([]);
  },
});

const named = (role: string, name: string) => `::-p-aria([name="${name}"][role="${role}"])`;

/** Empty while there is no such element. */
function textOf(page: Page, role: string, name: string): Promise<string> {
  return page.$$eval(named(role, name), (nodes) => nodes.map((node) => node.textContent).join());
}

const click = (page: Page, role: string, name: string) => page.locator(named(role, name)).click();

test('messages published and subscribed to arrive, and can be inspected', async ({
  visited: page,
  elsewhere,
}) => {
  const messages = () => textOf(page, 'log', 'Messages');
  const details = () => textOf(page, 'region', 'Message details');
  await click(page, 'button', 'Publish');
  await expect.poll(messages).toContain('messages: 0');

  await page.locator(named('textbox', 'Topic filter')).fill('plant/+');
  await click(page, 'button', 'Subscribe');
  await page.waitForSelector(named('button', 'Unsubscribe from plant/+'));
  await expect.poll(() => textOf(page, 'list', 'Subscriptions')).toMatch(/plant.*QoS 0/);
  elsewhere.publish('plant/hall', ['{"temperature":20.5}', '{"temperature":21.5}']);
  await expect.poll(messages).toContain('21.5');

  await click(page, 'button', 'Details of message 2');
  await expect.poll(details).toContain('"temperature": 20.5');
  await page.keyboard.press('ArrowDown');
  await expect.poll(details).toContain('"temperature": 21.5');
  await expect.poll(details).not.toContain('20.5');

  await click(page, 'button', 'Copy payload');
  await expect.poll(details).toContain('Copied');
  await click(page, 'button', 'Chart temperature: 21.5');
  // Firefox's name for the role img.
  await page.waitForSelector(named('image', 'plant/hall · temperature: 2 values, 20.5 to 21.5, last 21.5'));
  const drawn = () =>
    page.$$eval('canvas', ([canvas]) => {
      const { width = 0, height = 0 } = canvas ?? {};
      const image = canvas?.getContext('2d')?.getImageData(0, 0, width, height);
      return image?.data.some((byte) => byte > 0);
    });
  await expect.poll(drawn).toBe(true);

  // The key must not open Firefox's own quick find.
  await page.keyboard.type('/messages');
  await expect.poll(messages).not.toContain('21.5');
  expect(await messages()).toContain('messages: 0');
});

test('a narrow window shows one of four views, chosen at its bottom', async ({ visited: page }) => {
  await page.setViewport({ width: 390, height: 844 });
  const ways = await page.waitForSelector(named('navigation', 'Views'), { visible: true });
  const { y = 0, height = 0 } = (await ways?.boundingBox()) ?? {};
  expect(Math.round(y + height)).toBe(844);
  const views: [way: string, role: string, name: string][] = [
    ['Topics', 'tree', 'Topics'],
    ['Publish', 'form', 'Publish'],
    ['Broker', 'textbox', 'Broker URL'],
    ['Feed', 'log', 'Messages'],
  ];
  let before = await page.waitForSelector(named('log', 'Messages'), { visible: true });
  for (const [way, role, name] of views) {
    await (await ways?.$(`::-p-text(${way})`))?.click();
    const view = await page.waitForSelector(named(role, name), { visible: true });
    expect(await before?.isHidden(), way).toBe(true);
    expect(await page.evaluate(() => document.documentElement.scrollWidth), way).toBe(390);
    before = view;
  }
  expect(await ways?.$$('button')).toHaveLength(views.length);
});

test("follows the system's dark scheme, until another theme is chosen", async ({ visited: page }) => {
  const ground = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
  expect(await ground()).toBe('rgb(15, 19, 18)');
  await page.locator(named('combobox', 'Theme')).fill('light');
  expect(await ground()).toBe('rgb(238, 241, 239)');
});
