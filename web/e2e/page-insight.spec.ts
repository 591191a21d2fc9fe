import { readFileSync, writeFileSync } from 'node:fs';
import { expect, type Page, test } from '@playwright/test';
import { violationsOf } from './support/axe';
import { type Mosquitto, type Server, startMosquitto, startServer } from './support/brokers';
import {
  complaintsOf,
  connectTo,
  openConnected,
  openSettings,
  type Parts,
  showView,
  type ViewName,
} from './support/page';
import { openPublisher } from './support/publisher';

let server: Server;
let mosquitto: Mosquitto;

test.beforeAll(async () => {
  [server, mosquitto] = await Promise.all([
    startServer(['-default-broker', 'mqtt']),
    startMosquitto(undefined, ['sys_interval 1']),
  ]);
});

test.afterAll(async () => {
  await Promise.all([server?.stop(), mosquitto?.stop()]);
});

/** Locators for both views. */
function insightOf(page: Page) {
  const packets = page.getByRole('log', { name: 'Packets' });
  return {
    tab: (name: string) => page.getByRole('tab', { name }),
    record: page.getByRole('checkbox', { name: 'Record packets' }),
    packets,
    packet: (name: string) =>
      packets.locator('.row').filter({ has: page.locator('.packet-name', { hasText: name }) }),
    details: page.getByRole('region', { name: 'Packet details' }),
    type: page.getByRole('combobox', { name: 'Packet type' }),
    direction: page.getByRole('combobox', { name: 'Direction' }),
    search: page.getByRole('textbox', { name: 'Search packets' }),
    figures: page.getByRole('list', { name: 'Figures' }).getByRole('listitem'),
    values: page.getByRole('region', { name: 'All values' }).getByRole('row'),
    state: page.getByRole('status', { name: 'Broker values' }),
  };
}

async function openAt(page: Page, broker: string): Promise<Parts & ReturnType<typeof insightOf>> {
  const parts = await openConnected(page, server.url);
  if (broker !== server.mqtt) {
    await connectTo(parts, broker);
    await expect(parts.status).toHaveText(/^connected/);
  }
  return { ...parts, ...insightOf(page) };
}

test('the round-trip time is shown beside the status, and its spread with the session', async ({ page }) => {
  const parts = await openConnected(page, server.url);
  const time = page.locator('.round-trip');
  await expect(time).toHaveText(/Round-trip time (< 1|\d+) ms/);
  await expect(parts.status).not.toContainText('ms');
  await openSettings(page, 'Session');
  await expect(page.locator('.session-trips')).toContainText(/ms to .* ms, median/);
  await parts.disconnect.click();
  await expect(time).toHaveCount(0);
});

test('the broker view shows mosquitto’s $SYS figures and values, which stay out of the feed', async ({
  page,
}) => {
  const complaints = await complaintsOf(page);
  const { figures, values, log, count, subscriptions, filter, subscribe, row } = await openAt(
    page,
    mosquitto.mqtt,
  );
  await showView(page, 'Broker');
  await expect(figures.filter({ hasText: 'Version' })).toContainText('mosquitto version 2');
  // Its two lines are below the name.
  const touching = await figures.evaluateAll((all) =>
    all.filter((figure) => {
      const [name, value] = [...figure.children].map((part) => {
        const range = document.createRange();
        range.selectNodeContents(part);
        return range.getBoundingClientRect();
      });
      return !name || !value || value.top < name.bottom - 2;
    }),
  );
  expect(touching).toEqual([]);
  await expect(figures.filter({ hasText: 'Uptime' })).toContainText(/\d+ s/);
  await expect(figures.filter({ hasText: 'Clients connected' })).toContainText('1');
  await expect(figures.filter({ hasText: 'Messages in' })).toContainText('/s');
  await expect(figures.filter({ hasText: 'Bytes out' })).toContainText('B/s');
  await expect(
    page.getByRole('img', { name: /^Messages in over time: .*\/s to .*\/s$/ }).locator('polyline'),
  ).toHaveCount(1);
  await page.getByRole('searchbox', { name: 'Search values' }).fill('heap');
  await expect(values.filter({ hasText: '$SYS/broker/heap/current' })).toHaveCount(1);
  await expect(values.filter({ hasText: 'uptime' })).toHaveCount(0);
  expect(await violationsOf(page, { within: '.broker' })).toEqual([]);

  await showView(page, 'Messages');
  await expect(log.locator('.row')).toHaveCount(0);
  await expect(count('Received')).toHaveText('0');
  await expect(subscriptions).toHaveCount(1);

  // A subscription to $SYS that the user makes works, even while the view has one of its own.
  await showView(page, 'Broker');
  await expect(figures).not.toHaveCount(0);
  await filter.fill('$SYS/broker/version');
  await subscribe.click();
  await expect(subscriptions).toHaveCount(2);
  await showView(page, 'Messages');
  await expect(row('$SYS/broker/version', 'mosquitto version 2.0.11')).not.toHaveCount(0);
  await expect(log).not.toContainText('uptime');
  expect(complaints).toEqual([]);
});

