import { expect, type Page, test } from '@playwright/test';
import { openApi } from './support/api';
import { type Server, startServer } from './support/brokers';
import {
  connack,
  maximumPacketSize,
  reasonString,
  type Script,
  type ScriptedBroker,
  serve,
  startScripted,
  type,
} from './support/scripted';

let server: Server;
let broker: ScriptedBroker | undefined;

test.beforeAll(async () => {
  server = await startServer();
});
test.afterAll(() => server.stop());

declare global {
  interface Window {
    client: import('../src/client').Client;
    healthy: import('../src/client').Client;
    troubles: string[];
  }
}

// The tests misuse `client`; `healthy` must not be affected.
test.beforeEach(async ({ page }) => {
  await openApi(page, server.url);
  await page.evaluate(async (url) => {
    window.client = await window.mqtt.connect(url);
    window.healthy = await window.mqtt.connect(url);
    window.troubles = [];
    for (const event of ['close', 'disconnect', 'error', 'end'] as const) {
      window.healthy.on(event, () => window.troubles.push(event));
    }
  }, server.mqtt);
});

test.afterEach(async ({ page }) => {
  const stopping = broker?.stop();
  broker = undefined;
  await stopping;
  const after = await page.evaluate(async () => {
    const mine = `healthy/${window.healthy.clientId}`;
    const messages = (await window.healthy.subscribe(mine))[Symbol.asyncIterator]();
    await window.healthy.publish(mine, 'well', { qos: 2 });
    return { text: (await messages.next()).value?.text(), troubles: window.troubles };
  });
  expect(after).toEqual({ text: 'well', troubles: [] });
});

async function scripted(script: Script): Promise<string> {
  broker = await startScripted(script);
  return broker.url;
}

/** Checks that the client still works after invalid input. */
async function expectUsable(page: Page): Promise<void> {
  const ack = await page.evaluate(() => window.client.publish('errors/after', 'x', { qos: 1 }));
  expect(ack.reasonCode).toBeLessThan(0x80);
}

test('an invalid or non-WebSocket address', async ({ page }) => {
  const addresses = ['ws://[::1/mqtt', 'ws://', 'mqtt://127.0.0.1:1883', 'ws://127.0.0.1/mqtt#top', ''];
  const errors = await page.evaluate(
    (addresses) => Promise.all(addresses.map((url) => window.failure(window.mqtt.connect(url)))),
    addresses,
  );
  for (const error of errors) {
    expect(error).toMatchObject({ name: 'MqttError', code: 'bad-option', field: 'url' });
    expect(error.message).toMatch(/^url: /);
  }
});

test('publish to an invalid topic name', async ({ page }) => {
  const topics = ['a/+', 'a/#', '#', '', 'a\0b'];
  const errors = await page.evaluate(
    (topics) => Promise.all(topics.map((topic) => window.failure(window.client.publish(topic, 'x')))),
    topics,
  );
  for (const error of errors) {
    expect(error).toMatchObject({ name: 'MqttError', code: 'bad-option', field: 'topic' }); // [MQTT-3.3.2-2]
  }
  await expectUsable(page);
});

test('subscribe to an invalid topic filter', async ({ page }) => {
  const filters = ['a/#/b', 'a#', 'a+/b', '', '$share/group'];
  const errors = await page.evaluate(
    (filters) => Promise.all(filters.map((filter) => window.failure(window.client.subscribe(filter)))),
    filters,
  );
  for (const error of errors) {
    expect(error).toMatchObject({ name: 'MqttError', code: 'bad-option', field: 'filter' }); // [MQTT-4.7.1-1]
  }
  await expectUsable(page);
});

test('QoS 3', async ({ page }) => {
  const errors = await page.evaluate(async () => {
    const qos = 3 as 2;
    return [
      await window.failure(window.client.publish('a', 'x', { qos })),
      await window.failure(window.client.subscribe('a', { qos })),
    ];
  });
  const wanted = { name: 'MqttError', code: 'bad-option', field: 'qos' }; // [MQTT-3.3.1-4]
  expect(errors).toEqual([expect.objectContaining(wanted), expect.objectContaining(wanted)]);
  await expectUsable(page);
});

test('a message over the broker’s Maximum Packet Size is not sent', async ({ page }) => {
  const topics: number[] = [];
  const url = await scripted(async (connection) => {
    await connection.expect(type.connect);
    connection.send(connack(0, maximumPacketSize(1000)));
    for (;;) {
      const packet = await connection.next();
      if (packet.type === type.publish) topics.push(packet.body.length);
    }
  });
  const { error, connected } = await page.evaluate(async (url) => {
    const client = await window.mqtt.connect(url);
    const error = await window.failure(client.publish('large', new Uint8Array(1001)));
    await client.publish('small', new Uint8Array(900));
    const { connected } = client;
    await client.end();
    return { error, connected };
  }, url);
  expect(error).toMatchObject({ name: 'MqttError', code: 'packet-too-large', field: 'payload' });
  expect(connected).toBe(true);
  expect(topics).toEqual([2 + 5 + 1 + 900]); // [MQTT-3.2.2-15]
});

