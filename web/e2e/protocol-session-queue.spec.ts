import { expect, type Page, test } from '@playwright/test';
import type { ConnectOptions } from '../src/client';
import { openApi } from './support/api';
import { keepAwake } from './support/awake';
import { type Server, startMosquitto, startServer } from './support/brokers';
import { type Publish, publishOf } from './support/fields';
import { type Gate, startGate } from './support/gate';
import { connack, type ScriptedBroker, serve, startScripted, type } from './support/scripted';

declare global {
  interface Window {
    queued: import('../src/client').Client;
    /** Resolves when the client has lost its connection. */
    gone: Promise<void>;
    /** How each publish settles: `ok`, or the error's code. */
    outcomes: Promise<string[]>;
    reading: Promise<string[]>;
  }
}

let server: Server;
let broker: ScriptedBroker | undefined;
let gate: Gate | undefined;
/** The broker's received publishes, in wire order. */
let published: Publish[];

test.beforeAll(async () => {
  server = await startServer();
});
test.afterAll(() => server.stop());
test.beforeEach(async ({ page }) => {
  published = [];
  await openApi(page, server.url);
});
test.afterEach(async () => {
  await gate?.stop();
  const stopping = broker?.stop();
  gate = broker = undefined;
  await stopping;
});

/** Connects a client, then closes its connection to the broker. */
async function connectAndLose(page: Page, options: ConnectOptions, url?: string): Promise<Gate> {
  if (url === undefined) {
    broker = await startScripted((connection) =>
      serve(connection, (packet) => {
        if (packet.type === type.publish) published.push(publishOf(packet));
      }),
    );
    url = broker.url;
  }
  gate = await startGate(url);
  await page.evaluate(
    async ({ url, options }) => {
      window.queued = await window.mqtt.connect(url, { reconnectPeriod: 20, ...options });
      window.gone = new Promise((resolve) => window.queued.once('close', () => resolve()));
    },
    { url: gate.url, options },
  );
  gate.shut();
  await page.evaluate(() => window.gone);
  return gate;
}

/** Publishes each text, without waiting. */
async function publishAll(page: Page, texts: string[], qos: 0 | 1 | 2 = 1): Promise<void> {
  await page.evaluate(
    ({ texts, qos }) => {
      const settled = texts.map((text) =>
        window.queued.publish('queued', text, { qos }).then(
          () => 'ok',
          (error) => error.code as string,
        ),
      );
      window.outcomes = Promise.all(settled);
    },
    { texts, qos },
  );
}

test('messages published while the broker is away arrive in order when it is back', async ({ page }) => {
  const mosquitto = await startMosquitto(undefined, ['max_inflight_messages 0', 'max_queued_messages 0']);
  const sleep = keepAwake(mosquitto.tcpPort);
  try {
    const gate = await connectAndLose(page, { offlineQueue: true }, mosquitto.mqtt);
    await page.evaluate(async (url) => {
      const client = await window.mqtt.connect(url);
      const subscription = await client.subscribe('queued', { qos: 1 });
      window.reading = (async () => {
        const texts: string[] = [];
        for await (const message of subscription) {
          if (texts.push(message.text()) === 300) break;
        }
        await client.end();
        return texts;
      })();
    }, mosquitto.mqtt);
    const texts = Array.from({ length: 300 }, (_, n) => `${n}`);
    await publishAll(page, texts);
    expect(await page.evaluate(() => window.queued.state)).toBe('reconnecting');
    gate.open();
    expect(await page.evaluate(() => window.reading)).toEqual(texts);
    expect(new Set(await page.evaluate(() => window.outcomes))).toEqual(new Set(['ok']));
  } finally {
    await sleep();
    await mosquitto.stop();
  }
});

test('messages are sent in the order of the calls, whatever their QoS', async ({ page }) => {
  const gate = await connectAndLose(page, { offlineQueue: true });
  await page.evaluate(() => {
    const numbers = Array.from({ length: 60 }, (_, n) => n);
    const settled = numbers.map((n) =>
      window.queued.publish('queued', `${n}`, { qos: (n % 3) as 0 | 1 | 2 }),
    );
    window.outcomes = Promise.all(settled).then(() => ['ok']);
  });
  gate.open();
  await page.evaluate(() => window.outcomes);
  expect(published.map(({ payload, qos }) => [payload, qos])).toEqual(
    Array.from({ length: 60 }, (_, n) => [`${n}`, n % 3]),
  );
});

