import { expect, test, vi } from 'vitest';
import { MqttError } from '../client/index';
import { connected, settled } from '../client/testing-client';
import { createHub, type Watcher } from './hub';

function watcher() {
  const texts: (string | undefined)[] = [];
  const errors: MqttError[] = [];
  const all: Watcher = {
    received: (reading) => void texts.push(reading.text()),
    failed: (error) => void errors.push(error),
  };
  return { ...all, texts, errors };
}

const bytes = (text: string) => new TextEncoder().encode(text);
const close = { type: 'close' } as const;

test('watchers of the same filter share one subscription, and late ones get the last message', async () => {
  const { client, sent, receive } = await connected();
  const hub = createHub(client);
  const [first, late, other] = [watcher(), watcher(), watcher()];
  hub.watch('a/+', 0, first);
  await settled();
  await receive({ topic: 'a/b', payload: bytes('one') }).done;
  hub.watch('a/+', 0, late);
  hub.watch('a/+', 1, other);
  await settled();
  expect(late.texts).toEqual(['one']);
  expect(other.texts).toEqual([]);
  expect(sent('subscribe')).toHaveLength(2);
});

test('the last watcher to leave unsubscribes, once', async () => {
  const { client, sent, receive } = await connected();
  const hub = createHub(client);
  const [stays, goes] = [watcher(), watcher()];
  const leave = hub.watch('a', 0, goes);
  const leaveLast = hub.watch('a', 0, stays);
  await settled();
  leave();
  leave();
  await receive({ topic: 'a', payload: bytes('one') }).done;
  expect([goes.texts, stays.texts]).toEqual([[], ['one']]);
  expect(sent('unsubscribe')).toEqual([]);
  leaveLast();
  leaveLast();
  await settled();
  expect(sent('unsubscribe')).toEqual([[['a']]]);
  expect(hub.size()).toBe(0);
});

test('a watcher that returns at once is not unsubscribed by the one that left', async () => {
  const { client, receive } = await connected();
  const hub = createHub(client);
  hub.watch('a', 0, watcher())();
  const again = watcher();
  const leave = hub.watch('a', 0, again);
  await settled();
  await receive({ topic: 'a', payload: bytes('one') }).done;
  expect(again.texts).toEqual(['one']);
  leave();
  expect(hub.size()).toBe(0);
});

test('a refusal is reported, and retried at the next connection', async () => {
  const refuse = vi.fn(async () => ({ reasonCodes: [0x87] }));
  const { client, sink, sent } = await connected({ subscribe: refuse });
  const hub = createHub(client);
  const refused = watcher();
  hub.watch('secret', 0, refused);
  await settled();
  expect(refused.errors).toMatchObject([{ code: 'refused', reasonCode: 0x87 }]);
  sink().onEvent(close);
  sink().onEvent({ type: 'connect', connack: client.connack });
  await settled();
  expect(sent('subscribe')).toHaveLength(2);
});

test('an invalid filter is reported once, and not retried at the next connection', async () => {
  const { client, sink } = await connected();
  const hub = createHub(client);
  const one = watcher();
  hub.watch('a/#/b', 0, one);
  await settled();
  sink().onEvent(close);
  sink().onEvent({ type: 'connect', connack: client.connack });
  await settled();
  expect(one.errors.map(({ code, field }) => [code, field])).toEqual([['bad-option', 'filter']]);
});

test('a subscribe that fails without a connection is retried at the next', async () => {
  const { client, sink, sent } = await connected();
  const hub = createHub(client);
  sink().onEvent(close);
  const patient = watcher();
  hub.watch('a', 0, patient);
  await settled();
  expect(sent('subscribe')).toEqual([]);
  sink().onEvent({ type: 'connect', connack: client.connack });
  await settled();
  expect(sent('subscribe')).toHaveLength(1);
  expect(patient.errors).toEqual([]);
});

test('while the client ends, subscribing is not retried', async () => {
  const { client, sink, sent } = await connected({ disconnect: () => new Promise(() => {}) });
  const subscribe = vi.spyOn(client, 'subscribe');
  const hub = createHub(client);
  void client.end();
  expect(client.connected).toBe(true);
  hub.watch('a', 0, watcher());
  await settled();
  expect(subscribe).toHaveBeenCalledTimes(1);
  expect(sent('subscribe')).toEqual([]);
  sink().onEvent({ type: 'end' });
});

test('a subscribe interrupted by a lost connection is repeated silently', async () => {
  let lose = (_: unknown): void => {};
  const subscribe = vi
    .fn(async () => ({ reasonCodes: [0] }))
    .mockImplementationOnce(() => new Promise((_, reject) => (lose = reject)));
  const { client, sink } = await connected({ subscribe });
  const hub = createHub(client);
  const patient = watcher();
  hub.watch('a', 0, patient);
  await settled();
  sink().onEvent(close);
  lose(new MqttError('network', 'gone'));
  await settled();
  expect(subscribe).toHaveBeenCalledTimes(1);
  sink().onEvent({ type: 'connect', connack: client.connack });
  await settled();
  expect(subscribe).toHaveBeenCalledTimes(2);
  expect(patient.errors).toEqual([]);
});

test('values from an earlier connection are not current', async () => {
  const { client, sink, receive } = await connected();
  const hub = createHub(client);
  const current: boolean[] = [];
  const see: Watcher = { received: (reading) => void current.push(hub.isCurrent(reading)), failed() {} };
  hub.watch('a', 0, see);
  await settled();
  await receive({ topic: 'a', payload: bytes('one') }).done;
  sink().onEvent(close);
  sink().onEvent({ type: 'connect', connack: client.connack });
  hub.watch('a', 0, { ...see }); // starts with the old message
  await receive({ topic: 'a', payload: bytes('two') }).done;
  expect(current).toEqual([true, false, true, true]);
});

test('values from another client are not current', async () => {
  const [one, other] = [await connected(), await connected()];
  const [hub, otherHub] = [createHub(one.client), createHub(other.client)];
  const current: boolean[] = [];
  hub.watch('a', 0, {
    received: (reading) => void current.push(hub.isCurrent(reading), otherHub.isCurrent(reading)),
    failed() {},
  });
  await settled();
  await one.receive({ topic: 'a', payload: bytes('one') }).done;
  expect(current).toEqual([true, false]);
});

test('a disposed hub leaves the client unchanged', async () => {
  const { client, sent } = await connected();
  const off = vi.spyOn(client, 'off');
  const on = vi.spyOn(client, 'on');
  const hub = createHub(client);
  const leave = hub.watch('a', 0, watcher());
  hub.watch('b', 0, watcher());
  await settled();
  hub.dispose();
  leave();
  await settled();
  expect(sent('unsubscribe')).toEqual([[['a']], [['b']]]);
  expect(off.mock.calls).toEqual(on.mock.calls);
  expect(hub.size()).toBe(0);
});
