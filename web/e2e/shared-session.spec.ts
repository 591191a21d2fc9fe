/** Tabs that share a session: whatever happens to one, the messages of the others arrive. */

import { once } from 'node:events';
import { type BrowserContext, expect, type Page, test } from '@playwright/test';
import { openApi } from './support/api';
import { keepAwake } from './support/awake';
import { type Mosquitto, type Server, startMosquitto, startServer } from './support/brokers';
import { start } from './support/process';

declare global {
  interface Window {
    client: import('../src/client').Client;
    /** Payloads of what it got, and with which QoS. */
    taken: [payload: string, qos: number][];
    /** Codes of its `error` events. */
    errors: string[];
  }
}

/** To each tab, half of them with QoS 1 and half with QoS 2. */
const count = 600;
/** Repeats with other delays; `MQTTWASM_SHARED_SEEDS=10` for ten. */
const seeds = Array.from({ length: Number(process.env.MQTTWASM_SHARED_SEEDS ?? 1) }, (_, n) => n + 1);

let server: Server;
let mosquitto: Mosquitto;
let rest: () => Promise<void>;

test.beforeAll(async () => {
  server = await startServer();
});
test.afterAll(() => server.stop());
test.beforeEach(async ({ context }) => {
  test.setTimeout(120_000);
  // With what it has in flight at a time as it comes: 20.
  mosquitto = await startMosquitto(undefined, ['max_queued_messages 0']);
  rest = keepAwake(mosquitto.tcpPort);
  // As on most sites: where pages are isolated the worker has a process of its own.
  await context.route('**/healthz', (route) => route.fulfill({ body: 'ok' }));
});
test.afterEach(async () => {
  await rest();
  await mosquitto.stop();
});

