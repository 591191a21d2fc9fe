import { readFileSync } from 'node:fs';
import type { Page } from '@playwright/test';
import { type Mosquitto, type Server, startMosquitto } from './support/brokers';
import { addConnection, filterBar, nameOf, strip, test } from './support/connections';
import { expect } from './support/fixtures';
import { connectTo, type Parts, showView } from './support/page';
import type { Publisher } from './support/publisher';

let server: Server;
let mosquitto: Mosquitto;
/** Another client, one at each broker. */
let atServer: Publisher;
let atMosquitto: Publisher;
let parts: Parts;

test.beforeEach(
  async ({ server: theServer, mosquitto: theMosquitto, parts: theParts, elsewhere, atMosquitto: there }) => {
    server = theServer;
    mosquitto = theMosquitto;
    atServer = elsewhere;
    atMosquitto = there;
    parts = theParts;
  },
);

async function subscribe(filter: string): Promise<void> {
  await parts.filter.fill(filter);
  await parts.subscribe.click();
  await expect(parts.subscriptions.filter({ hasText: filter })).toContainText(/QoS \d/);
}

/** Opens and selects a second connection, to mosquitto. */
const addMosquitto = (page: Page) => addConnection(page, parts, mosquitto);

test('one connection looks like one: no list, no filter, no labels', async ({ page }) => {
  await expect(strip(page).add).toBeVisible();
  await expect(strip(page).tabs).toHaveCount(0);
  await parts.publish.click();
  await expect(parts.rows).toHaveCount(1);
  await expect(parts.rows.locator('.via')).toHaveCount(0);
  await filterBar(page).open.click();
  await expect(filterBar(page).connection).toHaveCount(0);
  // With one connection there is only one button named Connect.
  await expect(page.getByRole('button', { name: 'Connect' })).toHaveCount(1);
});

test('two brokers at once: each connection has what is its own, and one feed shows both', async ({
  page,
}) => {
  const { tabs, tab } = strip(page);
  await subscribe('shared/topic');
  const own = await parts.topic.inputValue();
  await strip(page).add.click();
  await expect(tabs).toHaveCount(2);
  await expect(parts.status).toHaveText(/^disconnected/);
  // The other connection stays open, and the form is reset.
  await expect(tab(server)).toHaveAccessibleName(/, connected$/);
  await expect(parts.url).toHaveValue(server.mqtt);
  await expect(parts.topic).not.toHaveValue(own);
  await expect(parts.subscriptions).toHaveCount(1);
  await connectTo(parts, mosquitto.mqtt);
  await expect(parts.status).toHaveText(`connected ${mosquitto.mqtt}`);
  await subscribe('shared/topic');

  atServer.publish('shared/topic', ['of the server']);
  atMosquitto.publish('shared/topic', ['of mosquitto']);
  await expect(parts.row('shared/topic', 'of the server').locator('.via')).toHaveText(nameOf(server));
  await expect(parts.row('shared/topic', 'of mosquitto').locator('.via')).toHaveText(nameOf(mosquitto));
  await expect(parts.subscriptions.filter({ hasText: 'shared/topic' })).toContainText('1 message');

  // Publishing uses the selected connection only.
  await parts.publish.click();
  await expect(parts.rows).toHaveCount(3);
  await expect(parts.rows.last().locator('.via')).toHaveText(nameOf(mosquitto));

  const { open, connection, direction, reset } = filterBar(page);
  await open.click();
  await connection.selectOption(nameOf(mosquitto));
  await expect(parts.rows).toHaveCount(2);
  await expect(parts.row('shared/topic', 'of the server')).toHaveCount(0);
  await direction.selectOption('both');
  await expect(parts.rows).toHaveCount(3);
  await expect(parts.rows.locator('.via')).toHaveText(Array(3).fill(nameOf(mosquitto)));
  await connection.selectOption(nameOf(server));
  await expect(parts.rows).toHaveCount(1);
  await reset.click();
  await expect(parts.rows).toHaveCount(3);

  await showView(page, 'Topics');
  const topic = (name: string) => page.getByRole('treeitem', { name: new RegExp(`^${name}`) });
  await expect(topic('mqttwasm')).toHaveCount(1);
  await topic('shared').click();
  await expect(topic('shared')).toHaveAttribute('aria-selected', 'true');
  // The topic of this connection is selected, not the other's.
  await showView(page, 'Messages');
  await expect(parts.row('shared/topic', 'of mosquitto')).toHaveCount(1);
  await expect(parts.rows).toHaveCount(1);
  await showView(page, 'Topics');
  await tab(server).click();
  await expect(parts.status).toHaveText(`connected ${server.mqtt}`);
  await expect(parts.topic).toHaveValue(own);
  await expect(topic('shared')).toHaveAttribute('aria-selected', 'false');
  await expect(topic('mqttwasm')).toHaveCount(0);
  await tab(mosquitto).click();
  await expect(topic('shared')).toHaveAttribute('aria-selected', 'true');
});

