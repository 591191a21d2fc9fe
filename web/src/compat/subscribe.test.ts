import { expect, test } from 'vitest';
import * as scripted from '../../e2e/support/scripted';
import { connect, next, startBroker } from './testing';

const { connack, filtersOf, packet, properties, serve, type } = scripted;

test('subscribe takes a filter, several, or options by filter', async () => {
  const { url } = await startBroker();
  const client = connect(url);
  const plain = { nl: false, rap: false, rh: 0 };
  expect(await client.subscribeAsync('a')).toEqual([{ ...plain, topic: 'a', qos: 0 }]);
  expect(await client.subscribeAsync(['a', 'b/#'], { qos: 1 })).toEqual([
    { ...plain, topic: 'a', qos: 1 },
    { ...plain, topic: 'b/#', qos: 1 },
  ]);
  expect(await client.subscribeAsync({ a: { qos: 2 }, b: { qos: 0, nl: true } })).toEqual([
    { ...plain, topic: 'a', qos: 2 },
    { ...plain, topic: 'b', qos: 0, nl: true },
  ]);
});

test('an empty list of filters is an error for subscribe and unsubscribe', async () => {
  const { url } = await startBroker();
  const client = connect(url);
  await expect(client.subscribeAsync([])).rejects.toMatchObject({ code: 'bad-option' });
  await expect(client.subscribeAsync({})).rejects.toMatchObject({ code: 'bad-option' });
  await expect(client.unsubscribeAsync([])).rejects.toMatchObject({ code: 'bad-option' });
});

test('a subscription interrupted by a lost connection is made on the next one', async () => {
  const asked: string[][] = [];
  const broker = await startBroker(
    async (connection) => {
      await connection.expect(type.connect);
      connection.send(connack());
      asked.push(filtersOf(await connection.expect(type.subscribe)));
      connection.close();
    },
    (connection) =>
      serve(connection, (sent) => {
        if (sent.type === type.subscribe) asked.push(filtersOf(sent));
      }),
  );
  const client = connect(broker.url);
  const granted = await new Promise<unknown>((resolve) => {
    client.subscribe('presence', { qos: 1 }, (error, grants) => resolve(error ?? grants));
  });
  expect(granted).toMatchObject([{ topic: 'presence', qos: 1 }]);
  expect(asked).toEqual([['presence'], ['presence']]);
});

test('a filter already subscribed to is skipped, unless with a higher QoS or resubscribe', async () => {
  const asked: string[][] = [];
  const { url } = await startBroker((connection) =>
    serve(connection, (sent) => {
      if (sent.type === type.subscribe) asked.push(scripted.filtersOf(sent));
    }),
  );
  const client = connect(url);
  await client.subscribeAsync(['a', 'a']); // MQTT.js sends both, too
  expect(await client.subscribeAsync(['a', 'b'])).toMatchObject([{ topic: 'b' }]);
  const nothing = await new Promise((resolve) => client.subscribe('a', (...args) => resolve(args)));
  expect(nothing).toEqual([null, []]);
  await client.subscribeAsync('a', { qos: 1 });
  await client.subscribeAsync({ a: { qos: 1 }, resubscribe: true });
  await client.unsubscribeAsync('b');
  await client.subscribeAsync('b');
  await expect(client.subscribeAsync('b', { qos: 'x' as unknown as 0 })).rejects.toMatchObject({
    code: 'bad-option',
  });
  expect(asked.flat()).toEqual(['a', 'a', 'b', 'a', 'a', 'b']);
});

test('a refused filter does not fail the others', async () => {
  const { url } = await startBroker(async (connection) => {
    await connection.expect(type.connect);
    connection.send(connack());
    for (let call = 0; call < 3; call++) {
      const asked = await connection.expect(type.subscribe);
      const code = scripted.filtersOf(asked).includes('secret') ? 0x87 : 1;
      connection.send(packet(type.suback, 0, asked.body.subarray(0, 2), properties(), Buffer.from([code])));
    }
  });
  const client = connect(url);
  const args = await new Promise<unknown[]>((resolve) => {
    client.subscribe(['open', 'secret'], { qos: 1 }, (...given) => resolve(given));
  });
  expect(args).toMatchObject([
    { code: 'refused', reasonCode: 0x87 },
    [
      { topic: 'open', qos: 1 },
      { topic: 'secret', qos: 0x87 },
    ],
    { cmd: 'suback', granted: [1, 0x87] },
  ]);
  await expect(client.subscribeAsync('secret')).rejects.toMatchObject({ code: 'refused' });
});

test('a filter refused on resubscribing can be subscribed to again', async () => {
  const { url } = await startBroker(
    async (connection) => {
      await connection.expect(type.connect);
      connection.send(connack());
      const asked = await connection.expect(type.subscribe);
      connection.send(scripted.answerTo(asked) as Buffer);
      connection.hangUp();
    },
    async (connection) => {
      await connection.expect(type.connect);
      connection.send(connack());
      for (let call = 0; call < 2; call++) {
        const asked = await connection.expect(type.subscribe);
        const id = asked.body.subarray(0, 2);
        connection.send(packet(type.suback, 0, id, properties(), Buffer.from([0x87])));
      }
    },
  );
  const client = connect(url);
  const refused = next(client, 'error');
  await client.subscribeAsync('secret');
  expect(await refused).toMatchObject([{ code: 'refused', field: 'filter', reasonCode: 0x87 }]);
  await expect(client.subscribeAsync('secret')).rejects.toMatchObject({ code: 'refused' });
});

test('subscribing without a connection has no timeout, and completes on the next one', async () => {
  const { url } = await startBroker(async (connection) => connection.hangUp());
  const client = connect(url, { reconnectPeriod: 50 });
  const subscribed = client.subscribeAsync('a');
  await next(client, 'offline');
  expect(await subscribed).toMatchObject([{ topic: 'a' }]);
  expect(client.connected).toBe(true);
});
