import { expect, test } from '@playwright/test';
import { openApi } from './support/api';
import { type Server, startServer } from './support/brokers';
import { type Connect, connectOf, property, publishOf } from './support/fields';
import { freePort } from './support/process';
import {
  answerTo,
  type Connection,
  connack,
  reasonString,
  type Script,
  type ScriptedBroker,
  serve,
  startScripted,
  topicAliasMaximum,
  type,
} from './support/scripted';

declare global {
  interface Window {
    client: import('../src/client').Client;
    /** Resolves at the next connection. */
    again: Promise<void>;
  }
}

let server: Server;
let brokers: ScriptedBroker[];

test.beforeAll(async () => {
  server = await startServer();
});
test.afterAll(() => server.stop());
test.beforeEach(async ({ page }) => {
  brokers = [];
  await openApi(page, server.url);
});
test.afterEach(() => Promise.all(brokers.map((broker) => broker.stop())));

async function scripted(script: Script): Promise<ScriptedBroker> {
  const broker = await startScripted(script);
  brokers.push(broker);
  return broker;
}

/** Accepts and closes each connection except the last of `rounds`. `seen` gets each CONNECT. */
function leaving(rounds: number, seen: (connect: Connect, connection: Connection) => void): Script {
  let round = 0;
  return async (connection) => {
    seen(connectOf(await connection.expect(type.connect)), connection);
    connection.send(connack());
    if (++round < rounds) return connection.hangUp();
    for (;;) {
      const answer = answerTo(await connection.next());
      if (answer) connection.send(answer);
    }
  };
}

test('if the first server is unreachable the next one is used, at first and on reconnecting', async ({
  page,
}) => {
  const nobody = `ws://127.0.0.1:${await freePort()}/mqtt`;
  const first = await startScripted((connection) => serve(connection));
  const second = await scripted((connection) => serve(connection));
  await page.evaluate(
    async ({ nobody, servers }) => {
      window.client = await window.mqtt.connect(nobody, { servers, reconnectPeriod: 20 });
      window.again = new Promise((resolve) => {
        window.client.once('close', () => window.client.once('connect', () => resolve()));
      });
    },
    { nobody, servers: [first.url, second.url] },
  );
  expect([first.connections.length, second.connections.length]).toEqual([1, 0]);
  await first.stop();
  const works = await page.evaluate(async () => {
    await window.again;
    const { reasonCode } = await window.client.publish('still', 'here', { qos: 1 });
    await window.client.end();
    return reasonCode;
  });
  expect(works).toBe(0);
  expect(second.connections).toHaveLength(1);
});

test('address and credentials are requested before each attempt', async ({ page }) => {
  const attempts: [path: string, username?: string, password?: string][] = [];
  const broker = await scripted(
    leaving(3, ({ username, password }, { path }) => {
      attempts.push([path, username, password] as (typeof attempts)[number]);
    }),
  );
  const asked = await page.evaluate(async (url) => {
    const asked: string[] = [];
    let tokens = 0;
    let signatures = 0;
    const client = await window.mqtt.connect(url, {
      username: 'replaced',
      reconnectPeriod: 20,
      async transformWsUrl(address) {
        asked.push(address);
        await fetch('/healthz');
        return `${address}?signature=${++signatures}`;
      },
      async credentials() {
        await fetch('/healthz');
        return { username: 'me', password: `token ${++tokens}` };
      },
    });
    await new Promise<void>((resolve) => {
      let times = 0;
      client.on('connect', () => {
        if (++times === 3) resolve();
      });
    });
    await client.end();
    return asked;
  }, broker.url);
  expect(asked).toEqual([broker.url, broker.url, broker.url]);
  expect(attempts).toEqual([
    ['/mqtt?signature=1', 'me', 'token 1'],
    ['/mqtt?signature=2', 'me', 'token 2'],
    ['/mqtt?signature=3', 'me', 'token 3'],
  ]);
});