test('a broker that publishes no $SYS topics is reported as silent', async ({ page }, info) => {
  const acl = info.outputPath('acl');
  writeFileSync(acl, 'topic readwrite #\ntopic deny $SYS/#\n');
  const broker = await startMosquitto(undefined, [`acl_file ${acl}`]);
  try {
    const { state, figures } = await openAt(page, broker.mqtt);
    await showView(page, 'Broker');
    await expect(state).toContainText('Nothing from the broker yet');
    await expect(figures).toHaveCount(0);
    expect(await violationsOf(page, { within: '.broker' })).toEqual([]);
  } finally {
    await broker.stop();
  }
});

test('the view is subscribed only while it is open', async ({ page }) => {
  const { figures, packet, record, search } = await openAt(page, server.mqtt);
  await showView(page, 'Packets');
  await record.check();
  await showView(page, 'Broker');
  await expect(figures.filter({ hasText: 'Clients connected' })).toContainText(/\d/);
  await expect(figures.filter({ hasText: 'Heap' })).toContainText('MiB');
  await showView(page, 'Packets');
  await search.fill('$SYS/#');
  await expect(packet('SUBSCRIBE').filter({ hasText: '$SYS/# · QoS 0' })).toHaveCount(1);
  await expect(packet('UNSUBSCRIBE').filter({ hasText: '$SYS/#' })).toHaveCount(1);
});

test('every packet is in the timeline, with its fields and their clauses', async ({ page }) => {
  const complaints = await complaintsOf(page);
  const parts = await openAt(page, mosquitto.mqtt);
  await openSettings(page, 'Options');
  await page.getByRole('textbox', { name: 'User name' }).fill('alice');
  await page.getByRole('textbox', { name: 'Password' }).fill('open sesame');
  await showView(page, 'Packets');
  await expect(page.getByText('Not recording')).toBeVisible();
  await parts.record.check();
  await parts.disconnect.click();
  await parts.connect.click();
  await expect(parts.status).toHaveText(/^connected/);
  await parts.qos.selectOption('1');
  await parts.publish.click();

  await expect(parts.packet('CONNECT')).toContainText('user alice');
  await expect(parts.packet('CONNACK')).toContainText('0x00 Success');
  await expect(parts.packet('SUBACK')).toContainText('0x02 Granted QoS 2');
  await expect(parts.packet('PUBACK').first()).toContainText(/after \d+ ms/);

  await parts.packet('CONNECT').getByRole('button').click();
  await expect(parts.details).toContainText('Keep Alive (3.1.2.10)');
  await expect(parts.details).toContainText('User Name (3.1.3.5)');
  await expect(parts.details).toContainText('hidden, 11 bytes');
  expect(await parts.details.textContent()).not.toMatch(/sesame|73 65 73/);
  await parts.details.getByRole('button', { name: /^CONNACK/ }).click();
  await expect(parts.details).toContainText('Connect Reason Code (3.2.2.2)0x00 Success');
  expect(await violationsOf(page, { within: '.packets' })).toEqual([]);

  const [download] = await Promise.all([
    page.waitForEvent('download'),
    page.getByRole('button', { name: 'Export as NDJSON' }).click(),
  ]);
  const file = readFileSync(await download.path(), 'utf8');
  expect(file.split('\n')[0]).toContain('"packet":"CONNECT"');
  expect(file).not.toContain('sesame');
  expect(complaints).toEqual([]);
});

test('by keyboard: the tabs, the switch, the list and its details', async ({ page }) => {
  const parts = await openAt(page, server.mqtt);
  await parts.tab('Messages').focus();
  await page.keyboard.press('End');
  await expect(parts.tab('Fleet')).toBeFocused();
  await page.keyboard.press('ArrowLeft');
  await expect(parts.tab('Scripts')).toBeFocused();
  await page.keyboard.press('m');
  await page.keyboard.press('k');
  await expect(page.getByRole('group', { name: 'Packets' })).toBeFocused();
  await expect(parts.record).toBeVisible(); // loaded by now
  await page.keyboard.press('/');
  await expect(parts.search).toBeFocused();
  await page.keyboard.press('Shift+Tab');
  await expect(parts.record).toBeFocused();
  await page.keyboard.press('Space');
  await expect(parts.record).toBeChecked();
  await parts.publish.click();
  await expect(parts.packet('PUBLISH')).not.toHaveCount(0);

  await parts.type.selectOption('publish');
  await parts.direction.selectOption('sent');
  await expect(parts.packet('PUBLISH')).toHaveCount(1);
  await parts.search.fill('hello');
  await expect(parts.packet('PUBLISH')).toHaveCount(1);
  await parts.search.fill('nothing of the kind');
  await expect(page.getByText(/^No matching/)).toBeVisible();
  await parts.search.fill('');
  await parts.direction.selectOption('');
  await parts.type.selectOption('');

  const newest = parts.packets.locator('.row-open[tabindex="0"]');
  await newest.focus();
  await page.keyboard.press('Home');
  await expect(parts.packets.locator('.row-open').first()).toBeFocused();
  await page.keyboard.press('Enter');
  await expect(parts.details).toBeVisible();
  // The list keeps the focus, so arrow keys go on working.
  await page.keyboard.press('ArrowDown');
  await expect(parts.packets.locator('.row-open').nth(1)).toBeFocused();
  await expect(parts.packets.locator('.row-open').nth(1)).toHaveAttribute('aria-expanded', 'true');
  await page.keyboard.press('ArrowUp');
  await expect(parts.packets.locator('.row-open').first()).toHaveAttribute('aria-expanded', 'true');
  await page.keyboard.press('Escape');
  await expect(parts.details).toHaveCount(0);
  await expect(parts.packets.locator('.row-open').first()).toBeFocused();
});

