import { expect, test } from '@playwright/test';
import { openApi } from './support/api';
import { keepAwake } from './support/awake';
import { type Mosquitto, type Server, startMosquitto, startServer } from './support/brokers';

// Allows for megabytes of traffic on a slow machine.
test.describe.configure({ timeout: 120_000 });

let server: Server;
let mosquitto: Mosquitto;
let letSleep: () => Promise<void>;

test.beforeAll(async () => {
  [server, mosquitto] = await Promise.all([startServer(), startMosquitto()]);
  letSleep = keepAwake(mosquitto.tcpPort);
});
test.afterAll(async () => {
  await letSleep();
  await server.stop();
  await mosquitto.stop();
});

test.beforeEach(({ page }) => openApi(page, server.url));

interface Matrix {
  url: string;
  worker: boolean;
  qos: 0 | 1 | 2;
  sizes: number[];
}

/** Publishes random bytes to itself, then checks what a later subscriber gets. */
async function roundTrips({ url, worker, qos, sizes }: Matrix) {
  const client = await window.mqtt.connect(url, { worker });
  const late = await window.mqtt.connect(url, { worker });
  const results = [];
  for (const retain of [false, true]) {
    for (const size of sizes) {
      const topic = `roundtrip/${client.clientId}/${retain}/${size}`;
      const sent = window.randomBytes(size);
      const summary = (message: import('../src/client').Message) => ({
        topic: message.topic === topic,
        same: window.sameBytes(message.payload, sent),
        qos: message.qos,
        retain: message.retain,
      });

      const live = await client.subscribe(topic, { qos: 2 });
      const arrived = live[Symbol.asyncIterator]().next();
      const { reasonCode } = await client.publish(topic, sent, { qos, retain });
      const first = summary((await arrived).value);
      await live.unsubscribe();

      // Retained messages arrive before those published after the SUBACK.
      const later = await late.subscribe(topic, { qos: 2 });
      await late.publish(topic, 'not kept', { qos: 2 });
      const kept = [];
      for await (const message of later) {
        if (message.text() === 'not kept') break;
        kept.push(summary(message));
      }
      if (retain) await client.publish(topic, '', { qos: 1, retain: true });
      results.push({ retain, size, reasonCode, first, kept });
    }
  }
  await Promise.all([client.end(), late.end()]);
  return results;
}

function matrix(name: string, url: () => string, worker: boolean, sizes: number[]) {
  for (const qos of [0, 1, 2] as const) {
    test(`${name}: QoS ${qos}, retained and not, of ${sizes.join(', ')} bytes`, async ({ page }) => {
      const results = await page.evaluate(roundTrips, { url: url(), worker, qos, sizes });
      const whole = { topic: true, same: true, qos };
      const wanted = [false, true].flatMap((retain) =>
        sizes.map((size) => ({
          retain,
          size,
          reasonCode: 0,
          // without Retain As Published, RETAIN marks messages that were retained [MQTT-3.3.1-12]
          first: { ...whole, retain: false },
          // an empty retained message is not stored [MQTT-3.3.1-6]
          kept: retain && size > 0 ? [{ ...whole, retain: true }] : [],
        })),
      );
      expect(results).toEqual(wanted);
    });
  }
}

const sizes = [0, 1, 64 << 10, 1 << 20];
matrix('embedded broker', () => server.mqtt, true, sizes);
matrix('mosquitto', () => mosquitto.mqtt, true, sizes);
matrix('embedded broker, without the worker', () => server.mqtt, false, [0, 64 << 10]);
matrix('mosquitto, without the worker', () => mosquitto.mqtt, false, [0, 64 << 10]);

for (const [name, url] of [
  ['the embedded broker', () => server.mqtt],
  ['mosquitto', () => mosquitto.mqtt],
] as const) {
  test(`${name}: each of several handlers gets a message once`, async ({ page }) => {
    const seen = await page.evaluate(async (address) => {
      const client = await window.mqtt.connect(address);
      const base = `once/${client.clientId}`;
      const counts: Record<string, number> = {};
      const shown: unknown[] = [];
      for (const filter of ['#', '+/x', 'a/#', 'a/x']) {
        await client.subscribe(`${base}/${filter}`, { qos: 1 }, ({ properties }) => {
          counts[filter] = (counts[filter] ?? 0) + 1;
          shown.push(properties.subscriptionIdentifier);
        });
      }
      for (let n = 0; n < 5; n++) await client.publish(`${base}/a/x`, String(n), { qos: 1 });
      await client.publish(`${base}/b/x`, 'last', { qos: 1 });
      await client.ping(); // everything published before has arrived
      await client.end();
      return { counts, shown: shown.filter((identifier) => identifier !== undefined) };
    }, url());
    expect(seen).toEqual({ counts: { '#': 6, '+/x': 6, 'a/#': 5, 'a/x': 5 }, shown: [] });
  });
}
