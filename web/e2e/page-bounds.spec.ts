/**
 * Rendering of hostile or very large data is bounded, hidden views do no work, and cleared data is released.
 */

import { type CDPSession, expect, type Locator, type Page, test } from '@playwright/test';
import { type Server, startServer } from './support/brokers';
import { complaintsOf, connectTo, openConnected, type Parts, showView } from './support/page';
import {
  connack,
  publish,
  reasonString,
  type ScriptedBroker,
  serve,
  startScripted,
  type,
  userProperty,
} from './support/scripted';

let server: Server;
let broker: ScriptedBroker;
let parts: Parts;
let complaints: string[];

test.beforeAll(async () => {
  server = await startServer(['-default-broker', 'mqtt']);
});

test.afterAll(() => server?.stop());

test.beforeEach(async ({ page }) => {
  broker = await startScripted(serve);
  complaints = await complaintsOf(page);
  parts = await openConnected(page, server.url);
  await connectTo(parts, broker.url);
  await expect(parts.status).toHaveText(`connected ${broker.url}`);
  await expect(parts.subscriptions).toContainText(/QoS \d/);
});

test.afterEach(async () => {
  expect(complaints).toEqual([]);
  await broker.stop();
});

const send = (...packets: Uint8Array[]) => broker.connections.at(-1)?.send(...packets);

function viewsOf(page: Page) {
  return {
    topic: (name: string) => page.getByRole('treeitem', { name: new RegExp(`^${name}( |$)`) }),
    details: page.getByRole('region', { name: 'Topic details' }),
    history: page.getByRole('list', { name: 'History' }).getByRole('listitem'),
  };
}

const elementsIn = (part: Locator) => part.locator('*').count();

test('Topics: nested brackets, a changing array and countless properties render few elements', async ({
  page,
}) => {
  const { topic, details, history } = viewsOf(page);
  const array = (at: number) =>
    JSON.stringify(Array.from({ length: 8000 }, (_, n) => (n === at ? 0 : 1000 + n)));
  const properties = Buffer.concat(Array<Uint8Array>(65_000).fill(userProperty('', '')));
  const deep = (depth: number) => publish('deep', '['.repeat(depth) + ']'.repeat(depth));
  await showView(page, 'Topics');
  send(deep(6000));
  await topic('deep').click();
  await expect(history).toHaveCount(1);
  send(deep(5999));
  await expect(history).toHaveCount(2);
  expect(await elementsIn(details)).toBeLessThan(300);
  send(publish('array', array(1)), publish('properties', 'x', properties));

  await topic('array').click();
  for (const [index, at] of [1000, 2000, 3000].entries()) {
    send(publish('array', array(at)));
    await expect(history).toHaveCount(index + 2);
    await expect(details.locator('ins')).toHaveCount(2);
  }
  // A tree of 500 lines, each of two elements.
  expect(await elementsIn(details)).toBeLessThan(1500);
  await expect(details.getByRole('button', { name: 'Show more' })).toBeVisible();
  send(publish('array', JSON.stringify(Array.from({ length: 8000 }, (_, n) => 2000 + n))));
  await expect(details.getByText('Too different to compare with the one before.')).toBeVisible();
  send(publish('array', 'x'.repeat(70_000)));
  await expect(details.getByText('Too large to compare with the one before.')).toBeVisible();

  await topic('properties').click();
  await expect(details).toContainText('… and 64,900 more');
  expect(await elementsIn(details)).toBeLessThan(1000);
});

test('Messages and Packets: only the first of countless properties are rendered', async ({ page }) => {
  await showView(page, 'Packets');
  await page.getByRole('checkbox', { name: 'Record packets' }).check();
  const properties = Buffer.concat(Array<Uint8Array>(65_000).fill(userProperty('', '')));
  const packets = page.getByRole('log', { name: 'Packets' }).locator('.row');
  await expect(async () => {
    send(publish('properties', 'x', properties));
    await expect(packets.filter({ hasText: 'properties' })).not.toHaveCount(0, { timeout: 1000 });
  }).toPass();
  await packets.filter({ hasText: 'properties' }).first().getByRole('button').click();
  const packetDetails = page.getByRole('region', { name: 'Packet details' });
  await expect(packetDetails).toContainText('… and 64,900 more');
  expect(await elementsIn(packetDetails)).toBeLessThan(1000);

  await showView(page, 'Messages');
  await parts.row('properties', 'x').first().getByRole('button').click();
  const details = page.getByRole('region', { name: 'Message details' });
  await expect(details).toContainText('… and 64,900 more');
  expect(await elementsIn(details)).toBeLessThan(1000);
});

