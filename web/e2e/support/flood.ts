import { once } from 'node:events';
import { connect } from 'node:net';

export interface Plan {
  /** Prefix of all topics. */
  prefix: string;
  /** The number of topics, in a hundred branches; with 1 there is only the charted topic. */
  topics: number;
  /** Messages a second, and in total. */
  perSecond: number;
  messages: number;
  /** While this returns true the flood continues past `messages`. */
  goOn?(): boolean;
}

/** Milliseconds between two writes. */
const pace = 10;

export const chartedTopic = (prefix: string): string => `${prefix}/level`;

/** The n-th message of a plan; one in a hundred goes to the charted topic. */
function messageOf({ prefix, topics }: Plan, n: number): Buffer {
  const topic =
    topics === 1 || n % 100 === 0 ? chartedTopic(prefix) : `${prefix}/hall ${n % 100}/sensor ${n % topics}`;
  const payload = (20 + (n % 1000) / 100).toFixed(2);
  const rest = Buffer.byteLength(topic) + 3 + payload.length;
  // PUBLISH, QoS 0, no properties (3.3); shorter than 16,384 bytes
  const head = rest < 128 ? [0x30, rest] : [0x30, (rest & 0x7f) | 0x80, rest >> 7];
  return Buffer.concat([
    Buffer.from([...head, topic.length >> 8, topic.length & 0xff]),
    Buffer.from(`${topic}\0${payload}`),
  ]);
}

/**
 * Publishes at a steady rate by the clock, with many packets per write to save CPU time. Resolves with the
 * number of messages sent when all are written.
 */
export async function flood(port: number, plan: Plan): Promise<number> {
  const socket = connect(port, '127.0.0.1').setNoDelay();
  // CONNECT (3.1): MQTT, 5, Clean Start, no keep alive, no properties, empty client ID
  socket.write(Buffer.from([0x10, 13, 0, 4, ...Buffer.from('MQTT'), 5, 2, 0, 0, 0, 0, 0]));
  await once(socket, 'data');
  const begin = performance.now();
  const goOn = plan.goOn ?? (() => false);
  let sent = 0;
  while (sent < plan.messages || goOn()) {
    const most = goOn() ? Number.POSITIVE_INFINITY : Math.max(sent, plan.messages);
    const due = Math.min(most, Math.floor(((performance.now() - begin) / 1000) * plan.perSecond));
    const packets = Array.from({ length: due - sent }, (_, index) => messageOf(plan, sent + index));
    sent = due;
    if (!socket.write(Buffer.concat(packets))) await once(socket, 'drain');
    await new Promise((resolve) => setTimeout(resolve, pace));
  }
  socket.end();
  await once(socket, 'close');
  return sent;
}