for (const [name, qos, options] of [
  ['without an offline queue', 1, {}],
  ['where the offline queue leaves QoS 0 out', 0, { offlineQueue: true, queueQoSZero: false }],
] as [string, 0 | 1, ConnectOptions][]) {
  test(`${name} publishing fails while there is no connection`, async ({ page }) => {
    await connectAndLose(page, options);
    await publishAll(page, ['x'], qos);
    expect(await page.evaluate(() => window.outcomes)).toEqual(['not-connected']);
  });
}

for (const { policy, outcomes, arrived } of [
  { policy: 'reject', outcomes: ['ok', 'ok', 'ok', 'queue-full', 'queue-full'], arrived: ['a', 'b', 'c'] },
  { policy: 'drop-newest', outcomes: ['ok', 'ok', 'ok', 'dropped', 'dropped'], arrived: ['a', 'b', 'c'] },
  { policy: 'drop-oldest', outcomes: ['dropped', 'dropped', 'ok', 'ok', 'ok'], arrived: ['c', 'd', 'e'] },
] as const) {
  for (const [unit, bounds] of [
    ['messages', { messages: 3 }],
    // Topic "queued" and one byte of text: 2 + 2 + 6 + 2 + 1 + 1 each.
    ['bytes', { bytes: 3 * 14 + 13 }],
  ] as const) {
    test(`a full queue, bounded in ${unit}: ${policy}`, async ({ page }) => {
      const gate = await connectAndLose(page, { offlineQueue: { ...bounds, policy } });
      await publishAll(page, ['a', 'b', 'c', 'd', 'e']);
      gate.open();
      expect(await page.evaluate(() => window.outcomes)).toEqual(outcomes);
      expect(published.map(({ payload }) => payload)).toEqual(arrived);
    });
  }
}

test('a message that expires in the queue is dropped, and the next one is sent', async ({ page }) => {
  const gate = await connectAndLose(page, { offlineQueue: true });
  const error = await page.evaluate(() =>
    window.failure(
      window.queued.publish('queued', 'old', { qos: 1, properties: { messageExpiryInterval: 1 } }),
    ),
  );
  expect(error).toMatchObject({ name: 'MqttError', code: 'expired' });
  await publishAll(page, ['new']);
  gate.open();
  expect(await page.evaluate(() => window.outcomes)).toEqual(['ok']);
  expect(published.map(({ payload }) => payload)).toEqual(['new']);
});

test('ending the client settles queued publishes', async ({ page }) => {
  await connectAndLose(page, { offlineQueue: true });
  await publishAll(page, ['a', 'b'], 0);
  await page.evaluate(() => window.queued.end());
  expect(await page.evaluate(() => window.outcomes)).toEqual(['not-connected', 'not-connected']);
});

for (const { sessionLost, outcome, again } of [
  { sessionLost: 'reject', outcome: 'session-lost', again: ['end'] },
  { sessionLost: 'republish', outcome: 'ok', again: ['in flight', 'end'] },
] as const) {
  test(`the broker has lost the session with a message in flight: ${sessionLost}`, async ({ page }) => {
    const forgetful = await startScripted(async (connection) => {
      if (forgetful.connections.length > 1) {
        await serve(connection, (packet) => {
          if (packet.type === type.publish) published.push(publishOf(packet));
        });
      }
      await connection.expect(type.connect);
      connection.send(connack());
      await connection.expect(type.publish);
      connection.hangUp();
    });
    broker = forgetful;
    const result = await page.evaluate(
      async ({ url, sessionLost }) => {
        const client = await window.mqtt.connect(url, {
          reconnectPeriod: 20,
          sessionLost,
          properties: { sessionExpiryInterval: 60 },
        });
        const back = new Promise<void>((resolve) => {
          client.once('close', () => client.once('connect', () => resolve()));
        });
        const outcome = client.publish('lost', 'in flight', { qos: 1 }).then(
          () => 'ok',
          (error) => error.code as string,
        );
        await back;
        await client.publish('lost', 'end', { qos: 1 });
        await client.end();
        return outcome;
      },
      { url: broker.url, sessionLost },
    );
    expect(result).toBe(outcome);
    expect(published.map(({ payload }) => payload)).toEqual(again);
    // A new message in a new session [MQTT-3.3.1-1].
    expect(published.map(({ dup }) => dup)).toEqual(again.map(() => false));
  });
}