/** Numbers from 0 up to 1, the same for the same seed (mulberry32). */
function random(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

const broker = () => ['-h', '127.0.0.1', '-p', `${mosquitto.tcpPort}`, '-V', 'mqttv5'];

/** Makes the session that the tabs will find. */
async function keepSession(clientId: string, filters: string[]): Promise<void> {
  const subscriber = start('mosquitto_sub', [
    ...broker(),
    ...['-i', clientId, '-c', '-x', '3600', '-q', '2', '-E'],
    ...filters.flatMap((filter) => ['-t', filter]),
  ]);
  await once(subscriber.process, 'exit');
}

/** Publishes to each topic at once: payloads 0 to 299 with QoS 1, 300 to 599 with QoS 2. */
async function publish(topics: string[], from = 0, to = count): Promise<void> {
  const half = count / 2;
  await Promise.all(
    topics.flatMap((topic) =>
      [1, 2].map(async (qos) => {
        const numbers = Array.from({ length: count }, (_, n) => n).filter(
          (n) => n >= from && n < to && (qos === 1 ? n < half : n >= half),
        );
        if (numbers.length === 0) return;
        const publisher = start('sh', [
          '-c',
          `printf '%s\\n' ${numbers.join(' ')} | mosquitto_pub ${broker().join(' ')} -l -q ${qos} -t ${topic}`,
        ]);
        await once(publisher.process, 'exit');
        if (publisher.process.exitCode !== 0) throw new Error(publisher.output());
      }),
    ),
  );
}

interface Tab {
  clientId: string;
  filter: string;
  store?: boolean;
  /** Milliseconds before it connects. */
  delay?: number;
}

async function openTab(page: Page, { clientId, filter, store = false, delay = 0 }: Tab): Promise<void> {
  await openApi(page, server.url);
  await page.evaluate(
    async ({ url, clientId, filter, store, delay }) => {
      await new Promise((resolve) => setTimeout(resolve, delay));
      window.taken = [];
      window.errors = [];
      window.client = await window.mqtt.connect(url, {
        shared: true,
        clientId,
        clean: false,
        ...(store && { store: 'indexeddb' as const }),
        properties: { sessionExpiryInterval: 3600 },
      });
      window.client.on('error', (error) => window.errors.push(error.code));
      await window.client.subscribe(filter, { qos: 2 }, (message) => {
        window.taken.push([message.text(), message.qos]);
      });
    },
    { url: mosquitto.mqtt, clientId, filter, store, delay },
  );
}

/** Waits until it has all numbers, but not for ever, and tells what is wrong with them. */
async function received(page: Page, time = 60_000) {
  const all = page.waitForFunction(
    (count) => new Set(window.taken.map(([text]) => text)).size >= count,
    count,
    { timeout: time },
  );
  await all.catch(() => {});
  const taken = await page.evaluate(() => window.taken);
  const times = new Map<number, number>();
  for (const [text] of taken) times.set(Number(text), (times.get(Number(text)) ?? 0) + 1);
  const numbers = Array.from({ length: count }, (_, n) => n);
  const half = count / 2;
  return {
    lost: numbers.filter((n) => !times.has(n)),
    doubled: numbers.filter((n) => n >= half && (times.get(n) ?? 0) > 1),
  };
}

/**
 * The page hears that it is about to be frozen, and stands still. Chromium freezes no
 * page that it shows, and it shows all of them here, so a debugger holds it.
 */
async function freeze(page: Page): Promise<() => Promise<void>> {
  const session = await page.context().newCDPSession(page);
  await session.send('Debugger.enable');
  await page.evaluate(() => void document.dispatchEvent(new Event('freeze')));
  const paused = new Promise((resolve) => session.once('Debugger.paused', resolve));
  await session.send('Debugger.pause');
  // It is held where it next runs.
  page.evaluate(() => {}).catch(() => {});
  await paused;
  return async () => {
    await session.send('Debugger.resume');
    await page.evaluate(() => void document.dispatchEvent(new Event('resume')));
    await session.detach();
  };
}

const complete = { lost: [], doubled: [] };

async function newPages(context: BrowserContext, number: number): Promise<Page[]> {
  return Promise.all(Array.from({ length: number }, () => context.newPage()));
}

for (const store of [false, true]) {
  const kind = store ? 'a store' : 'a session';
  for (const tabs of [2, 3, 5]) {
    for (const seed of seeds) {
      test(`${tabs} tabs with ${kind} opened at once get all that waited (seed ${seed})`, async ({
        context,
      }) => {
        const clientId = `shared-${tabs}-${seed}`;
        const next = random(seed);
        const topics = Array.from({ length: tabs }, (_, n) => `shared/${n}`);
        await keepSession(clientId, topics);
        await publish(topics);
        const pages = await newPages(context, tabs);
        await Promise.all(
          pages.map((page, n) =>
            openTab(page, { clientId, filter: topics[n] as string, store, delay: next() * 1500 }),
          ),
        );
        expect(await Promise.all(pages.map((page) => received(page)))).toEqual(pages.map(() => complete));
      });
    }
  }

  for (const seed of seeds) {
    test(`the tab that runs the program with ${kind} crashes, and two go on (seed ${seed})`, async ({
      context,
    }) => {
      const clientId = `crash-${seed}`;
      const next = random(seed);
      const [a, b, c] = (await newPages(context, 3)) as [Page, Page, Page];
      await openTab(a, { clientId, filter: 'shared/a', store });
      await openTab(b, { clientId, filter: 'shared/b', store });
      await openTab(c, { clientId, filter: 'shared/c', store });
      const publishing = publish(['shared/b', 'shared/c']);
      const some = Math.floor(next() * count * 0.8);
      await b.waitForFunction((some) => window.taken.length >= some, some);
      const session = await context.newCDPSession(a);
      const crashed = a.waitForEvent('crash');
      session.send('Page.crash').catch(() => {}); // nobody is left to answer
      await crashed;
      await publishing;
      expect(await Promise.all([b, c].map((page) => received(page)))).toEqual([complete, complete]);
    });

    test(`a frozen tab with ${kind} gets all when it is back, and the other one meanwhile (seed ${seed})`, async ({
      context,
    }) => {
      const clientId = `frozen-${seed}`;
      const middle = Math.floor(random(seed)() * count);
      const [a, b] = (await newPages(context, 2)) as [Page, Page];
      await openTab(a, { clientId, filter: 'shared/#', store });
      await openTab(b, { clientId, filter: 'shared/#', store });
      const begun = publish(['shared/x'], 0, middle);
      const thaw = await freeze(b);
      await begun;
      await publish(['shared/x'], middle);
      expect(await received(a)).toEqual(complete);
      await thaw();
      expect(await received(b)).toEqual(complete);
      expect(await b.evaluate(() => window.errors)).toEqual([]);
    });
  }
}

test('tabs that come back to a session one after the other get all, and what nobody wants is let go', async ({
  context,
}) => {
  await keepSession('late', ['shared/0', 'shared/1', 'shared/nobody']);
  await publish(['shared/nobody', 'shared/0', 'shared/1']);
  const [a, b] = (await newPages(context, 2)) as [Page, Page];
  await openTab(a, { clientId: 'late', filter: 'shared/0' });
  await openTab(b, { clientId: 'late', filter: 'shared/1', delay: 3000 });
  expect(await Promise.all([a, b].map((page) => received(page)))).toEqual([complete, complete]);
});
