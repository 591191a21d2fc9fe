/** The client must work with a faked clock, whether it was loaded before or after the clock was faked. */

import { afterEach, expect, test, vi } from 'vitest';
import * as scripted from '../../e2e/support/scripted';

type Fakes = Parameters<typeof vi.useFakeTimers>[0];

const { serve, type } = scripted;
/** Everything that Jest fakes except `process.nextTick`, which Node's own streams need. */
const all: Fakes = {
  toFake: ['setTimeout', 'setInterval', 'setImmediate', 'queueMicrotask', 'performance', 'Date'],
};

let broker: scripted.ScriptedBroker | undefined;

afterEach(async () => {
  vi.useRealTimers();
  vi.resetModules();
  await broker?.stop();
});

async function start() {
  broker = await scripted.startScripted((connection) =>
    serve(connection, (sent) => {
      if (sent.type === type.publish) connection.send(scripted.publish('a', 'b'));
    }),
  );
  const { default: mqtt } = await import('./index');
  const { default: WebSocket } = await import('ws');
  const { url } = broker;
  return () => mqtt.connect(url, { worker: false, WebSocket });
}

async function roundTrip(client: ReturnType<Awaited<ReturnType<typeof start>>>) {
  const received = new Promise((resolve) => client.once('message', (_, message) => resolve(`${message}`)));
  await client.subscribeAsync('a', { qos: 1 });
  await client.publishAsync('a', 'b', { qos: 1 });
  expect(await received).toBe('b');
}

const ways: [string, Fakes][] = [
  ['as Vitest does', undefined],
  ['all of it', all],
];

test.each(ways)('the clock is faked, %s, before loading', async (_, fakes) => {
  vi.useFakeTimers(fakes);
  const connect = await start();
  const client = connect();
  await roundTrip(client);
  await client.endAsync();
});

test.each(ways)('the clock is faked, %s, before connecting', async (_, fakes) => {
  const connect = await start();
  const before = connect();
  await roundTrip(before); // the program is running, with timers of its own
  vi.useFakeTimers(fakes);
  const client = connect();
  await roundTrip(client);
  await client.endAsync();
  await before.endAsync();
});

test.each(ways)('the clock is faked, %s, advanced and real again during a connection', async (_, fakes) => {
  const connect = await start();
  const client = connect();
  await roundTrip(client);
  vi.useFakeTimers(fakes);
  await roundTrip(client);
  vi.advanceTimersByTime(5000);
  await roundTrip(client);
  vi.useRealTimers();
  await roundTrip(client);
  await client.endAsync();
});
