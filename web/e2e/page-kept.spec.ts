import { expect, type Page, test } from '@playwright/test';
import { encode } from 'cborg';
import { type Mosquitto, type Server, startMosquitto, startServer } from './support/brokers';
import {
  complaintsOf,
  connectTo,
  drawerButton,
  launchWith,
  openConnected,
  openSettings,
  type Parts,
  partsOf,
  showView,
} from './support/page';
import { openPublisher, type Publisher } from './support/publisher';

test.use(launchWith('--host-resolver-rules=MAP broker.emqx.io ~NOTFOUND'));

let server: Server;
let mosquitto: Mosquitto;
let atMosquitto: Publisher;

test.beforeAll(async () => {
  [server, mosquitto] = await Promise.all([startServer(['-default-broker', 'mqtt']), startMosquitto()]);
  atMosquitto = await openPublisher(mosquitto.mqtt);
});

test.afterAll(async () => {
  atMosquitto?.close();
  await Promise.all([server?.stop(), mosquitto?.stop()]);
});

async function subscribe(parts: Parts, filter: string): Promise<void> {
  await parts.filter.fill(filter);
  await parts.subscribe.click();
  await expect(parts.subscriptions.filter({ hasText: filter })).toContainText(/QoS \d/);
}

const tool = (page: Page, name: string) => page.getByRole('button', { name, exact: true });

let complaints: string[];
test.beforeEach(async ({ page }) => {
  complaints = await complaintsOf(page);
});

test('a reload keeps the connection', async ({ page }) => {
  const parts = await openConnected(page, server.url);
  const keepAlive = page.getByRole('textbox', { name: 'Keep alive (s)' });
  await openSettings(page, 'Options');
  await keepAlive.fill('33');
  await connectTo(parts, mosquitto.mqtt);
  await expect(parts.status).toHaveText(`connected ${mosquitto.mqtt}`);
  const own = (await parts.topic.inputValue()).replace(/\/hello$/, '');
  await subscribe(parts, 'plant/+/state');
  await parts.topic.fill('plant/1/state');
  await parts.payload.fill('{"on":true}');
  await parts.qos.selectOption('1');
  await parts.retain.check();
  await parts.repeat.check();

  await page.reload();
  await expect(parts.status).toHaveText(`connected ${mosquitto.mqtt}`);
  await expect(parts.url).toHaveValue(mosquitto.mqtt);
  await expect(parts.subscriptions).toHaveCount(2);
  await expect(parts.subscriptions.filter({ hasText: `${own}/#` })).toContainText('QoS 2');
  await expect(parts.subscriptions.filter({ hasText: 'plant/+/state' })).toContainText(/QoS \d/);
  await expect(parts.topic).toHaveValue('plant/1/state');
  await expect(parts.payload).toHaveValue('{"on":true}');
  await expect(parts.qos).toHaveValue('1');
  await expect(parts.retain).toBeChecked();
  await expect(parts.repeat).toBeChecked();
  await expect(parts.publish).toBeVisible();
  await openSettings(page, 'Options');
  await expect(keepAlive).toHaveValue('33');
  expect(complaints).toEqual([]);
});

test('a reload keeps a small file in the form, and names one that was too large to keep', async ({
  page,
}) => {
  const parts = await openConnected(page, server.url);
  const own = (await parts.topic.inputValue()).replace(/\/hello$/, '');
  const attach = (name: string, buffer: Buffer) =>
    page.getByLabel('File as payload').setInputFiles({ name, mimeType: '', buffer });
  await attach('small.bin', Buffer.from([0, 0xff, 0x80]));
  await expect(page.getByText('small.bin')).toBeVisible();
  await page.reload();
  await expect(parts.status).toHaveText(/^connected/);
  await expect(page.getByRole('button', { name: 'Remove small.bin' })).toBeVisible();
  await parts.publish.click();
  await expect(parts.row(`${own}/hello`, '00 ff 80')).toHaveCount(1);

  await attach('large.bin', Buffer.alloc(1024 * 1024 + 1));
  await expect(page.getByText('large.bin')).toBeVisible();
  await page.reload();
  await expect(parts.payload).toHaveAccessibleDescription(/“large.bin” was not kept.*attach it again/);
  expect(complaints).toEqual([]);
});