for (const field of ['transformWsUrl', 'credentials'] as const) {
  test(`${field} that throws fails its attempt, with the error as its cause`, async ({ page }) => {
    const broker = await scripted(leaving(2, () => {}));
    const outcome = await page.evaluate(
      async ({ url, field }) => {
        let calls = 0;
        // The second of three calls throws.
        const callback = async (address?: string) => {
          if (++calls === 2) throw new RangeError('no token today');
          return (field === 'credentials' ? { username: 'me' } : address) as never;
        };
        const client = await window.mqtt.connect(url, { reconnectPeriod: 20, [field]: callback });
        const error = new Promise<import('../src/client').MqttError>((resolve) =>
          client.once('error', resolve),
        );
        await new Promise<void>((resolve) => {
          client.once('close', () => client.once('connect', () => resolve()));
        });
        await client.end();
        const { code, field: named, cause } = await error;
        return { code, named, cause: String(cause), calls };
      },
      { url: broker.url, field },
    );
    expect(outcome).toEqual({ code: 'aborted', named: field, cause: 'RangeError: no token today', calls: 3 });
  });

  test(`${field} that throws at the first attempt rejects connect`, async ({ page }) => {
    const outcome = await page.evaluate(
      async ({ url, field }) => {
        const callback = async () => {
          throw new RangeError('no token today');
        };
        try {
          await window.mqtt.connect(url, { [field]: callback });
        } catch (error) {
          const { code, field, cause } = error as import('../src/client').MqttError;
          return { code, field, cause: String(cause) };
        }
        throw new Error('it connected');
      },
      { url: server.mqtt, field },
    );
    expect(outcome).toEqual({ code: 'aborted', field, cause: 'RangeError: no token today' });
  });
}

/** Accepts and closes the first connection, refuses the second, accepts the third. */
function refusingOnce(): Script {
  let round = 0;
  return async (connection) => {
    round++;
    if (round === 3) return serve(connection);
    await connection.expect(type.connect);
    if (round === 2) {
      connection.send(connack(0x87, reasonString('token has expired')));
      return connection.close();
    }
    connection.send(connack());
    connection.hangUp();
  };
}

test('a permanent refusal ends the client', async ({ page }) => {
  const broker = await scripted(refusingOnce());
  const end = await page.evaluate(async (url) => {
    const client = await window.mqtt.connect(url, { reconnectPeriod: 20 });
    const error = await new Promise<import('../src/client').MqttError | undefined>((resolve) =>
      client.once('end', resolve),
    );
    const publish = await window.failure(client.publish('too', 'late', { qos: 1 }));
    const { code, reasonCode, reasonString } = error ?? {};
    return { code, reasonCode, reasonString, state: client.state, publish: publish.code };
  }, broker.url);
  expect(end).toEqual({
    code: 'refused',
    reasonCode: 0x87,
    reasonString: 'token has expired',
    state: 'disconnected',
    publish: 'not-connected',
  });
  expect(broker.connections).toHaveLength(2);
});

test('a permanent refusal does not end the client with reconnectOnConnackError', async ({ page }) => {
  const broker = await scripted(refusingOnce());
  const errors = await page.evaluate(async (url) => {
    const client = await window.mqtt.connect(url, { reconnectPeriod: 20, reconnectOnConnackError: true });
    const errors: [string, number | undefined][] = [];
    client.on('error', ({ code, reasonCode }) => errors.push([code, reasonCode]));
    await new Promise<void>((resolve) => {
      client.once('close', () => client.once('connect', () => resolve()));
    });
    await client.end();
    return errors;
  }, broker.url);
  expect(errors).toEqual([['refused', 0x87]]);
  expect(broker.connections).toHaveLength(3);
});

test('autoAssignTopicAlias sends a topic once per connection, and only its alias from then on', async ({
  page,
}) => {
  const sent: [topic: string, alias: number | undefined][][] = [];
  const broker = await scripted(async (connection) => {
    const seen: (typeof sent)[number] = [];
    sent.push(seen);
    await connection.expect(type.connect);
    connection.send(connack(0, topicAliasMaximum(2)));
    for (;;) {
      const packet = await connection.next();
      if (packet.type === type.publish) {
        const { topic, properties } = publishOf(packet);
        seen.push([topic, properties.get(property.topicAlias)?.readUInt16BE()]);
      }
      const answer = answerTo(packet);
      if (answer) connection.send(answer);
      if (seen.length === 6) connection.hangUp();
    }
  });
  await page.evaluate(async (url) => {
    const client = await window.mqtt.connect(url, { reconnectPeriod: 20, autoAssignTopicAlias: true });
    const back = new Promise<void>((resolve) => {
      client.once('close', () => client.once('connect', () => resolve()));
    });
    for (const topic of ['topic/a', 'topic/a', 'topic/b', 'topic/a', 'topic/c']) {
      await client.publish(topic, 'x', { qos: 1 });
    }
    await client.publish('topic/b', 'x');
    await back;
    await client.publish('topic/b', 'x', { qos: 1 });
    await client.end();
  }, broker.url);
  expect(sent).toEqual([
    [
      ['topic/a', 1],
      ['', 1],
      ['topic/b', 2],
      ['', 1],
      ['topic/c', 2], // replaces topic/b, the least recently used
      ['topic/b', 1],
    ],
    [['topic/b', 1]],
  ]);
});
