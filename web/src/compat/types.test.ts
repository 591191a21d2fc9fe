/** Calls from typical MQTT.js programs, which only have to compile. */

import { expect, test, vi } from 'vitest';
import mqtt, {
  type IClientOptions,
  type IPublishPacket,
  type ISubscriptionMap,
  type MqttClient,
} from './index';

type Done = ((error: Error | null) => void) | undefined;
/** As MQTT.js declares it. */
type TheirDone = (error?: Error) => void;

function use(url: string, options: { qos: 1 } | undefined, done: Done): MqttClient {
  const client: MqttClient = mqtt.connect(url);
  client.publish('a', 'b', undefined, (error, packet) => console.log(error?.code, packet?.reasonCode));
  client.publish('a', 'b', options, done).publish('a', 'b', done).publish('a', 'b', null, done);
  client.publish('a', 'b', (error) => console.log(error?.message));
  client.subscribe(['a'], (error, granted, packet) => console.log(error, granted?.length, packet?.granted));
  client.subscribe({ a: { qos: 1 } }, undefined, (_, granted) => console.log(granted?.[0]?.topic));
  const map: ISubscriptionMap = { a: { qos: 0 } };
  client.subscribe(map).subscribe({ a: { qos: 1 }, resubscribe: true });
  client
    .unsubscribe('a', {}, (error) => console.log(error))
    .unsubscribe('a', done)
    .unsubscribe(['a']);
  client.end(true, {}, () => {}).end((error) => console.log(error));
  client
    .end({ reasonCode: 4 }, () => {})
    .end(false, undefined, done)
    .end();
  client.on('message', (topic, payload, packet: IPublishPacket) => console.log(topic, payload, packet.qos));
  const more: IClientOptions = {
    queueQoSZero: true,
    transformWsUrl: (address, _, connecting: MqttClient) => `${address}?${connecting.connected}`,
  };
  void mqtt.connectAsync(url, more, false).then((connected) => connected.endAsync(true));
  void mqtt.connectAsync({ url }).then(({ connected }) => connected);
  const byDefault: mqtt.MqttClient = mqtt.connect(url, more satisfies mqtt.IClientOptions);
  byDefault.on('connect', (packet: mqtt.IConnackPacket) => console.log(packet.sessionPresent));
  return client;
}

function useTheirs(client: MqttClient, done: TheirDone): void {
  client
    .publish('a', 'b', done)
    .publish('a', 'b', {}, done)
    .publish('a', 'b', (_error?: Error) => {});
  client.unsubscribe('a', done).unsubscribe('a', {}, done);
  client.end(done).end(true, done).end(false, {}, done);
}

test('calls of an MQTT.js program compile', () => {
  expect([use, useTheirs]).toHaveLength(2);
});

test('optional arguments may be undefined or null', async () => {
  const client = mqtt.connect({ url: 'ws://127.0.0.1:1/', manualConnect: true });
  const codes: unknown[] = [];
  const done = (error: { code: string } | null): unknown => codes.push(error?.code);
  client.publish('a', 'b', undefined, done).publish('a', 'b', null, done).publish('a', 'b', done);
  await client.endAsync();
  await vi.waitUntil(() => codes.length === 3);
  expect(codes).toEqual(['not-connected', 'not-connected', 'not-connected']);
});
