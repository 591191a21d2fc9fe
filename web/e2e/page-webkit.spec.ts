/** The main workflows, and the library where WebKit differs, in the system's WebKit. */

import { test as base, expect } from './support/fixtures';
import { hasWebKit, startWebKit, type WebKit } from './support/webkit';

const test = base.extend<object, { webkit: WebKit }>({
  webkit: [
    // biome-ignore lint/correctness/noEmptyPattern: Playwright reads what is asked for from the pattern
    async ({}, use) => {
      const webkit = await startWebKit();
      await use(webkit);
      await webkit.stop();
    },
    { scope: 'worker', timeout: 60_000 },
  ],
});

test.skip(!hasWebKit, 'the package webkit2gtk-driver, or xvfb, is not installed');

const textOf = (webkit: WebKit, selector: string) =>
  webkit.evaluate((selector) => document.querySelector(selector)?.textContent ?? '', selector);
const status = (webkit: WebKit) => textOf(webkit, '[role=status][aria-label=Connection]');
const messages = (webkit: WebKit) => textOf(webkit, '[role=log]');

/** Opens the library beside the console: WebKit shows a mere text with a style that the policy forbids. */
const openApi = (webkit: WebKit, origin: string, query = '') =>
  webkit.goto(`${origin}/${query}`).then(() =>
    webkit.evaluate(async (path) => {
      window.mqtt = await import(path);
    }, '/mqttwasm.js'),
  );

test('the page connects each time it is loaded', async ({ webkit, server }) => {
  await webkit.goto(server.url);
  for (let time = 0; time < 8; time++) {
    await expect.poll(() => status(webkit)).toMatch(/^connected/);
    await webkit.reload();
  }
});

test('messages published and subscribed to arrive, and can be inspected and charted', async ({
  webkit,
  server,
  elsewhere,
}) => {
  await webkit.goto(server.url);
  await expect.poll(() => status(webkit)).toMatch(/^connected/);
  await webkit.click('Publish');
  await expect.poll(() => messages(webkit)).toContain('messages: 0');
  await webkit.type('input[placeholder^="sensors/"]', 'webkit/+');
  await webkit.click('Subscribe');
  await expect.poll(() => textOf(webkit, '[aria-label=Subscriptions]')).toContain('webkit/+');
  for (const value of [20, 21, 22]) elsewhere.publish('webkit/oven', [`{"temperature": ${value}}`]);
  await expect.poll(() => messages(webkit)).toMatch(/"temperature": 20.*"temperature": 22/s);
  await webkit.click('Details of message 4');
  await expect.poll(() => textOf(webkit, '[aria-label="Message details"]')).toContain('webkit/oven');
  await webkit.click('22');
  await expect
    .poll(() => webkit.evaluate(() => document.querySelectorAll('.uplot canvas').length, 0))
    .toBe(1);
});

test('an address that the browser forbids fails at once', async ({ webkit, server }) => {
  await openApi(webkit, server.url);
  const codes = await webkit.evaluate(async () => {
    const codes: unknown[] = [];
    for (const worker of [true, false]) {
      const connecting = window.mqtt.connect('ws://127.0.0.1:1/mqtt', { worker, connectTimeout: 40_000 });
      codes.push(await connecting.catch(({ code }) => code));
    }
    return codes;
  }, 0);
  expect(codes).toEqual(['network', 'network']);
});

test('a page in the back-forward cache lets its store go, and reads it anew when restored', {
  tag: '@timed',
}, async ({ webkit, server }) => {
  const connect = () =>
    webkit.evaluate(async (url) => {
      window.happened = [];
      window.client = await window.mqtt.connect(url, { clientId: 'webkit', store: 'indexeddb' });
      window.client.on('reconnect', () => window.happened.push('reconnect'));
      addEventListener('pageshow', ({ persisted }) => window.happened.push({ persisted }));
      return (await window.client.publish('webkit/stored', 'x', { qos: 1 })).reasonCode;
    }, server.mqtt);
  await openApi(webkit, server.url, '?first');
  expect(await connect()).toBe(0);
  await openApi(webkit, server.url, '?second');
  expect(await connect()).toBe(0);
  await webkit.back();
  await expect
    .poll(() => webkit.evaluate(() => window.happened, 0))
    .toEqual([{ persisted: true }, 'reconnect']);
  await expect.poll(() => webkit.evaluate(() => window.client.connected, 0)).toBe(true);
  const published = await webkit.evaluate(() => window.client.publish('webkit/stored', 'y', { qos: 2 }), 0);
  expect(published.reasonCode).toBe(0);
});

test('a page in the back-forward cache joins a shared connection anew when restored', async ({
  webkit,
  server,
}) => {
  await openApi(webkit, server.url, '?shared');
  await webkit.evaluate(async (url) => {
    window.happened = [];
    window.client = await window.mqtt.connect(url, { shared: true });
    await window.client.subscribe('webkit/shared', (message) => window.happened.push(message.text()));
    addEventListener('pageshow', ({ persisted }) => window.happened.push({ persisted }));
  }, server.mqtt);
  await openApi(webkit, server.url, '?another');
  await webkit.back();
  await expect.poll(() => webkit.evaluate(() => window.happened, 0)).toEqual([{ persisted: true }]);
  await expect.poll(() => webkit.evaluate(() => window.client.connected, 0)).toBe(true);
  await webkit.evaluate(() => window.client.publish('webkit/shared', 'back', { qos: 1 }), 0);
  await expect.poll(() => webkit.evaluate(() => window.happened, 0)).toContain('back');
});
