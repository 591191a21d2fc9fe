/** Tabs that share a session at mosquitto, and the messages each receives. */

import { once } from 'node:events';
import type { BrowserContext, Page } from '@playwright/test';
import { openApi } from './api';
import { keepAwake } from './awake';
import { startMosquitto } from './brokers';
import { start } from './process';

declare global {
  interface Window {
    client: import('../../src/client').Client;
    /** Payload and QoS of each message received. */
    taken: [payload: string, qos: number][];
    /** Codes of its `error` events. */
    errors: string[];
  }
}

/** Messages per tab, half at QoS 1 and half at QoS 2. */
export const count = 600;
/** Repeats with different delays; `MQTTWASM_SHARED_SEEDS=10` for ten. */
export const seeds = Array.from({ length: Number(process.env.MQTTWASM_SHARED_SEEDS ?? 1) }, (_, n) => n + 1);

export interface SharedBroker {
  /** Its WebSocket address. */
  mqtt: string;
  tcpPort: number;
  stop(): Promise<void>;
}

/** Queues without limit, with mosquitto's default of 20 messages in flight. */
export async function startSharedBroker(context: BrowserContext): Promise<SharedBroker> {
  const mosquitto = await startMosquitto(undefined, ['max_queued_messages 0']);
  const rest = keepAwake(mosquitto.tcpPort);
  // As on most sites: with cross-origin isolation the worker would have its own process.
  await context.route('**/healthz', (route) => route.fulfill({ body: 'ok' }));
  return {
    mqtt: mosquitto.mqtt,
    tcpPort: mosquitto.tcpPort,
    stop: async () => {
      await rest();
      await mosquitto.stop();
    },
  };
}

const addressOf = ({ tcpPort }: SharedBroker) => ['-h', '127.0.0.1', '-p', `${tcpPort}`, '-V', 'mqttv5'];

/** Creates the session that the tabs resume. */
export async function keepSession(broker: SharedBroker, clientId: string, filters: string[]): Promise<void> {
  const subscriber = start('mosquitto_sub', [
    ...addressOf(broker),
    ...['-i', clientId, '-c', '-x', '3600', '-q', '2', '-E'],
    ...filters.flatMap((filter) => ['-t', filter]),
  ]);
  await once(subscriber.process, 'exit');
}

/** Publishes to all topics at once: payloads 0 to 299 at QoS 1, 300 to 599 at QoS 2. */
export async function publish(broker: SharedBroker, topics: string[], from = 0, to = count): Promise<void> {
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
          `printf '%s\\n' ${numbers.join(' ')} | mosquitto_pub ${addressOf(broker).join(' ')} -l -q ${qos} -t ${topic}`,
        ]);
        await once(publisher.process, 'exit');
        if (publisher.process.exitCode !== 0) throw new Error(publisher.output());
      }),
    ),
  );
}

export interface Tab {
  /** Origin of the server with the library. */
  origin: string;
  broker: SharedBroker;
  clientId: string;
  filter: string;
  store?: boolean;
  /** Milliseconds before connecting. */
  delay?: number;
}

export async function openTab(page: Page, tab: Tab): Promise<void> {
  const { origin, broker, clientId, filter, store = false, delay = 0 } = tab;
  await openApi(page, origin);
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
    { url: broker.mqtt, clientId, filter, store, delay },
  );
}

/** Waits for all numbers up to a limit, and reports lost ones and QoS 2 duplicates. */
export async function received(page: Page, time = 60_000) {
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
 * Dispatches `freeze`, then stops the page in the debugger. Chromium does not freeze visible pages, and here
 * all are visible.
 */
export async function freeze(page: Page): Promise<() => Promise<void>> {
  const session = await page.context().newCDPSession(page);
  await session.send('Debugger.enable');
  await page.evaluate(() => void document.dispatchEvent(new Event('freeze')));
  const paused = new Promise((resolve) => session.once('Debugger.paused', resolve));
  await session.send('Debugger.pause');
  // The debugger pauses at the next statement.
  page.evaluate(() => {}).catch(() => {});
  await paused;
  return async () => {
    await session.send('Debugger.resume');
    await page.evaluate(() => void document.dispatchEvent(new Event('resume')));
    await session.detach();
  };
}

export const complete = { lost: [], doubled: [] };

export async function newPages(context: BrowserContext, number: number): Promise<Page[]> {
  return Promise.all(Array.from({ length: number }, () => context.newPage()));
}