test('Escape closes what lies over the details first, then the details', async ({ page }) => {
  const parts = await openAt(page, server.mqtt);
  const ofMessage = page.getByRole('region', { name: 'Message details' });
  await parts.publish.click();
  await page.getByRole('button', { name: 'Details of message 1' }).click();
  await expect(ofMessage).toBeVisible();
  await showView(page, 'Packets');
  await parts.record.check();
  await parts.publish.click();
  await parts.packet('PUBLISH').first().getByRole('button').click();
  await expect(parts.details).toBeVisible();

  const sheet = page.getByRole('dialog');
  await page.keyboard.press('?');
  await expect(sheet).toBeVisible();
  await page.keyboard.press('Escape');
  await expect(sheet).toBeHidden();
  await expect(parts.details).toBeVisible();

  await page.keyboard.press('Escape');
  await expect(parts.details).toHaveCount(0);
  await showView(page, 'Messages');
  await expect(ofMessage).toBeVisible();
  await page.keyboard.press('Escape');
  await expect(ofMessage).toHaveCount(0);
});

test('a hidden view does no work, and is complete when it is shown again', async ({ page }) => {
  const parts = await openAt(page, server.mqtt);
  const own = (await parts.topic.inputValue()).replace(/\/hello$/, '');
  await page.setViewportSize({ width: 390, height: 844 }); // one view at a time
  const publisher = await openPublisher(server.mqtt);
  /** Counts the mutations in a hidden view during a flood, until the shown view has its last message. */
  async function changesWhile(shown: ViewName, hidden: string): Promise<number> {
    await showView(page, shown);
    await page.evaluate((selector) => {
      const counted = { changes: 0 };
      Object.assign(window, { counted });
      const observer = new MutationObserver((records) => {
        // Ignores live regions, which announce the last visible state every few seconds.
        const live = ({ target }: MutationRecord) =>
          (target instanceof Element ? target : target.parentElement)?.closest('[aria-live=polite]');
        counted.changes += records.filter((record) => !live(record)).length;
      });
      const element = document.querySelector(selector);
      if (!element) throw new Error(`no ${selector}`);
      observer.observe(element, { subtree: true, childList: true, attributes: true, characterData: true });
    }, hidden);
    for (let sent = 0; sent < 8; sent++) {
      publisher.publish(
        `${own}/flood`,
        Array.from({ length: 50 }, () => 'x'),
      );
      publisher.publish(`${own}/${shown}-${sent}`, ['x']);
      await expect(
        page.locator('.middle-panel[data-shown=true]').getByText(`${shown}-${sent}`),
      ).not.toHaveCount(0);
    }
    return page.evaluate(() => (window as unknown as { counted: { changes: number } }).counted.changes);
  }

  await showView(page, 'Packets');
  await parts.record.check();
  expect(await changesWhile('Messages', '.packets')).toBe(0);
  expect(await changesWhile('Packets', '#messages')).toBe(0);
  await showView(page, 'Messages');
  await expect(parts.row(`${own}/Packets-7`, 'x')).toBeInViewport();
  await page.getByRole('button', { name: 'Broker', exact: true }).click(); // goes back to the packets
  await expect(parts.packets.getByText('Packets-7')).toBeInViewport();
  publisher.close();
});

test('hostile topics and properties affect only their own row', async ({ page }) => {
  const parts = await openAt(page, server.mqtt);
  await showView(page, 'Packets');
  await parts.record.check();
  const topic = (await parts.topic.inputValue()).replace(/hello$/, '<img src=x>\u202etxt.\u200b');
  await parts.topic.fill(topic);
  await parts.publish.click();
  const row = parts.packet('PUBLISH').first();
  await expect(row).toContainText('<img src=x>\\u202etxt.\\u200b');
  await expect(page.locator('.packets img')).toHaveCount(0);
});