test('a reload keeps the view, the filter and the pause', async ({ page }) => {
  const parts = await openConnected(page, server.url);
  const bar = page.getByRole('search', { name: 'Filter messages' });
  await bar.getByRole('button', { name: /^Filter/ }).click();
  await bar.getByRole('combobox', { name: 'Direction' }).selectOption('both');
  await tool(page, 'Pause').click();
  await showView(page, 'Packets');

  await page.reload();
  await expect(parts.status).toHaveText(`connected ${server.mqtt}`);
  await expect(drawerButton(page, 'Packets')).toHaveAttribute('aria-expanded', 'true');
  await parts.publish.click();
  await expect(page.getByRole('treeitem', { name: /^mqttwasm/ })).toBeVisible();
  await showView(page, 'Messages');
  // The message sent and its copy from the broker.
  await expect(page.getByText('2 waiting')).toBeVisible();
  await expect(parts.rows).toHaveCount(0);
  await tool(page, 'Resume').click();
  await expect(parts.rows).toHaveCount(2);
  await expect(bar.getByRole('button', { name: 'Filter (1)' })).toBeVisible();
  expect(complaints).toEqual([]);
});

test('a window that is reloaded while it is narrow has its drawer again when it is wide', async ({
  page,
}) => {
  const parts = await openConnected(page, server.url);
  await showView(page, 'Packets');
  const wide = page.viewportSize();
  await page.setViewportSize({ width: 390, height: 844 });
  await expect(drawerButton(page, 'Packets')).toHaveCount(0);
  await page.reload();
  await expect(parts.status).toHaveText(/^connected/);
  await page.reload();
  await expect(parts.status).toHaveText(/^connected/);
  await page.setViewportSize(wide ?? { width: 1280, height: 720 });
  await expect(drawerButton(page, 'Packets')).toHaveAttribute('aria-expanded', 'true');
  expect(complaints).toEqual([]);
});

test('a reload keeps the lines of the chart, which continue with the next number', async ({ page }) => {
  const parts = await openConnected(page, server.url);
  await connectTo(parts, mosquitto.mqtt);
  await expect(parts.status).toHaveText(`connected ${mosquitto.mqtt}`);
  await subscribe(parts, 'kept/#');
  atMosquitto.publish('kept/pump', ['{"litres":1}']);
  await page.getByRole('button', { name: 'Details of message 1', exact: true }).click();
  await page
    .getByRole('region', { name: 'Message details' })
    .getByRole('button', { name: 'Chart litres:' })
    .click();
  const charts = page.getByRole('region', { name: 'Charts' });
  await expect(charts.getByRole('img')).toHaveAccessibleName(/kept\/pump · litres: 1 value/);

  await page.reload();
  await expect(parts.subscriptions.filter({ hasText: 'kept/#' })).toContainText(/QoS \d/);
  atMosquitto.publish('kept/pump', ['{"litres":5}', '{"litres":6}']);
  await expect(charts.getByRole('img')).toHaveAccessibleName(/kept\/pump · litres: 2 values, 5 to 6/);
  await tool(page, 'Clear tree').click();
  await expect(charts).toHaveCount(0);
  await page.reload();
  await expect(parts.subscriptions.filter({ hasText: 'kept/#' })).toContainText(/QoS \d/);
  atMosquitto.publish('kept/pump', ['{"litres":7}']);
  await expect(page.getByRole('treeitem', { name: /^kept/ })).toBeVisible();
  await expect(charts).toHaveCount(0);
});