test('a refusal of 60 KB is shown in a few lines, and all of it can be scrolled to', async ({ page }) => {
  const reason = 'why '.repeat(15_000).trim();
  const refusing = await startScripted(async (connection) => {
    await connection.expect(type.connect);
    connection.send(connack(0x87, reasonString(reason)));
  });
  await connectTo(parts, refusing.url);
  await expect(parts.notice).toContainText('why why');
  expect((await parts.notice.boundingBox())?.height).toBeLessThan(300);
  const detail = page.locator('.notice-detail');
  expect((await detail.textContent())?.length).toBeGreaterThan(reason.length);
  expect(await detail.evaluate(({ scrollHeight, clientHeight }) => scrollHeight > clientHeight)).toBe(true);
  await refusing.stop();
});

/** Starts recording mutations below the hidden views. */
async function watchHidden(page: Page) {
  await page.evaluate(() => {
    const state = Object.assign(window, { mutations: [] as string[] });
    const observer = new MutationObserver((records) => {
      for (const { target } of records)
        state.mutations.push(target.parentElement?.className ?? target.nodeName);
    });
    for (const panel of document.querySelectorAll('[role=tabpanel][data-shown=false]')) {
      const content = { subtree: true, childList: true, attributes: true, characterData: true };
      for (const part of panel.children) observer.observe(part, content);
    }
  });
  return () => page.evaluate(() => (window as unknown as { mutations: string[] }).mutations);
}

test('hidden views do no work, and catch up when they are shown', async ({ page }) => {
  await page.setViewportSize({ width: 390, height: 844 }); // one view at a time
  const { topic } = viewsOf(page);
  await showView(page, 'Packets');
  await page.getByRole('checkbox', { name: 'Record packets' }).check();
  const packets = page.getByRole('log', { name: 'Packets' }).locator('.row');
  await expect(async () => {
    send(publish('t', 'first'));
    await expect(packets).not.toHaveCount(0, { timeout: 1000 });
  }).toPass();
  await showView(page, 'Topics');
  await expect(topic('t')).toBeVisible();
  const mutations = await watchHidden(page);

  const flood = async (name: string) => {
    for (let n = 0; n < 30; n++) {
      send(...Array.from({ length: 100 }, (_, at) => publish(name, `${name} ${100 * n + at}`)));
      await page.evaluate(() => new Promise(requestAnimationFrame));
    }
  };
  await flood('hidden');
  await expect(topic('hidden')).toHaveAccessibleName('hidden hidden 2999 3,000 messages');
  expect(await mutations()).toEqual([]);

  await page.getByRole('button', { name: 'Broker', exact: true }).click(); // goes back to the packets
  await expect(packets.last()).toContainText('hidden');
  await page.getByRole('button', { name: 'Broker', exact: true }).click();
  await expect(page.getByRole('tab', { name: 'Broker' })).toHaveAttribute('aria-selected', 'true');
  await showView(page, 'Messages');
  await expect(parts.rows.last()).toContainText('hidden 2999');
});

async function heapOf(cdp: CDPSession): Promise<number> {
  await cdp.send('HeapProfiler.collectGarbage');
  const usage = (await cdp.send('Runtime.getHeapUsage')) as { usedSize: number; backingStorageSize?: number };
  return usage.usedSize + (usage.backingStorageSize ?? 0);
}

test('clearing releases everything: messages, topics, births, filters and searches leave nothing', async ({
  page,
}) => {
  const search = page.getByRole('textbox', { name: 'Search messages' });

  /** Each round uses its own topics and nodes. */
  async function round(name: string, count: number) {
    await showView(page, 'Messages');
    const before = Number((await parts.count('Received').textContent())?.replaceAll(',', ''));
    const body = 'x'.repeat(200);
    for (let n = 0; n < count; n += 500) {
      const numbers = Array.from({ length: 500 }, (_, at) => n + at);
      send(...numbers.map((at) => publish(`${name}/${at}`, `${body} ${at}`)));
      send(...numbers.map((at) => publish(`spBv1.0/${name}/NBIRTH/${at}`, body)));
      await page.evaluate(() => new Promise(requestAnimationFrame));
    }
    await expect(parts.count('Received')).toHaveText((before + 2 * count).toLocaleString('en'));
    await search.fill(`${body} 499`);
    await expect(page.locator('.filter-found')).toContainText(' of ');
    await showView(page, 'Topics');
    await page.getByRole('searchbox', { name: 'Search topics' }).fill(`${name}/4`);
    await page.getByRole('searchbox', { name: 'Search topics' }).fill('');
    await page.getByRole('button', { name: 'Clear tree' }).click();
    await showView(page, 'Messages');
    await search.fill('');
    await page.getByRole('button', { name: 'Clear', exact: true }).click();
    await expect(parts.count('In memory')).toHaveText('0');
  }

  const cdp = await page.context().newCDPSession(page);
  // Warm up, so that one-time loading and compilation doesn't count.
  await round('warm', 2000);
  await round('warmer', 2000);
  const before = await heapOf(cdp);
  await round('plenty', 20_000);
  const after = await heapOf(cdp);
  console.log(`${Math.round(before / 1024)} KiB before, ${Math.round(after / 1024)} KiB after`);
  expect(after).toBeLessThan(1.1 * before);
});
