import { expect, type Page, test } from '@playwright/test';
import { openApi } from './support/api';
import { type Server, startServer } from './support/brokers';
import {
  type Connection,
  connack,
  disconnect,
  reasonString,
  type Script,
  type ScriptedBroker,
  startScripted,
  type,
} from './support/scripted';

let server: Server;
let broker: ScriptedBroker | undefined;

test.beforeAll(async () => {
  server = await startServer();
});
test.afterAll(() => server.stop());
test.afterEach(async () => {
  const stopping = broker?.stop();
  broker = undefined;
  await stopping;
});

async function scripted(script: Script): Promise<string> {
  broker = await startScripted(script);
  return broker.url;
}

async function accept(connection: Connection): Promise<void> {
  await connection.expect(type.connect);
  connection.send(connack());
}

const why = 'closed for maintenance, 维护中';

// 3.14.4: the broker sends DISCONNECT, then closes the connection. The reason must not get lost in between.
for (const ending of ['close', 'hangUp'] as const) {
  for (const moment of ['at once', 'later'] as const) {
    const how = ending === 'close' ? 'a closing handshake' : 'the end of TCP';
    test(`the reason of DISCONNECT arrives 100 times out of 100: sent ${moment}, then ${how}`, async ({
      page,
    }) => {
      await openApi(page, server.url);
      const url = await scripted(async (connection) => {
        await accept(connection);
        if (moment === 'later') await connection.expect(type.publish);
        connection.send(disconnect(0x98, reasonString(why)));
        connection[ending]();
      });
      const seen = await page.evaluate(
        async ({ url, later }) => {
          const all: string[] = [];
          const round = async () => {
            const client = await window.mqtt.connect(url, { reconnectPeriod: 0 });
            const events: unknown[] = [];
            client.on('disconnect', (packet) => events.push([packet.reasonCode, packet.reasonString]));
            client.on('close', (error) => events.push([error?.code, error?.reasonCode, error?.reasonString]));
            const ended = new Promise((resolve) => client.once('end', resolve));
            if (later) await client.publish('ready', '');
            await ended;
            all.push(JSON.stringify(events));
          };
          for (let done = 0; done < 100; done += 10) await Promise.all(Array.from({ length: 10 }, round));
          return all;
        },
        { url, later: moment === 'later' },
      );
      const wanted = JSON.stringify([
        [0x98, why],
        ['disconnected', 0x98, why],
      ]);
      expect(seen).toHaveLength(100);
      expect(seen.filter((events) => events !== wanted)).toEqual([]);
    });
  }
}

test('a half-open connection is detected within 1.5 times the keep-alive and 2 s', async ({ page }) => {
  await openApi(page, server.url);
  const url = await scripted(async (connection) => {
    await accept(connection);
    connection.goSilent();
  });
  const { after, code } = await page.evaluate(async (url) => {
    const client = await window.mqtt.connect(url, { keepalive: 2, reconnectPeriod: 0 });
    const start = performance.now();
    const error = await new Promise<{ code: string } | undefined>((resolve) => client.once('close', resolve));
    return { after: performance.now() - start, code: error?.code };
  }, url);
  expect(code).toBe('network');
  expect(after).toBeGreaterThan(2000); // the keep-alive interval has to pass first
  expect(after).toBeLessThan(1.5 * 2000 + 2000);
});

const hostile = [
  {
    name: 'a packet of 256 MB',
    bytes: [0x30, 0xff, 0xff, 0xff, 0x7f],
    code: 'packet-too-large',
    reason: 0x95,
  },
  {
    name: 'a length of five bytes',
    bytes: [0x30, 0xff, 0xff, 0xff, 0xff, 0x7f],
    code: 'protocol',
    reason: 0x81,
  },
];

