/** For tests: a client of compat, the built program, and a broker of a few bytes. */

import { afterEach, vi } from 'vitest';
import WebSocket from 'ws';
import * as scripted from '../../e2e/support/scripted';
import mqtt, { type IClientOptions, type MqttClient } from './index';

const { filtersOf, serve, type } = scripted;

export const clients: MqttClient[] = [];
export const brokers: scripted.ScriptedBroker[] = [];

afterEach(async () => {
  await Promise.all(clients.splice(0).map((client) => client.endAsync(true)));
  await Promise.all(brokers.splice(0).map((broker) => broker.stop()));
  vi.unstubAllGlobals();
});

/** A broker that sends back what it is sent; the first connections may be other scripts'. */
export async function startBroker(...first: scripted.Script[]) {
  const scripts = [...first];
  const broker = await scripted.startScripted((connection) => (scripts.shift() ?? echo)(connection));
  brokers.push(broker);
  return broker;
}

export function echo(connection: scripted.Connection): Promise<void> {
  return serve(connection, (sent) => {
    if (sent.type === type.publish)
      connection.send(scripted.publish(scripted.topicOf(sent), payloadOf(sent)));
  });
}

function payloadOf({ flags, body }: scripted.Packet): string {
  const at = 2 + body.readUInt16BE() + ((flags & 6) === 0 ? 0 : 2);
  return body.subarray(at + 1 + (body[at] ?? 0)).toString();
}

/** Bad User Name or Password. */
export async function refuse(connection: scripted.Connection): Promise<void> {
  await connection.expect(type.connect);
  connection.send(scripted.connack(0x86));
}

export function connect(url: string, options: IClientOptions = {}): MqttClient {
  const client = mqtt.connect(url, { worker: false, WebSocket, reconnectPeriod: 1, ...options });
  clients.push(client);
  return client;
}

/** Filters with their options, each in a SUBSCRIBE of its own. */
export function recordFilters(asked: string[]): scripted.Script {
  return (connection) =>
    serve(connection, (sent) => {
      if (sent.type === type.subscribe) asked.push(`${filtersOf(sent)} ${sent.body.at(-1)}`);
    });
}

type Event = Parameters<MqttClient['on']>[0];

export function next(client: MqttClient, event: Event): Promise<unknown[]> {
  return new Promise((resolve) => client.once(event, (...args) => resolve(args)));
}

/** The names of events, as they come. */
export function record(client: MqttClient): Event[] {
  const seen: Event[] = [];
  for (const event of ['connect', 'reconnect', 'close', 'offline', 'error', 'disconnect', 'end'] as const) {
    client.on(event, () => seen.push(event));
  }
  return seen;
}