test('publish after end', async ({ page }) => {
  const error = await page.evaluate(async () => {
    await window.client.end();
    return window.failure(window.client.publish('a', 'x'));
  });
  expect(error).toMatchObject({ name: 'MqttError', code: 'not-connected' });
});

for (const qos of [0, 1, 2] as const) {
  test(`publish at QoS ${qos} while reconnecting`, async ({ page }) => {
    let connections = 0;
    const url = await scripted(async (connection) => {
      connections++;
      // the first is dropped after use, later ones never get a CONNACK
      if (connections > 1) return;
      await connection.expect(type.connect);
      connection.send(connack());
      await connection.expect(type.publish);
      connection.hangUp();
    });
    const { error, state } = await page.evaluate(
      async ({ url, qos }) => {
        const client = await window.mqtt.connect(url, { reconnectPeriod: 10 });
        const closed = new Promise((resolve) => client.once('close', resolve));
        await client.publish('drop/me', '');
        await closed;
        const error = await window.failure(client.publish('a', 'x', { qos }));
        const { state } = client;
        await client.end(true);
        return { error, state };
      },
      { url, qos },
    );
    expect(state).toBe('reconnecting');
    expect(error).toMatchObject({ name: 'MqttError', code: 'not-connected' });
  });
}

const refusals = [
  { reasonCode: 0x86, why: 'no such user' },
  { reasonCode: 0x87, why: 'ask your administrator, 请联系管理员' },
];
for (const { reasonCode, why } of refusals) {
  test(`CONNACK with reason 0x${reasonCode.toString(16)}`, async ({ page }) => {
    const url = await scripted(async (connection) => {
      await connection.expect(type.connect);
      connection.send(connack(reasonCode, reasonString(why)));
      connection.close(); // [MQTT-3.1.4-2]
    });
    const error = await page.evaluate(
      (url) => window.failure(window.mqtt.connect(url, { username: 'u', password: 'p' })),
      url,
    );
    expect(error).toMatchObject({ name: 'MqttError', code: 'refused', reasonCode, reasonString: why });
    expect(error.message).toContain(why);
  });
}

test('no CONNACK within the connectTimeout', async ({ page }) => {
  const url = await scripted(async (connection) => {
    await connection.expect(type.connect);
  });
  const { error, after } = await page.evaluate(async (url) => {
    const start = performance.now();
    const error = await window.failure(window.mqtt.connect(url, { connectTimeout: 300 }));
    return { error, after: performance.now() - start };
  }, url);
  expect(error).toMatchObject({ name: 'MqttError', code: 'timeout' });
  expect(after).toBeGreaterThanOrEqual(299); // timers round to whole milliseconds
  expect(after).toBeLessThan(5000);
});

test('no PUBACK and no SUBACK within the timeout', async ({ page }) => {
  const url = await scripted(async (connection) => {
    await connection.expect(type.connect);
    connection.send(connack());
  });
  const errors = await page.evaluate(async (url) => {
    const client = await window.mqtt.connect(url);
    const errors = [
      await window.failure(client.publish('a', 'x', { qos: 1, timeout: 100 })),
      await window.failure(client.publish('a', 'x', { qos: 2, timeout: 100 })),
      await window.failure(client.subscribe('a', { timeout: 100 })),
    ];
    await client.end(true);
    return errors.map(({ name, code }) => `${name} ${code}`);
  }, url);
  expect(errors).toEqual(Array(3).fill('MqttError timeout'));
});

test('an AbortSignal ends connect, publish and subscribe', async ({ page }) => {
  const url = await scripted(async (connection) => {
    await connection.expect(type.connect);
    // the second connection never gets a CONNACK
    if (broker?.connections.length === 1) connection.send(connack());
  });
  const errors = await page.evaluate(async (url) => {
    const client = await window.mqtt.connect(url);
    const calls = [
      (signal: AbortSignal) => window.mqtt.connect(url, { signal }),
      (signal: AbortSignal) => client.publish('a', 'x', { qos: 1, signal }),
      (signal: AbortSignal) => client.subscribe('a', { signal }),
    ];
    const errors = [];
    for (const call of calls) {
      const underWay = new AbortController();
      const failure = window.failure(call(underWay.signal));
      underWay.abort();
      errors.push((await failure).code, (await window.failure(call(AbortSignal.abort()))).code);
    }
    await client.end(true);
    return errors;
  }, url);
  expect(errors).toEqual(Array(6).fill('aborted'));
});

test('a server that is not an MQTT broker', async ({ page }) => {
  const url = await scripted(async (connection) => {
    await connection.expect(type.connect);
    connection.send(Buffer.from('HTTP/1.1 400 Bad Request\r\n'));
  });
  const error = await page.evaluate((url) => window.failure(window.mqtt.connect(url)), url);
  expect(error).toMatchObject({ name: 'MqttError', code: 'protocol' });
});

test('a port where nothing listens', async ({ page }) => {
  const url = await scripted((connection) => serve(connection));
  await broker?.stop();
  broker = undefined;
  const error = await page.evaluate((url) => window.failure(window.mqtt.connect(url)), url);
  expect(error).toMatchObject({ name: 'MqttError', code: 'network' });
});
