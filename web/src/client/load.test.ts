import { afterEach, describe, expect, test, vi } from 'vitest';
import { connectSettings } from './checks/options';
import { engine } from './testing-client';
import type { ConnectOptions } from './types';

const url = 'ws://broker.test/mqtt';

/** A client with all modules loaded anew, and `path` mocked by `script`. */
async function startWith(path: string, script: () => unknown, once: boolean, options: ConnectOptions = {}) {
  vi.resetModules();
  vi.doMock(path, script as () => Promise<object>);
  const { startClient } = await import('./client');
  const fake = engine();
  const open = async () => ({ boundary: fake.boundary, ready: Promise.resolve() });
  const events: unknown[] = [];
  const { client, connected } = startClient({ settings: connectSettings(url, options), open, once });
  client.on('connect', () => events.push('connect'));
  client.on('error', ({ code }) => events.push(`error ${code}`));
  client.on('end', (error) => events.push(`end ${error?.code}`));
  return { client, connected, events, ...fake };
}

afterEach(() => {
  vi.doUnmock('./receiving');
  vi.doUnmock('./auth/user-callbacks');
  vi.resetModules();
});

const fails = (): never => {
  throw new Error('no such file');
};
const hangs = (): Promise<never> => new Promise(() => {});
const credentials = () => ({ username: 'me' });

describe.each([
  ['the part that receives messages', './receiving', {}],
  ['the part that calls functions among the options', './auth/user-callbacks', { credentials }],
] as [string, string, ConnectOptions][])('%s', (what, path, options) => {
  test('fails to load: connect rejects', async () => {
    const { client, connected } = await startWith(path, fails, true, options);
    await expect(connected).rejects.toMatchObject({
      name: 'MqttError',
      code: 'crashed',
      message: expect.stringContaining(`${what} could not be loaded`),
    });
    expect(client.state).toBe('disconnected');
  });

  test('fails to load: a client from createClient ends, with its calls', async () => {
    const { client, connected, events } = await startWith(path, fails, false, options);
    const calls = [
      client.publish('a', '1'),
      client.subscribe('a'),
      client.unsubscribe('a'),
      client.request('a', '1'),
      client.respond('a', () => undefined),
      client.reconnect(),
    ];
    for (const { reason } of (await Promise.allSettled(calls)) as PromiseRejectedResult[]) {
      expect(reason).toMatchObject({ name: 'MqttError', code: 'crashed' });
    }
    await expect(connected).rejects.toMatchObject({ code: 'crashed' });
    expect(events).toEqual(['error crashed', 'end crashed']);
    expect(client.state).toBe('disconnected');
  });

  test('throws while it runs: connect rejects', async () => {
    const { connected } = await startWith(path, () => ({}), true, options);
    await expect(connected).rejects.toMatchObject({
      name: 'MqttError',
      code: 'crashed',
      message: expect.stringContaining('cut short'),
    });
  });

  test('never loads: connect times out', async () => {
    const { connected } = await startWith(path, hangs, true, { ...options, connectTimeout: 50 });
    await expect(connected).rejects.toMatchObject({ name: 'MqttError', code: 'timeout' });
  });

  test('never loads: a call times out, and the client ends', async () => {
    const { client, connected } = await startWith(path, hangs, false, { ...options, connectTimeout: 100 });
    await expect(client.subscribe('a', { timeout: 20 })).rejects.toMatchObject({ code: 'timeout' });
    await expect(connected).rejects.toMatchObject({ code: 'timeout' });
    expect(client.state).toBe('disconnected');
  });
});

test.each([
  ['can not be loaded', fails],
  ['does not load', hangs],
])('if the part that receives messages %s, the program gives up the client', async (_, script) => {
  const { connected, sent } = await startWith('./receiving', script, false, { connectTimeout: 50 });
  await expect(connected).rejects.toBeInstanceOf(Error);
  await vi.waitFor(() => expect(sent('disconnect')).toEqual([[{ force: true }]]));
});

test('messages and events that arrive before it has loaded are kept in order', async () => {
  let arrive = (): void => {};
  const arrived = new Promise<void>((resolve) => {
    arrive = resolve;
  });
  const script = async () => {
    await arrived;
    return vi.importActual('./receiving');
  };
  const { client, connected, events, sink, receive } = await startWith('./receiving', script, false);
  client.on('message', (topic) => events.push(topic));
  await vi.waitFor(() => expect(sink()).toBeDefined());
  receive({ topic: 'early' });
  sink().onEvent({ type: 'error', error: { code: 'network', message: 'broken' } });
  const later = client.publish('a', '1').then(() => events.push('published'));
  expect(events).toEqual([]);
  arrive();
  await connected;
  await later;
  expect(events).toEqual(['connect', 'early', 'error network', 'published']);
});