test('after a change of broker, a message from the previous one offers no reply', async ({ page }) => {
  await subscribe('turned/#');
  atServer.publish('turned/ask', ['how warm?'], 'turned/answer');
  await parts.row('turned/ask', 'how warm?').click();
  const details = page.getByRole('region', { name: 'Message details' });
  await expect(details.getByRole('button', { name: 'Reply', exact: true })).toBeVisible();

  await parts.url.fill(mosquitto.mqtt);
  // The status shows the connected address, not the edited one.
  await expect(parts.status).toContainText(server.mqtt);
  await parts.connect.click();
  await expect(parts.status).toHaveText(`connected ${mosquitto.mqtt}`);
  await expect(details.getByRole('button', { name: 'Reply', exact: true })).toHaveCount(0);
  await details.getByRole('button', { name: `Edit and resend (${nameOf(mosquitto)})` }).click();
  await expect(parts.payload).toHaveValue('how warm?');
});

test('details and exports name the connection', async ({ page }) => {
  await subscribe('told/#');
  await addMosquitto(page);
  await subscribe('told/#');
  atServer.publish('told/one', ['1']);
  await expect(parts.row('told/one', '1')).toHaveCount(1);
  atMosquitto.publish('told/two', ['2']);
  await expect(parts.row('told/two', '2')).toHaveCount(1);

  await page.getByRole('button', { name: 'Details of message 1' }).click();
  const details = page.getByRole('region', { name: 'Message details' });
  await expect(details).toContainText(`Connection${nameOf(server)}`);
  // From the message's own connection, not the selected one.
  await expect(details).toContainText(/Subscribed by\s*told\/#/);

  await page.getByRole('button', { name: 'Export', exact: true }).click();
  async function exported(format: string): Promise<string> {
    const download = page.waitForEvent('download');
    await page.getByRole('button', { name: `Export as ${format}` }).click();
    return readFileSync(await (await download).path(), 'utf8');
  }
  const expected = [
    [nameOf(server), 'told/one'],
    [nameOf(mosquitto), 'told/two'],
  ];
  type Exported = { connection: string; topic: string };
  const pair = ({ connection, topic }: Exported) => [connection, topic];
  expect((JSON.parse(await exported('JSON')) as Exported[]).map(pair)).toEqual(expected);
  const lines = (await exported('NDJSON')).trimEnd().split('\n');
  expect(lines.map((line) => pair(JSON.parse(line) as Exported))).toEqual(expected);
  const [head = '', ...rows] = (await exported('CSV')).trimEnd().split('\r\n');
  const at = ['connection', 'topic'].map((name) => head.split(',').indexOf(`"${name}"`));
  expect(rows.map((row) => at.map((column) => row.split(',')[column]?.replaceAll('"', '')))).toEqual(
    expected,
  );
});

test('closing a connection leaves the other one open and keeps its messages', async ({ page }) => {
  const { tabs, tab, close } = strip(page);
  await addMosquitto(page);
  await parts.publish.click();
  await expect(parts.rows).toHaveCount(1);
  const ends = mosquitto.printed(/Received DISCONNECT from mqttwasm_/);
  await close(mosquitto).click();
  await ends;
  await expect(tabs).toHaveCount(0);
  await expect(parts.status).toHaveText(`connected ${server.mqtt}`);
  await parts.publish.click();
  await expect(parts.rows).toHaveCount(2);
  await expect(parts.rows.locator('.via')).toHaveText([nameOf(mosquitto), nameOf(server)]);
  await filterBar(page).open.click();
  await filterBar(page).connection.selectOption(nameOf(mosquitto));
  await expect(parts.rows).toHaveCount(1);

  // The selected connection can be closed too.
  await addMosquitto(page);
  await close(server).click();
  await expect(tab(mosquitto)).toHaveCount(0);
  await expect(parts.status).toHaveText(`connected ${mosquitto.mqtt}`);
});

test('a repeated publish continues in the background, and its connection shows it', async ({ page }) => {
  const { tab } = strip(page);
  const own = await parts.topic.inputValue();
  await parts.repeat.check();
  await page.getByRole('spinbutton', { name: 'Seconds between messages' }).fill('0.2');
  await parts.publish.click();
  await addMosquitto(page);
  await expect(tab(server)).toHaveAccessibleName(/publishing repeatedly$/);
  await expect(tab(mosquitto)).not.toHaveAccessibleName(/publishing repeatedly$/);
  await expect(parts.publish).toBeVisible();

  const received = async () => Number(await parts.count('Received').textContent());
  const before = await received();
  await expect.poll(received).toBeGreaterThan(before + 2);
  await expect(parts.rows.last().locator('.via')).toHaveText(nameOf(server));
  await expect(parts.rows.last()).toContainText(own);

  // Closing the other connection does not stop it.
  await strip(page).close(mosquitto).click();
  await expect(parts.stop).toBeVisible();
  const then = await received();
  await expect.poll(received).toBeGreaterThan(then + 2);
  await parts.stop.click();
  await expect(parts.publish).toBeVisible();
});

test('a lost connection is reported while another one is selected', async ({ page }) => {
  const broker = await startMosquitto();
  await strip(page).add.click();
  await connectTo(parts, broker.mqtt);
  await expect(parts.status).toHaveText(`connected ${broker.mqtt}`);
  await strip(page).tab(server).click();
  await broker.stop();
  await expect(strip(page).tab(broker)).toHaveAccessibleName(/, reconnecting$/);
  await expect(parts.status).toHaveText(`connected ${server.mqtt}`);
  await expect(parts.notice).toBeEmpty();
  await strip(page).tab(broker).click();
  await expect(parts.status).toHaveText(/^reconnecting/);
  await expect(parts.notice).toContainText('The connection was lost');
  await strip(page).close(broker).click();
  await expect(parts.status).toHaveText(`connected ${server.mqtt}`);
});

test('all of it by keyboard', async ({ page }) => {
  const { add, tab, tabs, close } = strip(page);
  await add.focus();
  await page.keyboard.press('Enter');
  await expect(parts.broker).toBeFocused();
  await page.keyboard.press('Tab');
  await expect(parts.url).toBeFocused();
  await page.keyboard.press('Control+a');
  await page.keyboard.type(mosquitto.mqtt);
  await page.keyboard.press('Enter');
  await expect(parts.status).toHaveText(`connected ${mosquitto.mqtt}`);

  await tab(server).focus();
  await page.keyboard.press('Enter');
  await expect(parts.status).toHaveText(`connected ${server.mqtt}`);
  await expect(tab(server)).toBeFocused();
  await page.keyboard.press('Tab');
  await expect(close(server)).toBeFocused();
  await page.keyboard.press('Tab');
  await expect(tab(mosquitto)).toBeFocused();
  await page.keyboard.press('Tab');
  await page.keyboard.press('Enter');
  await expect(tabs).toHaveCount(0);
  await expect(add).toBeFocused();
});

test('the command to show messages opens them in place of the topics', async ({ page }) => {
  await page.setViewportSize({ width: 390, height: 800 });
  await showView(page, 'Topics');
  await expect(parts.log).toBeHidden();
  await showView(page, 'Messages');
  await expect(parts.log).toBeVisible();
  await expect(parts.log).toBeInViewport();
});

test('a recording is published to the connection selected in its form, whichever was first', async ({
  page,
}) => {
  const recordings = page.getByRole('region', { name: 'Recordings' });
  const form = recordings.getByRole('form', { name: 'Publish again' });
  const line = JSON.stringify({
    time: new Date(0).toISOString(),
    direction: 'received',
    topic: 'plant/recorded',
    payload: 'again',
    payloadEncoding: 'utf-8',
    qos: 0,
    retain: false,
    dup: false,
    properties: {},
  });
  const file = { name: 'plant.ndjson', mimeType: 'text/plain', buffer: Buffer.from(line) };
  await page.getByRole('button', { name: 'Record', exact: true }).click();
  await recordings.getByLabel('Import a recording').setInputFiles(file);
  await expect(recordings.getByRole('listitem')).toContainText('plant');
  await subscribe('plant/#');
  await addMosquitto(page);
  await subscribe('plant/#');

  const publish = async () => {
    await form.getByRole('combobox', { name: 'Speed' }).selectOption('at once');
    await form.getByRole('button', { name: 'Publish 1 message' }).click();
  };
  const from = (broker: { mqtt: string }) => parts.rows.filter({ hasText: nameOf(broker) });
  await recordings.getByRole('button', { name: 'Publish again: plant' }).click();
  await expect(form.getByRole('combobox', { name: 'Publish to' })).toHaveValue('2');
  await expect(form).toContainText(`will go to ${mosquitto.mqtt}`);
  await publish();
  await expect(from(mosquitto)).toHaveCount(1);
  await expect(from(server)).toHaveCount(0);

  // The form keeps its target when another connection is selected.
  await recordings.getByRole('button', { name: 'Publish again: plant' }).click();
  await form.getByRole('combobox', { name: 'Publish to' }).selectOption(nameOf(server));
  await strip(page).tab(mosquitto).click();
  await expect(form).toContainText(`will go to ${server.mqtt}`);
  await publish();
  await expect(from(server)).toHaveCount(1);
  await expect(from(mosquitto)).toHaveCount(1);
});

test('messages from several connections are published only as chosen', async ({ page }) => {
  const recordings = page.getByRole('region', { name: 'Recordings' });
  const form = recordings.getByRole('form', { name: 'Publish again' });
  const of = (name: string) => form.getByRole('combobox', { name });
  await subscribe('mixed/#');
  await addMosquitto(page);
  await subscribe('mixed/#');
  await page.getByRole('button', { name: 'Record', exact: true }).click();
  await recordings.getByRole('button', { name: 'Start recording' }).click();
  await expect(recordings.getByRole('button', { name: 'Stop recording' })).toBeVisible();
  atServer.publish('mixed/server', ['secret', 'secret']);
  atMosquitto.publish('mixed/mosquitto', ['plain']);
  await expect(recordings).toContainText('3 messages');
  await recordings.getByRole('button', { name: 'Stop recording' }).click();
  const item = recordings.getByRole('listitem');
  await expect(item).toContainText(`${nameOf(server)}: 2`);
  await expect(item).toContainText(`${nameOf(mosquitto)}: 1`);

  await recordings.getByRole('button', { name: /^Publish again: / }).click();
  await expect(of('Recorded from').getByRole('option', { selected: true })).toHaveText(nameOf(mosquitto));
  await expect(form).toContainText(`1 message will go to ${mosquitto.mqtt}`);
  await expect(form).not.toContainText('They were recorded from');
  await of('Publish to').selectOption(nameOf(server));
  await expect(form).toContainText(`2 messages will go to ${server.mqtt}`);
  await of('Recorded from').selectOption('all connections');
  await expect(form).toContainText(`3 messages will go to ${server.mqtt}`);
  await expect(form).toContainText(/They were recorded from \S+, \S+\./);
  await of('Recorded from').selectOption(nameOf(mosquitto));
  await expect(form).toContainText(`They were recorded from ${nameOf(mosquitto)}.`);
  await of('Publish to').selectOption(nameOf(mosquitto));
  await of('Speed').selectOption('at once');
  await form.getByRole('button', { name: 'Publish 1 message' }).click();
  await expect(parts.row('mixed/mosquitto', 'plain')).toHaveCount(2);

  // No default connection applies, so the user has to choose.
  await strip(page).add.click();
  await recordings.getByRole('button', { name: /^Publish again: / }).click();
  await expect(of('Recorded from').getByRole('option', { selected: true })).toHaveText('choose');
  await expect(form.getByRole('button', { name: 'Publish', exact: true })).toBeDisabled();
});

test('a topic filter reset by the user stays reset after another connection was selected', async ({
  page,
}) => {
  const { open, reset } = filterBar(page);
  await parts.publish.click();
  await expect(parts.rows).toHaveCount(1);
  await page.getByRole('treeitem').filter({ hasText: 'hello' }).click();
  await expect(open).toHaveText('Filter (1)');
  await open.click();
  await reset.click();
  await expect(open).toHaveText('Filter');
  await addMosquitto(page);
  await expect(open).toHaveText('Filter');
  await strip(page).tab(server).click();
  await expect(parts.status).toHaveText(`connected ${server.mqtt}`);
  const selected = page.getByRole('treeitem', { selected: true });
  await expect(selected).toBeVisible();
  await expect(open).toHaveText('Filter');

  // Selecting the topic again filters the feed again.
  await selected.click();
  await page.keyboard.press('Escape');
  await expect(selected).toHaveCount(0);
  await page.getByRole('treeitem').filter({ hasText: 'hello' }).click();
  await expect(open).toHaveText('Filter (2)');
});
