import { expect as pwExpect } from '@playwright/test';
import { violationsOf } from './support/axe';
import { type Mosquitto, startMosquitto } from './support/brokers';
import { part, publish, record, test, topicOf } from './support/elements';
import { expect } from './support/fixtures';
import { openPublisher } from './support/publisher';
import { type Connection, type ScriptedBroker, startScripted, type } from './support/scripted';

// How the elements connect, and what they show while they are not.

test('each element uses the nearest connection, the one it names, or the first', async ({
  page,
  open,
  server,
}) => {
  const other = await startMosquitto();
  const direct = [await openPublisher(server.mqtt), await openPublisher(other.mqtt)] as const;
  await open(`
    <mqtt-value id="first" topic="t"></mqtt-value>
    <mqtt-value id="named" topic="t" connection="other"></mqtt-value>
    <mqtt-connection url="/mqtt"><div><mqtt-value id="inner" topic="t"></mqtt-value>
      <mqtt-connection id="other" url="${other.mqtt}"><mqtt-value id="nearest" topic="t"></mqtt-value></mqtt-connection></div>
    </mqtt-connection>`);
  await page.evaluate(() => {
    const host = document.querySelector('#other')?.appendChild(document.createElement('div'));
    const shadow = host?.attachShadow({ mode: 'open' });
    shadow?.append(Object.assign(document.createElement('mqtt-value'), { id: 'shadow', topic: 't' }));
  });
  const value = (id: string) => part(page, `#${id}`, 'value');
  const values = ['first', 'inner', 'named', 'nearest', 'shadow'].map(value);
  await expect(async () => {
    direct[0].publish('t', ['own']);
    direct[1].publish('t', ['other']);
    for (const [n, value] of values.entries())
      await pwExpect(value).toHaveText(n < 2 ? 'own' : 'other', { timeout: 500 });
  }).toPass();
  // Moved elements use the connection at their new place.
  await page.evaluate(() => document.querySelector('#other')?.append(document.querySelector('#inner') ?? ''));
  direct[0].publish('t', ['own again']);
  await expect(value('first')).toHaveText('own again');
  await expect(async () => {
    direct[1].publish('t', ['other again']);
    await pwExpect(value('inner')).toHaveText('other again', { timeout: 500 });
  }).toPass();
  // An element whose connection is removed uses the next one added.
  await page.evaluate(() => {
    const [connection] = document.querySelectorAll('mqtt-connection');
    connection?.remove();
    const next = document.createElement('mqtt-connection');
    next.id = 'other';
    next.url = '/mqtt';
    document.body.append(next);
  });
  await expect(async () => {
    direct[0].publish('t', ['at last']);
    await pwExpect(part(page, '#named', 'value')).toHaveText('at last', { timeout: 500 });
  }).toPass();
  for (const publisher of direct) publisher.close();
  await other.stop();
});

test('after the connection is lost, values are not current until they are received again', async ({
  page,
  open,
}) => {
  let broker: Mosquitto = await startMosquitto();
  const port = Number(new URL(broker.mqtt).port);
  const topic = topicOf();
  await open(`<mqtt-connection url="${broker.mqtt}"><mqtt-status></mqtt-status>
    <mqtt-value topic="${topic}"></mqtt-value><mqtt-chart topic="${topic}"></mqtt-chart></mqtt-connection>`);
  await page.evaluate(() => {
    const connection = document.querySelector('mqtt-connection');
    if (connection) connection.options = { maxReconnectPeriod: 200, reconnectPeriod: 200 };
  });
  const value = page.locator('mqtt-value');
  await publish(page, topic, '7');
  await expect(value).toHaveText('7');
  await broker.stop();
  await expect(page.getByRole('status')).toHaveText('reconnecting');
  await expect(value).toHaveText(/^7\s*not current$/);
  await expect(page.locator('mqtt-value:state(stale)')).toHaveCount(1);
  await expect(part(page, 'mqtt-chart', 'stale')).toHaveText('not current');
  // An element added while disconnected subscribes after the reconnect.
  await page.evaluate(() => {
    const late = Object.assign(document.createElement('mqtt-value'), { topic: 'late', id: 'late' });
    document.querySelector('mqtt-connection')?.append(late);
  });
  broker = await startMosquitto(port);
  await expect(page.getByRole('status')).toHaveText('connected');
  await expect(value.first()).toHaveText(/^7\s*not current$/);
  await publish(page, topic, '8');
  await publish(page, 'late', 'here');
  await expect(value).toHaveText(['8', 'here']);
  await expect(part(page, 'mqtt-chart', 'stale')).toHaveText('');
  await broker.stop();
});

test('a value without updates for the given number of seconds is not current', async ({ page, open }) => {
  const topic = topicOf();
  await open(
    `<mqtt-connection url="/mqtt"><mqtt-value topic="${topic}" stale-after="0.3"></mqtt-value></mqtt-connection>`,
  );
  await publish(page, topic, '7');
  await expect(page.locator('mqtt-value')).toHaveText(/^7\s*not current$/);
});

test('a late element gets the last message, and no element gets it twice', async ({ page, open }) => {
  const topic = topicOf();
  await open(`<mqtt-connection url="/mqtt"><mqtt-feed topic="${topic}/#"></mqtt-feed></mqtt-connection>`);
  await publish(page, `${topic}/a`, 'kept', true);
  await expect(part(page, 'mqtt-feed', 'payload')).toHaveText(['kept']);
  await page.evaluate((name) => {
    const late = Object.assign(document.createElement('mqtt-value'), { topic: `${name}/#` });
    document.querySelector('mqtt-connection')?.append(late);
  }, topic);
  await expect(page.locator('mqtt-value')).toHaveText('kept');
  await publish(page, `${topic}/b`, 'next');
  await expect(part(page, 'mqtt-feed', 'payload')).toHaveText(['kept', 'next']);
  await publish(page, `${topic}/a`, '', true);
});

