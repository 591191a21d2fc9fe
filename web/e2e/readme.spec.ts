import { readFileSync } from 'node:fs';
import { type Browser, expect, test } from '@playwright/test';
import { type Mosquitto, type Server, startMosquitto, startServer } from './support/brokers';
import { openHtml } from './support/elements';
import { openBrowser, runExample } from './support/examples';
import { openPublisher } from './support/publisher';

// Runs the README's examples verbatim, with its broker's name resolved to a local one.

const readme = readFileSync(new URL('../../README.md', import.meta.url), 'utf8');
const [dashboard = '', ...moreHtml] = [...readme.matchAll(/```html\n(.*?)```/gs)].map((match) => match[1]);
const examples = [...readme.matchAll(/```js\n(.*?)```/gs)].map((match) => match[1] ?? '');

const printed = [
  [/^connected as mqttwasm_/, /^mqttwasm\/readme\/hello messages: 0$/, /^the broker answered 0$/],
];

let server: Server;
let mosquitto: Mosquitto;
let browser: Browser;

test.beforeAll(async ({ launchOptions }) => {
  [server, mosquitto] = await Promise.all([startServer(), startMosquitto()]);
  browser = await openBrowser(launchOptions, { 'broker.emqx.io:8083': mosquitto.mqtt });
});
test.afterAll(async () => {
  await browser?.close();
  await Promise.all([server?.stop(), mosquitto?.stop()]);
});

test('there is an expectation for each example', () => {
  expect(examples).toHaveLength(printed.length);
});

for (const [i, lines] of printed.entries()) {
  test(`example ${i + 1} runs and prints what the README says`, async () => {
    const output = await runExample(browser, server.url, examples[i] ?? '');
    for (const line of lines) expect(output).toContainEqual(expect.stringMatching(line));
  });
}

test('the dashboard shows messages, and publishes', async () => {
  expect(moreHtml).toEqual([]);
  const page = await browser.newPage();
  const complaints = await openHtml(page, server.url, dashboard);
  await expect(page.getByRole('status').first()).toHaveText('connected');
  const garden = await openPublisher(mosquitto.mqtt);
  const readings = {
    air: '{"temperature":21.45}',
    door: 'open',
    'north/moisture': '31',
    'south/moisture': '42',
  };
  // The feed subscribes last, so all subscriptions exist once it has a message.
  await expect(async () => {
    for (const [topic, payload] of Object.entries(readings))
      garden.publish(`mqttwasm/readme/${topic}`, [payload]);
    await expect(page.getByRole('log')).toContainText('south/moisture', { timeout: 500 });
  }).toPass();
  const [air, door] = [page.locator('mqtt-value').first(), page.locator('mqtt-value').last()];
  await expect(air).toHaveText(/Air\s*21\.5\s*°C$/);
  await expect(door).toHaveText(/Door\s*open$/);
  await expect(
    page.getByRole('img', { name: /^Moisture of the beds: north\/moisture now 31 %/ }),
  ).toBeVisible();
  await page.getByRole('switch', { name: 'Fan' }).click();
  await expect(page.getByRole('switch', { name: 'Fan' })).toBeChecked();
  await page.getByRole('button', { name: 'Water for ten seconds' }).click();
  await expect(page.getByRole('log')).toContainText(/fan\s*ON/);
  await expect(page.getByRole('log')).toContainText(/pump\s*10/);
  expect(complaints).toEqual([]);
  garden.close();
  await page.close();
});
