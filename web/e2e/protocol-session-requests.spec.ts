import { expect, test } from '@playwright/test';
import { openApi } from './support/api';
import { keepAwake } from './support/awake';
import { type Mosquitto, type Server, startMosquitto, startServer } from './support/brokers';
import {
  answerTo,
  connack,
  packet,
  properties,
  reasonString,
  type ScriptedBroker,
  startScripted,
  type,
} from './support/scripted';

declare global {
  interface Window {
    asker: import('../src/client').Client;
    helper: import('../src/client').Client;
  }
}

let server: Server;
let mosquitto: Mosquitto;
let sleep: () => Promise<void>;
let scripted: ScriptedBroker | undefined;

test.beforeAll(async () => {
  [server, mosquitto] = await Promise.all([startServer(), startMosquitto()]);
  sleep = keepAwake(mosquitto.tcpPort);
});
test.afterAll(async () => {
  await sleep();
  await Promise.all([server.stop(), mosquitto.stop()]);
});
test.beforeEach(({ page }) => openApi(page, server.url));
test.afterEach(async () => {
  const stopping = scripted?.stop();
  scripted = undefined;
  await stopping;
});

for (const name of ['the embedded broker', 'mosquitto'] as const) {
  test.describe(name, () => {
    test.beforeEach(async ({ page }) => {
      await page.evaluate(
        async (url) => {
          window.asker = await window.mqtt.connect(url);
          window.helper = await window.mqtt.connect(url);
        },
        name === 'mosquitto' ? mosquitto.mqtt : server.mqtt,
      );
    });
    test.afterEach(({ page }) => page.evaluate(() => Promise.all([window.asker.end(), window.helper.end()])));

    test('a request gets a response, with the properties the handler adds', async ({ page }) => {
      const answer = await page.evaluate(async () => {
        const greet: import('../src/client').RequestHandler = (request) => ({
          payload: `${request.topic} ${request.text()}`,
          properties: { contentType: 'text/plain', userProperties: { from: 'helper' } },
        });
        await window.helper.respond('greet/+', greet, { qos: 1 });
        const answer = await window.asker.request('greet/me', 'hello', { qos: 1 });
        const { contentType, userProperties } = answer.properties;
        return { text: answer.text(), qos: answer.qos, contentType, userProperties };
      });
      expect(answer).toEqual({
        text: 'greet/me hello',
        qos: 1,
        contentType: 'text/plain',
        userProperties: [['from', 'helper']],
      });
    });

    test('each of 50 requests in flight gets its own response, whatever their order', async ({ page }) => {
      const answers = await page.evaluate(async () => {
        const held: (() => void)[] = [];
        // The last request is answered first.
        await window.helper.subscribe('double', { qos: 1 }, (request) => {
          const { responseTopic = '', correlationData = '' } = request.properties;
          const doubled = `${2 * Number(request.text())}`;
          held.push(() => window.helper.publish(responseTopic, doubled, { properties: { correlationData } }));
          if (held.length === 50) for (const answer of held.reverse()) answer();
        });
        const numbers = Array.from({ length: 50 }, (_, n) => n);
        return Promise.all(
          numbers.map(async (n) => Number((await window.asker.request('double', `${n}`, { qos: 1 })).text())),
        );
      });
      expect(answers).toEqual(Array.from({ length: 50 }, (_, n) => 2 * n));
    });

    test('a handler that awaits a request of its own client does not deadlock', async ({ page }) => {
      const answer = await page.evaluate(async () => {
        await window.helper.respond('price', () => '3');
        await window.asker.respond('total', async (request) => {
          const price = await window.asker.request('price', '');
          return `${Number(request.text()) * Number(price.text())}`;
        });
        const results = (await window.helper.subscribe('result'))[Symbol.asyncIterator]();
        await window.asker.subscribe('order', async (order) => {
          const price = await window.asker.request('price', order.payload, { qos: 1 });
          await window.asker.publish('result', price.payload);
        });
        await window.helper.publish('order', 'one');
        const result = (await results.next()).value?.text();
        return { result, total: (await window.helper.request('total', '7')).text() };
      });
      expect(answer).toEqual({ result: '3', total: '21' });
    });

    test('a late response is not taken for that of the next request', async ({ page }) => {
      const outcome = await page.evaluate(async () => {
        let answerLate: () => Promise<unknown>;
        const asked = new Promise<void>((resolve) => {
          void window.helper.subscribe('slow', ({ properties }) => {
            const { responseTopic = '', correlationData = '' } = properties;
            answerLate = () =>
              window.helper.publish(responseTopic, 'late', { properties: { correlationData } });
            resolve();
          });
        });
        await window.helper.respond('quick', async () => {
          await answerLate();
          return 'in time';
        });
        const error = await window.failure(window.asker.request('slow', '', { timeout: 500 }));
        await asked;
        return { code: error.code, answer: (await window.asker.request('quick', '')).text() };
      });
      expect(outcome).toEqual({ code: 'timeout', answer: 'in time' });
    });

    test('the signal aborts a request', async ({ page }) => {
      const error = await page.evaluate(async () => {
        const controller = new AbortController();
        await window.helper.subscribe('never', () => controller.abort());
        return window.failure(window.asker.request('never', '', { signal: controller.signal, timeout: 0 }));
      });
      expect(error).toMatchObject({ code: 'aborted' });
    });
  });
}

test('mosquitto reports no matching subscribers, and the request fails at once', async ({ page }) => {
  const error = await page.evaluate(async (url) => {
    const client = await window.mqtt.connect(url);
    const error = await window.failure(client.request('nobody/here', '', { qos: 1, timeout: 0 }));
    await client.end();
    return error;
  }, mosquitto.mqtt);
  expect(error).toMatchObject({ code: 'refused', reasonCode: 0x10 });
});

test('the broker’s reason string for that reaches the caller', async ({ page }) => {
  scripted = await startScripted(async (connection) => {
    await connection.expect(type.connect);
    connection.send(connack());
    const subscribe = await connection.expect(type.subscribe);
    connection.send(answerTo(subscribe) as Buffer);
    const { body } = await connection.expect(type.publish);
    const at = 2 + body.readUInt16BE();
    const reason = Buffer.from([0x10]);
    const words = properties(reasonString('nobody home'));
    connection.send(packet(type.puback, 0, body.subarray(at, at + 2), reason, words));
  });
  const error = await page.evaluate(async (url) => {
    const client = await window.mqtt.connect(url, { reconnectPeriod: 0 });
    const error = await window.failure(client.request('nobody/here', '', { qos: 1, timeout: 0 }));
    await client.end();
    return error;
  }, scripted.url);
  expect(error).toMatchObject({ code: 'refused', reasonCode: 0x10, reasonString: 'nobody home' }); // 3.4.2.1
});
