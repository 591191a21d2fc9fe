import 'fake-indexeddb/auto';
import { expect, test } from 'vitest';
import WebSocket from 'ws';
import * as scripted from '../../e2e/support/scripted';
import mqtt, { type IClientPublishOptions } from './index';

test('messages published without a connection survive a closed page in the store', async () => {
  let up = false;
  const published: string[] = [];
  const broker = await scripted.startScripted((connection) => {
    if (!up) return connection.hangUp();
    return scripted.serve(connection, (sent) => {
      if (sent.type === scripted.type.publish) published.push(scripted.topicOf(sent));
    });
  });
  const connect = () =>
    mqtt.connect(broker.url, { worker: false, WebSocket, clientId: 'me', store: 'indexeddb' });
  const before = connect();
  await new Promise<void>((resolve) => void before.once('offline', resolve));
  const stored = { qos: 1, waitFor: 'stored' } as IClientPublishOptions;
  await before.publishAsync('kept', 'b', stored);
  await before.endAsync(true);
  up = true;
  const after = connect();
  await new Promise<void>((resolve) => void after.once('connect', () => resolve()));
  await after.publishAsync('new', 'b', { qos: 1 });
  expect(published).toEqual(['kept', 'new']);
  await after.endAsync();
  await broker.stop();
});
