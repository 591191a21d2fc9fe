/** A page opened offline stores what it publishes, and sends it when opened again with a network. */

import { expect, type Page, test } from '@playwright/test';
import type { ConnectOptions } from '../src/client';
import { keepAwake } from './support/awake';
import { startMosquitto, startServer } from './support/brokers';
import { type Gate, startGate } from './support/gate';
import { start } from './support/process';

let stops: (() => Promise<void>)[] = [];

/** Registers `thing` to be stopped after the test, in reverse order. */
function stopping<T extends { stop(): Promise<void> }>(thing: T): T {
  stops.push(() => thing.stop());
  return thing;
}

test.afterEach(async () => {
  for (const stop of stops.reverse()) await stop();
  stops = [];
});

/** A broker that is unreachable at first, and a subscriber that prints what it receives. */
async function startBroker() {
  const mosquitto = stopping(await startMosquitto());
  stopping({ stop: keepAwake(mosquitto.tcpPort) });
  const subscriber = stopping(
    start('mosquitto_sub', [
      ...['-h', '127.0.0.1', '-p', `${mosquitto.tcpPort}`, '-V', 'mqttv5'],
      ...['-i', 'subscriber', '-q', '2', '-t', 'early/#', '-F', '%t %p'],
    ]),
  );
  await mosquitto.printed(/Sending SUBACK to subscriber/); // mosquitto_sub doesn't report it
  const gate = stopping(await startGate(mosquitto.mqtt));
  gate.shut();
  return { gate, subscriber };
}

const store: ConnectOptions = { clientId: 'early', store: 'indexeddb', reconnectPeriod: 20 };

/** Publishes five messages at QoS 1 and 2. Resolves when all are stored. */
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

/** Connects the same client in another page and publishes a last message after all the others. */
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
  test(`${form}: messages published offline arrive once when the page is opened again`, async ({
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

  test('messages published by a cached page arrive once when the network is back', async ({
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
