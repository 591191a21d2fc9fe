import { once } from 'node:events';
import { connect } from 'node:net';

export interface Plan {
  /** Topics are below this one. */
  prefix: string;
  /** How many, a hundred branches with as many each; 1: only the one that is on the chart. */
  topics: number;
  /** Messages a second, and altogether. */
  perSecond: number;
  messages: number;
  /** While this is true the flood goes on, beyond its messages. */
  goOn?(): boolean;
}

/** Milliseconds between two writes. */
const pace = 10;

export const chartedTopic = (prefix: string): string => `${prefix}/level`;

/** The n-th message of a plan: one in a hundred is for the chart. */
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
 * Publishes at an even pace, by the clock, with many packets to a write: a flood
 * that takes little of the machine. Resolves, when all is written, to how many it sent.
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
