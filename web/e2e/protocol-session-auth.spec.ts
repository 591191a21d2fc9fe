import { expect, test } from '@playwright/test';
import { openApi } from './support/api';
import { type Server, startServer } from './support/brokers';
import { authOf, connectOf, property } from './support/fields';
import { scramExchange, scramMethod, serveScram } from './support/scram';
import {
  auth,
  authentication,
  connack,
  disconnect,
  reasonString,
  type Script,
  type ScriptedBroker,
  startScripted,
  type,
} from './support/scripted';

const continues = 0x18; // Continue authentication (3.15.2.1)
const again = 0x19; // Re-authenticate
const notAuthorized = 0x87;

let server: Server;
let broker: ScriptedBroker | undefined;

test.beforeAll(async () => {
  server = await startServer();
});
test.afterAll(() => server.stop());
test.beforeEach(({ page }) => openApi(page, server.url));
test.afterEach(async () => {
  const stopping = broker?.stop();
  broker = undefined;
  await stopping;
});

async function scripted(script: Script): Promise<string> {
  broker = await startScripted(script);
  return broker.url;
}

test('SCRAM: the right password authenticates and re-authenticates, each time with a new nonce', async ({
  page,
}) => {
  const firsts: string[] = [];
  const url = await scripted(serveScram('pencil', firsts));
  const reasonCode = await page.evaluate(async (url) => {
    const client = await window.mqtt.connect(url, { scram: { username: 'alice', password: 'pencil' } });
    await client.reauthenticate();
    await client.reauthenticate();
    const { reasonCode } = await client.publish('let/in', 'x', { qos: 1 });
    await client.end();
    return reasonCode;
  }, url);
  expect(reasonCode).toBe(0);
  expect(firsts).toHaveLength(3);
  expect(new Set(firsts).size).toBe(3);
});

test('SCRAM: a password in another normalization form is accepted', async ({ page }) => {
  const url = await scripted(serveScram('caf\u00e9'));
  await page.evaluate(async (url) => {
    const scram = { username: 'alice', password: 'cafe\u0301' };
    await (await window.mqtt.connect(url, { scram })).end();
  }, url);
});

test('SCRAM: the wrong password is refused by the broker', async ({ page }) => {
  const url = await scripted(serveScram('pencil'));
  const error = await page.evaluate(
    (url) => window.failure(window.mqtt.connect(url, { scram: { username: 'alice', password: 'pen' } })),
    url,
  );
  expect(error).toMatchObject({ code: 'refused', reasonCode: notAuthorized, reasonString: 'wrong password' });
});

test('SCRAM: the client disconnects from a broker that does not know the password', async ({ page }) => {
  let goodbye: Buffer | undefined;
  const url = await scripted(async (connection) => {
    const { properties } = connectOf(await connection.expect(type.connect));
    await scramExchange(connection, properties.get(property.authenticationData) as Buffer, 'pencil');
    connection.send(connack(0, authentication(scramMethod, `v=${Buffer.alloc(32).toString('base64')}`)));
    goodbye = (await connection.expect(type.disconnect)).body;
  });
  const error = await page.evaluate(
    (url) => window.failure(window.mqtt.connect(url, { scram: { username: 'alice', password: 'pencil' } })),
    url,
  );
  expect(error).toMatchObject({ code: 'protocol' });
  expect(error.message).toContain('did not prove');
  // A client's DISCONNECT can't be "not authorized" (3.14.2.1).
  await expect.poll(() => goodbye?.[0]).toBe(0x80);
});

/** A test method: the client returns the broker's data reversed. */
function mirrorBroker(refuse: boolean): Script {
  const mirror = 'mirror';
  return async (connection) => {
    const challenge = async (word: string): Promise<void> => {
      connection.send(auth(continues, authentication(mirror, word)));
      const { data } = authOf(await connection.expect(type.auth));
      expect(data?.toString()).toBe([...word].reverse().join(''));
    };
    const { properties } = connectOf(await connection.expect(type.connect));
    expect(properties.get(property.authenticationData)?.toString()).toBe('hello');
    await challenge('abc');
    await challenge('def');
    connection.send(connack(0, authentication(mirror, 'welcome')));
    expect(authOf(await connection.expect(type.auth))).toEqual({ reason: again, data: Buffer.from('hello') });
    await challenge('ghi');
    if (refuse) {
      connection.send(disconnect(notAuthorized, reasonString('not again')));
      return connection.close();
    }
    connection.send(auth(0, authentication(mirror, 'welcome back')));
    await connection.expect(type.disconnect);
  };
}

for (const refuse of [false, true]) {
  test(`authenticate responds to each step, and so does reauthenticate${refuse ? ', which is refused' : ''}`, async ({
    page,
  }) => {
    const url = await scripted(mirrorBroker(refuse));
    const { steps, outcome } = await page.evaluate(async (url) => {
      const steps: string[] = [];
      const client = await window.mqtt.connect(url, {
        reconnectPeriod: 0,
        properties: { authenticationMethod: 'mirror' },
        async authenticate({ phase, method, data }) {
          const text = new TextDecoder().decode(data);
          steps.push(`${method} ${phase} ${text}`);
          await fetch('/healthz');
          if (phase === 'start') return 'hello';
          return phase === 'continue' ? new TextEncoder().encode([...text].reverse().join('')) : undefined;
        },
      });
      const outcome = await client.reauthenticate().then(
        () => undefined,
        ({ code, reasonCode, reasonString }) => ({ code, reasonCode, reasonString }),
      );
      await client.end();
      return { steps, outcome };
    }, url);
    const before = ['start ', 'continue abc', 'continue def', 'success welcome', 'start ', 'continue ghi'];
    expect(steps).toEqual(
      [...before, ...(refuse ? [] : ['success welcome back'])].map((step) => `mirror ${step}`),
    );
    expect(outcome).toEqual(
      refuse ? { code: 'disconnected', reasonCode: notAuthorized, reasonString: 'not again' } : undefined,
    );
  });
}

test('authenticate that throws at success ends the connection, with the error as the cause', async ({
  page,
}) => {
  const url = await scripted(async (connection) => {
    await connection.expect(type.connect);
    connection.send(auth(continues, authentication('mirror', 'a')));
    await connection.expect(type.auth);
    connection.send(connack(0, authentication('mirror', 'I am the broker, honestly')));
    await connection.expect(type.disconnect);
  });
  const error = await page.evaluate(async (url) => {
    try {
      await window.mqtt.connect(url, {
        properties: { authenticationMethod: 'mirror' },
        authenticate({ phase }) {
          if (phase === 'success') throw new Error('an impostor');
          return 'a';
        },
      });
    } catch (error) {
      const { code, field, cause } = error as import('../src/client').MqttError;
      return { code, field, cause: String(cause) };
    }
    throw new Error('it connected');
  }, url);
  expect(error).toEqual({ code: 'aborted', field: 'authenticate', cause: 'Error: an impostor' });
});

test('reauthenticate without authenticate is a bad option', async ({ page }) => {
  const error = await page.evaluate(async (url) => {
    const client = await window.mqtt.connect(url);
    const error = await window.failure(client.reauthenticate());
    await client.end();
    return error;
  }, server.mqtt);
  expect(error).toMatchObject({ code: 'bad-option' });
});
