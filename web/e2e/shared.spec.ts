import { expect, type Page, test } from '@playwright/test';
import { openApi } from './support/api';
import { type Server, startServer } from './support/brokers';
import {
  filtersOf,
  type Packet,
  publish,
  type ScriptedBroker,
  serve,
  startScripted,
  type,
} from './support/scripted';

declare global {
  interface Window {
    client: import('../src/client').Client;
    /** Topics of the messages it received. */
    got: string[];
  }
}

let server: Server;
let broker: ScriptedBroker;
let packets: Packet[];
let changed = (): void => {};

test.beforeAll(async () => {
  server = await startServer();
});
test.afterAll(() => server.stop());
test.beforeEach(async () => {
  packets = [];
  broker = await startScripted((connection) =>
    serve(connection, (packet) => {
      packets.push(packet);
      changed();
    }),
  );
});
test.afterEach(() => broker.stop());

/** Resolves when the broker has received `count` packets of the type. */
async function received(kind: number, count: number): Promise<Packet[]> {
  for (;;) {
    const found = packets.filter((packet) => packet.type === kind);
    if (found.length >= count) return found;
    await new Promise<void>((resolve) => {
      changed = resolve;
    });
  }
}

async function openTab(page: Page): Promise<void> {
  await openApi(page, server.url);
  await page.evaluate(async (url) => {
    window.client = await window.mqtt.connect(url, { shared: true });
    window.got = [];
  }, broker.url);
}

async function openTabs(a: Page): Promise<[a: Page, b: Page]> {
  const b = await a.context().newPage();
  await openTab(a);
  await openTab(b);
  return [a, b];
}

const subscribe = (page: Page, filter: string) =>
  page.evaluate(async (filter) => {
    await window.client.subscribe(filter, ({ topic }) => window.got.push(topic));
  }, filter);

const unsubscribe = (page: Page, filter: string) =>
  page.evaluate((filter) => window.client.unsubscribe(filter), filter);

/** Resolves when the page has received `count` messages. */
async function topics(page: Page, count: number): Promise<string[]> {
  await page.waitForFunction((count) => window.got.length >= count, count);
  return page.evaluate(() => window.got);
}

const send = (...names: string[]) =>
  broker.connections.at(-1)?.send(...names.map((name) => publish(name, '')));

/** Crashes the page's process, and with it a shared worker that runs there. */
async function crash(page: Page): Promise<void> {
  const session = await page.context().newCDPSession(page);
  const crashed = page.waitForEvent('crash');
  // The crashed page can't respond.
  session.send('Page.crash').catch(() => {});
  await crashed;
}

test('two tabs are one connection, and each gets its own subscriptions only', async ({ page }) => {
  const [a, b] = await openTabs(page);
  await subscribe(a, 'a/#');
  await subscribe(b, 'b/#');
  send('a/1', 'b/1', 'a/2', 'b/2');
  expect(await topics(a, 2)).toEqual(['a/1', 'a/2']);
  expect(await topics(b, 2)).toEqual(['b/1', 'b/2']);
  expect(broker.connections).toHaveLength(1);
  const ids = await Promise.all([a, b].map((tab) => tab.evaluate(() => window.client.clientId)));
  expect(ids[0]).toBe(ids[1]);
});

test('the same filter survives the unsubscribe of one tab', async ({ page }) => {
  const [a, b] = await openTabs(page);
  await subscribe(a, 'x');
  await subscribe(b, 'x');
  await unsubscribe(a, 'x');
  send('x');
  expect(await topics(b, 1)).toEqual(['x']);
  expect(await a.evaluate(() => window.got)).toEqual([]);
  expect(packets.filter((packet) => packet.type === type.unsubscribe)).toEqual([]);
  await unsubscribe(b, 'x');
  await received(type.unsubscribe, 1);
});

test('closing the first tab leaves the second one working', async ({ page }) => {
  const [a, b] = await openTabs(page);
  await subscribe(a, 'a');
  await subscribe(b, 'b');
  await a.close();
  const [packet] = await received(type.unsubscribe, 1);
  expect(packet && filtersOf(packet)).toEqual(['a']);
  send('b');
  expect(await topics(b, 1)).toEqual(['b']);
  expect(broker.connections).toHaveLength(1);
});

test('the tab that runs the program crashes, and the other tabs continue', async ({ page }) => {
  // As on most sites: with cross-origin isolation the worker would have its own process.
  await page.context().route('**/healthz', (route) => route.fulfill({ body: 'ok' }));
  const [a, b] = await openTabs(page);
  const c = await a.context().newPage();
  await openTab(c);
  await subscribe(a, 'a');
  await subscribe(b, 'b');
  await subscribe(c, 'c/#');
  const lost = b.evaluate(() => window.failure(window.client.request('nobody/answers', '')));
  await received(type.publish, 1);
  const back = [b, c].map((tab) =>
    tab.evaluate(async () => {
      const seen: string[] = [];
      for (const event of ['close', 'reconnect'] as const) window.client.on(event, () => seen.push(event));
      await new Promise<void>((resolve) => void window.client.once('connect', () => resolve()));
      return [...new Set(seen)];
    }),
  );
  packets.length = 0;
  await crash(a);
  expect(await Promise.all(back)).toEqual([
    ['close', 'reconnect'],
    ['close', 'reconnect'],
  ]);
  expect(await lost).toMatchObject({ code: 'crashed' });
  // Again one connection, now with the filters only those tabs subscribed to.
  expect(broker.connections).toHaveLength(2);
  expect((await received(type.subscribe, 2)).flatMap(filtersOf).sort()).toEqual(['b', 'c/#']);
  send('b', 'c/1');
  expect(await topics(b, 1)).toEqual(['b']);
  expect(await topics(c, 1)).toEqual(['c/1']);
  await b.evaluate(() => window.client.publish('still', 'here', { qos: 1 }));
});

test('a tab that ends leaves the others connected; the last one sends DISCONNECT', async ({ page }) => {
  const [a, b] = await openTabs(page);
  await a.evaluate(() => window.client.end());
  await b.evaluate(() => window.client.publish('still', 'here', { qos: 1 }));
  expect(packets.filter((packet) => packet.type === type.disconnect)).toEqual([]);
  await b.evaluate(() => window.client.end());
  await received(type.disconnect, 1);
});

test('conflicting options are refused, naming the first that differs', async ({ page }) => {
  const [, b] = await openTabs(page);
  const error = await b.evaluate(
    (url) => window.failure(window.mqtt.connect(url, { shared: true, keepalive: 7 })),
    broker.url,
  );
  expect(error).toMatchObject({ code: 'bad-option', field: 'keepalive' });
});

test('without SharedWorker each tab has a connection of its own', async ({ page }) => {
  await page.context().addInitScript(() => {
    Reflect.deleteProperty(window, 'SharedWorker');
  });
  const [a, b] = await openTabs(page);
  expect(broker.connections).toHaveLength(2);
  for (const tab of [a, b]) expect(tab.workers()).toHaveLength(1);
  // A payload of this size is transferred separately from its batch.
  await a.evaluate(() =>
    window.client
      .subscribe('large', ({ payload }) => window.got.push(`${payload.length} bytes`))
      .then(() => {}),
  );
  broker.connections[0]?.send(publish('large', 'x'.repeat(100_000)));
  expect(await topics(a, 1)).toEqual(['100000 bytes']);
  // There is no shared worker to keep the connection while the page is frozen.
  await b.evaluate(() => void document.dispatchEvent(new Event('freeze')));
  await received(type.disconnect, 1);
  await b.waitForFunction(() => window.client.state === 'disconnected');
});