// On the page's own thread the Go program's memory can be inspected.
for (const worker of [true, false]) {
  test.describe(`hostile bytes, ${worker ? 'in the worker' : "on the page's thread"}`, () => {
    test.beforeEach(async ({ page }) => {
      await keepMemory(page);
      await openApi(page, server.url);
      await openBystander(page, worker);
    });

    for (const { name, bytes, code, reason } of hostile) {
      test(`${name} after CONNACK`, async ({ page }) => {
        let farewell: Buffer | undefined;
        const url = await scripted(async (connection) => {
          await accept(connection);
          connection.send(Buffer.from(bytes));
          farewell = (await connection.expect(type.disconnect)).body;
        });
        const before = await goMemory(page);
        const error = await page.evaluate(
          async ({ url, worker }) => {
            const client = await window.mqtt.connect(url, { worker, reconnectPeriod: 0 });
            return window.failure(new Promise((_, reject) => client.once('end', reject)));
          },
          { url, worker },
        );
        expect(error).toMatchObject({ name: 'MqttError', code });
        expect(error.reasonCode).toBeUndefined(); // only the broker sends one
        expect(farewell?.[0]).toBe(reason); // 4.13.1
        await expectAlive(page, worker, before);
      });

      test(`${name} instead of CONNACK`, async ({ page }) => {
        const url = await scripted(async (connection) => {
          await connection.expect(type.connect);
          connection.send(Buffer.from(bytes));
        });
        const before = await goMemory(page);
        const error = await page.evaluate(
          ({ url, worker }) => window.failure(window.mqtt.connect(url, { worker })),
          { url, worker },
        );
        expect(error).toMatchObject({ name: 'MqttError', code: 'protocol' });
        await expectAlive(page, worker, before);
      });
    }
  });
}

declare global {
  interface Window {
    goMemory?: WebAssembly.Memory;
    /** Publishes to itself with a client that shares the program, and reports its errors. */
    bystander(): Promise<{ message: string | undefined; troubles: string[] }>;
  }
}

async function openBystander(page: Page, worker: boolean): Promise<void> {
  await page.evaluate(
    async ({ url, worker }) => {
      const client = await window.mqtt.connect(url, { worker });
      const troubles: string[] = [];
      for (const event of ['close', 'disconnect', 'error', 'end'] as const) {
        client.on(event, () => troubles.push(event));
      }
      const mine = `bystander/${client.clientId}`;
      const messages = (await client.subscribe(mine, { qos: 1 }))[Symbol.asyncIterator]();
      window.bystander = async () => {
        await client.publish(mine, 'still here', { qos: 1 });
        return { message: (await messages.next()).value?.text(), troubles };
      };
    },
    { url: server.mqtt, worker },
  );
}

async function expectAlive(page: Page, worker: boolean, before: number | undefined): Promise<void> {
  const { bystander, again } = await page.evaluate(
    async ({ url, worker }) => {
      const client = await window.mqtt.connect(url, { worker });
      const again = client.connected;
      await client.end();
      return { bystander: await window.bystander(), again };
    },
    { url: server.mqtt, worker },
  );
  expect(again).toBe(true);
  expect(bystander).toEqual({ message: 'still here', troubles: [] });
  expect(page.workers()).toHaveLength(worker ? 1 : 0);
  const now = await goMemory(page);
  if (worker) return;
  expect(before).toBeGreaterThan(0);
  expect((now ?? 0) - (before ?? 0)).toBeLessThan(16 << 20);
}

/** Exposes the memory of a Go program that starts on the page's thread. */
async function keepMemory(page: Page): Promise<void> {
  await page.addInitScript(() => {
    const instantiate = WebAssembly.instantiateStreaming;
    WebAssembly.instantiateStreaming = async (...args) => {
      const result = await instantiate(...args);
      window.goMemory = result.instance.exports.mem as WebAssembly.Memory;
      return result;
    };
  });
}

/** Bytes of the program's memory, used or not. */
function goMemory(page: Page): Promise<number | undefined> {
  return page.evaluate(() => window.goMemory?.buffer.byteLength);
}