test('a closed connection stays closed after a reload', async ({ page }) => {
  const parts = await openConnected(page, server.url);
  await parts.url.fill(mosquitto.mqtt);
  await parts.disconnect.click();
  await expect(parts.status).toHaveText(/^disconnected/);
  const dialled: string[] = [];
  page.on('websocket', (socket) => dialled.push(socket.url()));
  await page.reload();
  // The list of brokers loads last.
  await expect(parts.broker.getByRole('option', { name: 'This server' })).toHaveCount(1);
  await expect(parts.url).toHaveValue(mosquitto.mqtt);
  await expect(parts.status).toHaveText(/^disconnected/);
  expect(dialled).toEqual([]);
});

test('reloading again before the page has been restored loses nothing', async ({ page }) => {
  const parts = await openConnected(page, server.url);
  await parts.payload.fill('mine');
  // These requests never complete.
  await page.route(/reopen/, () => {});
  const asked = page.waitForRequest(/reopen/);
  await page.reload();
  await asked;
  await page.unroute(/reopen/);
  await page.reload();
  await expect(parts.status).toHaveText(`connected ${server.mqtt}`);
  await expect(parts.payload).toHaveValue('mine');
});

test('the page’s own topic survives a reload; a newly opened page has another one', async ({ page }) => {
  const parts = await openConnected(page, server.url);
  const topic = await parts.topic.inputValue();
  await page.reload();
  await expect(parts.status).toHaveText(`connected ${server.mqtt}`);
  await expect(parts.topic).toHaveValue(topic);
  await parts.publish.click();
  await expect(parts.row(topic, 'messages: 0')).toHaveCount(1);

  await page.goto(server.url);
  await expect(parts.status).toHaveText(`connected ${server.mqtt}`);
  await expect(parts.topic).not.toHaveValue(topic);
  await expect(parts.subscriptions).toHaveCount(1);
});

test('a format for a topic filter and the .proto files survive a reload and are shared with other tabs', async ({
  page,
}) => {
  const parts = await openConnected(page, server.url);
  await connectTo(parts, mosquitto.mqtt);
  await expect(parts.status).toHaveText(`connected ${mosquitto.mqtt}`);
  await subscribe(parts, 'lab/#');
  const second = await page.context().newPage();
  const other = await openConnected(second, server.url);
  await connectTo(other, mosquitto.mqtt);
  await expect(other.status).toHaveText(`connected ${mosquitto.mqtt}`);
  await subscribe(other, 'lab/#');

  // Protobuf: field 1, a string. Also valid MessagePack.
  const payload = Uint8Array.from([0x0a, 2, 0x68, 0x69]);
  const details = (where: Page) => where.getByRole('region', { name: 'Message details' });
  const as = (where: Page) => details(where).getByRole('combobox', { name: 'Show payload as' });
  atMosquitto.publish('lab/a', [payload]);
  await page.getByRole('button', { name: 'Details of message 1', exact: true }).click();
  await expect(details(page).getByRole('textbox', { name: 'Applies to' })).toHaveCount(0);
  await as(page).selectOption('Protobuf');
  await details(page)
    .locator('input[type=file]')
    .setInputFiles({
      name: 'lab.proto',
      mimeType: 'text/plain',
      buffer: Buffer.from('syntax = "proto3"; message Word { string text = 1; }'),
    });
  await expect(details(page).locator('pre')).toHaveText('{ "text": "hi" }');
  const applies = details(page).getByRole('textbox', { name: 'Applies to' });
  await expect(applies).toHaveValue('lab/a');
  await applies.fill('elsewhere/#');
  await applies.press('Enter');
  await expect(applies).toHaveAccessibleDescription('It does not select this topic');
  await applies.fill('lab/#');
  await applies.press('Enter');
  await expect(applies).toHaveAccessibleDescription('');

  await second.getByRole('button', { name: 'Details of message 1', exact: true }).click();
  await expect(as(second)).toHaveValue('protobuf');
  await expect(details(second).locator('pre')).toHaveText('{ "text": "hi" }');
  await as(second).selectOption('Hex');
  await expect(details(page).locator('pre')).toContainText('0a 02 68 69');
  await as(second).selectOption('Protobuf');
  await second.close();

  await page.reload();
  await expect(parts.subscriptions.filter({ hasText: 'lab/#' })).toContainText(/QoS \d/);
  atMosquitto.publish('lab/b', [payload]);
  await page.getByRole('button', { name: 'Details of message 1', exact: true }).click();
  await expect(details(page).locator('pre')).toHaveText('{ "text": "hi" }');
  await expect(applies).toHaveValue('lab/#');
  atMosquitto.publish('lab/c', [encode(1)]);
  await expect(parts.rows).toHaveCount(2);
});

