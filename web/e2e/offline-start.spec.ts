/** A page that is opened without network: what it publishes is stored, and sent when it is opened with network. */

import { expect, type Page, test } from '@playwright/test';
import type { ConnectOptions } from '../src/client';
import { keepAwake } from './support/awake';
import { startMosquitto, startServer } from './support/brokers';
import { type Gate, startGate } from './support/gate';
import { start } from './support/process';

let stops: (() => Promise<void>)[] = [];

/** Leaves it to `afterEach` to stop this, the last one first. */
function stopping<T extends { stop(): Promise<void> }>(thing: T): T {
  stops.push(() => thing.stop());
  return thing;
}

test.afterEach(async () => {
  for (const stop of stops.reverse()) await stop();
  stops = [];
});

/** A broker that can't be reached at first, and one who gets what it gets. */
async function startBroker() {
  const mosquitto = stopping(await startMosquitto());
  stopping({ stop: keepAwake(mosquitto.tcpPort) });
  const subscriber = stopping(
    start('mosquitto_sub', [
      ...['-h', '127.0.0.1', '-p', `${mosquitto.tcpPort}`, '-V', 'mqttv5'],
      ...['-i', 'subscriber', '-q', '2', '-t', 'early/#', '-F', '%t %p'],
    ]),
  );
  await mosquitto.printed(/Sending SUBACK to subscriber/); // the subscriber itself does not say
  const gate = stopping(await startGate(mosquitto.mqtt));
  gate.shut();
  return { gate, subscriber };
}

const store: ConnectOptions = { clientId: 'early', store: 'indexeddb', reconnectPeriod: 20 };

/** Five messages of QoS 1 and 2. Resolves when all are stored. */
const publishEarly = (page: Page, { url }: Gate, options: ConnectOptions) =>
  page.evaluate(
    async ({ url, options }) => {
      const { createClient } = (await import('/mqttwasm.js' as string)) as typeof import('../src/client');
      const client = createClient(url, options);
      const numbers = [0, 1, 2, 3, 4];
      await Promise.all(
        numbers.map((n) => client.publish('early/n', `${n}`, { qos: n % 2 ? 1 : 2, waitFor: 'stored' })),
      );
      return client.state;
    },
    { url, options },
  );

/** The same client in another page, and a last message behind all others. */
const publishLast = (page: Page, { url }: Gate, options: ConnectOptions) =>
  page.evaluate(
    async ({ url, options }) => {
      const { createClient } = (await import('/mqttwasm.js' as string)) as typeof import('../src/client');
      const client = createClient(url, options);
      await client.publish('early/end', 'end', { qos: 2 });
      await client.end();
    },
    { url, options },
  );

const arrived = (output: string) => [...output.matchAll(/^early\/n (\d)$/gm)].map(([, n]) => n).sort();

for (const [form, options] of [
  ['a dedicated worker', {}],
  ['a shared worker', { shared: true }],
  ['no worker', { worker: false }],
] as [string, ConnectOptions][]) {
  test(`${form}: what was published without a connection arrives once when the page is opened again`, async ({
    page,
    context,
  }) => {
    const { gate, subscriber } = await startBroker();
    const server = stopping(await startServer());
    await page.goto(`${server.url}/healthz`);
    const state = await publishEarly(page, gate, { ...store, ...options });
    expect(state).not.toBe('connected');
    await page.close();

    gate.open();
    const again = await context.newPage();
    await again.goto(`${server.url}/healthz`);
    await publishLast(again, gate, { ...store, ...options });
    await subscriber.printed(/^early\/end end$/m);
    expect(arrived(subscriber.output())).toEqual(['0', '1', '2', '3', '4']);
  });
}

test.describe('without its server', () => {
  test.use({ serviceWorkers: 'allow' });

  test('what a page from the cache published arrives once when there is network again', async ({
    page,
    context,
  }) => {
    const { gate, subscriber } = await startBroker();
    const server = await startServer(['-default-broker', gate.url]);
    await page.goto(server.url);
    await page.evaluate(async () => void (await navigator.serviceWorker.ready));
    await server.stop();

    await page.reload();
    await publishEarly(page, gate, store);
    await page.close();

    gate.open();
    const again = await context.newPage();
    await again.goto(server.url);
    await publishLast(again, gate, store);
    await subscriber.printed(/^early\/end end$/m);
    expect(arrived(subscriber.output())).toEqual(['0', '1', '2', '3', '4']);
  });
});