/** Refuses the first connection and accepts all later ones. */
async function refuseOnce(): Promise<ScriptedBroker> {
  let refused = false;
  return startScripted(async (connection: Connection) => {
    await connection.expect(type.connect);
    const no = Buffer.from([0x20, 3, 0, 0x87, 0]);
    connection.send(refused ? Buffer.from([0x20, 3, 0, 0, 0]) : no);
    refused = true;
  });
}

test('a refused connection says why, and can be tried again', async ({ page, open }) => {
  const broker = await refuseOnce();
  await open(`<mqtt-connection url="${broker.url}"><mqtt-status></mqtt-status></mqtt-connection>`);
  await expect(page.getByRole('status')).toHaveText('disconnected');
  await expect(part(page, 'mqtt-status', 'error')).toHaveText(/not authorized|0x87/i);
  expect(await page.evaluate(() => document.querySelector('mqtt-connection')?.error?.code)).toBe('refused');
  await page.getByRole('button', { name: 'Try again' }).click();
  await expect(page.getByRole('status')).toHaveText('connected');
  await expect(part(page, 'mqtt-status', 'error')).toHaveText('');
  await expect(page.getByRole('button')).toHaveCount(0);
  expect(broker.connections).toHaveLength(2);
  await page.evaluate(() => document.querySelector('mqtt-connection')?.remove());
  await broker.stop();
});

test('a wrong address is reported, and can be corrected', async ({ page, open }) => {
  await open(`<mqtt-connection><mqtt-status></mqtt-status></mqtt-connection>`);
  const errors = await record(page, 'mqtt-error');
  const give = (url: string) =>
    page.evaluate((address) => document.querySelector('mqtt-connection')?.setAttribute('url', address), url);
  await expect(page.getByRole('status')).toHaveText('disconnected');
  expect(await errors()).toEqual([]);
  for (const url of ['mqtt://a', 'http://[', 'ftp://a/b']) {
    await give(url);
    await expect(part(page, 'mqtt-status', 'error')).not.toBeEmpty();
    await give('');
    await expect(part(page, 'mqtt-status', 'error')).toBeEmpty();
  }
  expect(await errors()).toEqual(
    Array(3).fill({ from: 'mqtt-connection', code: 'bad-option', field: 'url' }),
  );
  await give('/mqtt');
  await expect(page.getByRole('status')).toHaveText('connected');
});

test('moving an element does not reconnect, and a client the page supplied is not ended', async ({
  page,
  open,
}) => {
  const broker = await startMosquitto();
  const connects = () => broker.output().match(/New client connected/g)?.length ?? 0;
  await open(
    `<main></main><mqtt-connection url="${broker.mqtt}"><mqtt-status></mqtt-status></mqtt-connection>`,
  );
  await expect(page.getByRole('status')).toHaveText('connected');
  await page.evaluate(() =>
    document.querySelector('main')?.append(document.querySelector('mqtt-connection') ?? ''),
  );
  // Nor do equal options in a new object, which frameworks pass on every render.
  for (let n = 0; n < 3; n++) {
    await page.evaluate(() => {
      const connection = document.querySelector('mqtt-connection');
      if (connection) connection.options = { keepalive: 30 };
    });
    await publish(page, 'a', 'b');
  }
  expect(connects()).toBe(2);
  const states = await page.evaluate(async (url) => {
    const { connect } = await import(/* @vite-ignore */ `${location.origin}/mqttwasm.js`);
    const client = await connect(url);
    const connection = document.querySelector('mqtt-connection');
    if (!connection) return [];
    const own = connection.client;
    connection.client = client;
    await new Promise<void>((resolve) => void own?.once('end', () => resolve()));
    const shared = connection.client === client;
    const before = own?.state;
    connection.remove();
    await new Promise((resolve) => setTimeout(resolve));
    const after = client.state;
    await client.end();
    return [shared, before, after];
  }, broker.mqtt);
  expect(states).toEqual([true, 'disconnected', 'connected']);
  await broker.stop();
});

for (const colorScheme of ['light', 'dark'] as const) {
  test(`failures have no axe violations, ${colorScheme}`, async ({ page, open }) => {
    await page.emulateMedia({ colorScheme });
    const broker = await refuseOnce();
    await open(`<main><h1>Elements</h1><mqtt-connection url="${broker.url}">
      <mqtt-status></mqtt-status><mqtt-feed topic="a"></mqtt-feed><mqtt-chart topic="a"></mqtt-chart>
      <mqtt-value topic="a" path="..." label="Wrong" announce></mqtt-value>
      <mqtt-publish topic="a" payload="b"></mqtt-publish><mqtt-publish type="form"></mqtt-publish></mqtt-connection></main>`);
    await page.evaluate(() =>
      Object.assign(document.body.style, {
        colorScheme: 'light dark',
        color: 'CanvasText',
        background: 'Canvas',
      }),
    );
    await expect(page.getByRole('button', { name: 'Try again' })).toBeVisible();
    await page.getByRole('button', { name: 'Publish' }).first().click();
    await expect(part(page, 'mqtt-publish', 'failed').first()).toHaveText(/ended/);
    expect(await violationsOf(page)).toEqual([]);
    await broker.stop();
  });
}
