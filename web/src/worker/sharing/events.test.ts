import { expect, test } from 'vitest';
import type { ClientEvent } from '../../protocol/boundary';
import { connack, scripted, tab, twoTabs } from './testing';

const connect: ClientEvent = { type: 'connect', connack };
const close: ClientEvent = { type: 'close' };
const reconnect: ClientEvent = { type: 'reconnect', attempt: 1, delay: 5 };
const error: ClientEvent = { type: 'error', error: { code: 'refused', message: 'no' } };

test('a tab that joins in the background while others reconnect lost no connection', async () => {
  const { registry, sink } = scripted();
  await tab(registry.attach()).connect();
  sink().onEvent(close);
  sink().onEvent(reconnect);
  const newcomer = tab(registry.attach());
  await newcomer.connect({ background: true });
  expect(newcomer.events).toEqual(['reconnect']);
  sink().onEvent(connect);
  expect(newcomer.events).toEqual(['reconnect', 'connect']);
});

test.each<[string, ClientEvent[], ClientEvent['type'][]]>([
  ['lost and made again', [close, reconnect, connect], ['close', 'connect']],
  ['lost twice', [close, reconnect, connect, close, reconnect], ['close', 'reconnect']],
  ['not lost', [error], []],
])('a frozen tab whose connection is %s is told so', async (_, events, told) => {
  const { b, sink } = await twoTabs();
  b.port.freeze();
  for (const event of events) sink().onEvent(event);
  b.port.thaw();
  expect(b.events).toEqual(['connect', ...told]);
});

test('a tab that was frozen while it had no connection is not told that it lost one', async () => {
  const { b, sink } = await twoTabs();
  sink().onEvent(close);
  b.port.freeze();
  for (const event of [connect, close, reconnect]) sink().onEvent(event);
  b.port.thaw();
  expect(b.events).toEqual(['connect', 'close', 'reconnect']);
});