test('two tabs share profiles and saved messages', async ({ page: first }) => {
  const second = await first.context().newPage();
  const [one, other] = await Promise.all([
    openConnected(first, server.url),
    openConnected(second, server.url),
  ]);
  const pages = [first, second];
  for (const page of pages) {
    await tool(page, 'Saved').click();
    await openSettings(page, 'Profiles');
  }
  const profiles = (page: Page) => page.getByRole('list', { name: 'Profiles' }).getByRole('listitem');
  const saved = (page: Page) => page.getByRole('list', { name: 'Saved messages' }).getByRole('listitem');

  async function saveProfile(page: Page, name: string): Promise<void> {
    const region = page.getByRole('region', { name: 'Broker settings' });
    await region.getByRole('textbox', { name: 'Save the settings as' }).fill(name);
    await region.getByRole('button', { name: 'Save', exact: true }).click();
  }
  async function saveMessage(page: Page, { topic }: Parts, name: string, to: string): Promise<void> {
    const form = page.getByRole('form', { name: 'Save this message' });
    await topic.fill(to);
    await form.getByRole('textbox', { name: 'Save this message as' }).fill(name);
    // Opening this closes the settings.
    await form.getByRole('button', { name: 'Save' }).click();
    await openSettings(page, 'Profiles');
  }

  // As close to simultaneously as two tabs get.
  await Promise.all([saveProfile(first, 'garden'), saveProfile(second, 'plant')]);
  await Promise.all([saveMessage(first, one, 'one', 'a'), saveMessage(second, other, 'two', 'b')]);
  for (const page of pages) {
    await expect(profiles(page)).toHaveText([/^Use garden/, /^Use plant/]);
    await expect(saved(page)).toHaveCount(2);
  }

  await second.getByRole('button', { name: 'Delete garden' }).click();
  await expect(profiles(first)).toHaveText([/^Use plant/]);
  await saveMessage(second, other, 'one', 'c');
  await expect(saved(first).filter({ hasText: 'one' })).toContainText('c');
  await first.getByRole('button', { name: 'Delete two' }).click();
  for (const page of pages) await expect(saved(page)).toHaveCount(1);
  await second.close();

  await first.reload();
  await tool(first, 'Saved').click();
  await openSettings(first, 'Profiles');
  await expect(profiles(first)).toHaveText([/^Use plant/]);
  await expect(saved(first)).toHaveCount(1);
});

test('a reload after the fallback stays with the embedded broker', async ({ page }) => {
  const fallen = await startServer();
  try {
    const dialled: string[] = [];
    await page.goto(fallen.url);
    const parts = partsOf(page);
    await expect(parts.status).toHaveText(`connected ${fallen.mqtt}`);
    await expect(parts.notice).toContainText('Using “This server” instead');
    const topic = await parts.topic.inputValue();

    page.on('websocket', (socket) => dialled.push(socket.url()));
    await page.reload();
    await expect(parts.status).toHaveText(`connected ${fallen.mqtt}`);
    await expect(parts.notice).toContainText('Still using “This server” instead of “EMQX public broker”');
    await expect(parts.topic).toHaveValue(topic);
    await expect.poll(() => dialled).toEqual([fallen.mqtt]);

    await parts.notice.getByRole('button', { name: 'Try EMQX public broker again' }).click();
    await expect.poll(() => dialled.slice(1)).toEqual(['ws://broker.emqx.io:8083/mqtt', fallen.mqtt]);
    await expect(parts.notice).toContainText('Using “This server” instead');
  } finally {
    await fallen.stop();
  }
});
