/** Brokers with documented deviations from MQTT 5. */

import { connectOf } from './fields';
import {
  answerTo,
  type Connection,
  connack,
  disconnect,
  filtersOf,
  type Packet,
  packet,
  properties,
  publish,
  topicOf,
  type as types,
} from './scripted';

/** Property Maximum QoS (3.2.2.3.4): 1. */
const atMostQoS1 = Buffer.from([0x24, 1]);
/** Property Subscription Identifiers Available (3.2.2.3.12): no. */
const noIdentifiers = Buffer.from([0x29, 0]);

const qosOf = ({ flags }: Packet): number => (flags >> 1) & 3;

/** The requested QoS of each filter in a SUBSCRIBE. */
function asked({ body }: Packet): number[] {
  const all: number[] = [];
  for (let at = 3 + (body[2] ?? 0); at < body.length; at++) {
    at += 2 + body.readUInt16BE(at);
    all.push((body[at] as number) & 3);
  }
  return all;
}

/** A SUBACK that grants at most QoS 1. */
const suback = (subscribe: Packet): Buffer =>
  packet(
    types.suback,
    0,
    subscribe.body.subarray(0, 2),
    properties(),
    Buffer.from(asked(subscribe).map((qos) => Math.min(qos, 1))),
  );

/** Sends each QoS 0 and 1 message back to its publisher, at QoS 0. */
function echo(connection: Connection, { flags, body }: Packet): void {
  const topic = topicOf({ type: types.publish, flags, body });
  const at = 2 + Buffer.byteLength(topic) + (((flags >> 1) & 3) > 0 ? 2 : 0);
  connection.send(publish(topic, body.subarray(at + 1 + (body[at] ?? 0)).toString()));
}

/**
 * AWS IoT Core closes the connection without a reason on QoS 2, a ninth filter in a SUBSCRIBE, a Subscription
 * Identifier, `$SYS`, and payloads over 128 KB. It does not answer a SUBSCRIBE with QoS 2. `seen` gets each
 * packet first.
 */
export async function serveAwsIot(connection: Connection, seen: (packet: Packet) => void = () => {}) {
  await connection.expect(types.connect);
  connection.send(connack(0, atMostQoS1, noIdentifiers));
  for (;;) {
    const received = await connection.next();
    seen(received);
    if (isTooMuchForAws(received)) return connection.close();
    if (received.type === types.subscribe && asked(received).includes(2)) continue;
    const answer = received.type === types.subscribe ? suback(received) : answerTo(received);
    if (answer) connection.send(answer);
    if (received.type === types.publish) echo(connection, received);
  }
}

function isTooMuchForAws(received: Packet): boolean {
  if (received.type === types.publish) return qosOf(received) > 1 || received.body.length > 131_072 + 1024;
  if (received.type !== types.subscribe) return false;
  const filters = filtersOf(received);
  // This client sends no other property in SUBSCRIBE.
  const hasIdentifier = (received.body[2] ?? 0) > 0;
  return hasIdentifier || filters.length > 8 || filters.some((filter) => filter.startsWith('$SYS'));
}

/** RabbitMQ announces Maximum QoS 1, grants 1 if 2 is requested, and disconnects on a QoS 2 message. */
export async function serveRabbit(connection: Connection) {
  await connection.expect(types.connect);
  connection.send(connack(0, atMostQoS1));
  for (;;) {
    const received = await connection.next();
    if (received.type === types.publish && qosOf(received) > 1) {
      connection.send(disconnect(0x9b)); // QoS not supported
      return connection.close();
    }
    const answer = received.type === types.subscribe ? suback(received) : answerTo(received);
    if (answer) connection.send(answer);
    if (received.type === types.publish) echo(connection, received);
  }
}

/** An MQTT 3.1.1 broker: CONNACK with return code 1, then close (MQTT 3.1.1, 3.1.2.2). */
export async function serveMqtt3(connection: Connection) {
  await connection.expect(types.connect);
  connection.send(Buffer.from([0x20, 2, 0, 1]));
  connection.close();
}

/** An MQTT 3.1.1 broker that closes the connection without a CONNACK. */
export const endOnMqtt5 = (how: 'close' | 'hangUp') => async (connection: Connection) => {
  connectOf(await connection.expect(types.connect));
  connection[how]();
};
