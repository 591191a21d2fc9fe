import { quantity, times } from './format';
import { middleOf, type Results, ratio } from './results';

export interface Target {
  title: string;
  /** The id of the line that the target is about. */
  line: string;
  /** The contestant, or this client's other line, whose median is compared with. */
  against: 'bare' | 'mqttjs' | { line: string };
  atLeast?: number;
  atMost?: number;
}

export const targets: Target[] = [
  { title: 'receive 64 B, one in a frame', line: 'receive-qos0-64-1', against: 'bare', atLeast: 0.95 },
  { title: 'receive 64 B, 20 in a frame', line: 'receive-qos0-64-20', against: 'bare', atLeast: 0.8 },
  { title: 'receive 64 B, one in a frame', line: 'receive-qos0-64-1', against: 'mqttjs', atLeast: 1.2 },
  { title: 'receive 64 B, 20 in a frame', line: 'receive-qos0-64-20', against: 'mqttjs', atLeast: 4 },
  { title: 'receive 1 KiB, 20 in a frame', line: 'receive-qos0-1024-20', against: 'mqttjs', atLeast: 8 },
  { title: 'receive 1 KiB, 20 in a frame', line: 'receive-qos0-1024-20', against: 'bare', atLeast: 0.6 },
  { title: 'receive QoS 1, 64 B, 20 in a frame', line: 'receive-qos1-64-20', against: 'bare', atLeast: 0.8 },
  { title: 'receive 64 KiB, one in a frame', line: 'receive-qos0-65536-1', against: 'mqttjs', atLeast: 0.9 },
  { title: 'receive 64 KiB, 20 in a frame', line: 'receive-qos0-65536-20', against: 'mqttjs', atLeast: 0.9 },
  {
    title: 'receive 256 KiB, one in a frame',
    line: 'receive-qos0-262144-1',
    against: 'mqttjs',
    atLeast: 0.9,
  },
  {
    title: 'receive 256 KiB, 20 in a frame',
    line: 'receive-qos0-262144-20',
    against: 'mqttjs',
    atLeast: 0.9,
  },
  { title: 'publish 64 B, QoS 0', line: 'publish-qos0-64', against: 'mqttjs', atLeast: 2 },
  { title: 'publish 1 KiB, QoS 0', line: 'publish-qos0-1024', against: 'mqttjs', atLeast: 2 },
  { title: 'publish 64 B, QoS 1', line: 'publish-qos1-64', against: 'mqttjs', atLeast: 1.5 },
  { title: 'publish 64 B, QoS 1, to mosquitto', line: 'mosquitto-publish', against: 'mqttjs', atLeast: 1.5 },
  {
    title: 'publish 64 B, QoS 1, to mosquitto, Receive Maximum 1,000',
    line: 'wide-publish',
    against: 'mqttjs',
    atLeast: 1.5,
  },
  { title: 'round trip at 100/s, 99 %', line: 'latency-100-p99', against: 'mqttjs', atMost: 0.5 },
  { title: 'round trip at 5,000/s, 99 %', line: 'latency-5000-p99', against: 'mqttjs', atMost: 1 },
  { title: 'main thread busy, one in a frame', line: 'busy-1', against: 'mqttjs', atMost: 0.25 },
  { title: 'main thread busy, 20 in a frame', line: 'busy-20', against: 'mqttjs', atMost: 0.25 },
  { title: 'main thread busy, 20 in a frame', line: 'busy-20', against: 'bare', atMost: 1.1 },
  {
    title: 'page open to first own message, nothing cached',
    line: 'start-first-cold',
    against: 'mqttjs',
    atMost: 1,
  },
  {
    title: 'page open to first own message, cached',
    line: 'start-first-warm',
    against: 'mqttjs',
    atMost: 1,
  },
  {
    title: 'memory after 1,000,000',
    line: 'memory-1m',
    against: { line: 'memory-100k' },
    atMost: 1.1,
  },
  {
    title: 'each message, the last 100,000 of a million',
    line: 'growth-received-1m',
    against: { line: 'growth-received-100k' },
    atMost: 1.1,
  },
  {
    title: 'each message, 100,000 topics and 1,001 subscriptions',
    line: 'growth-topics-100000-subscriptions-1001',
    against: { line: 'growth-topics-1-subscriptions-1' },
    atMost: 1.1,
  },
];

export interface Verdict {
  title: string;
  measured: string;
  met: 'met' | 'NOT met' | 'not measured';
}

export function judge(results: Results, all = targets): Verdict[] {
  return all.map((target) => {
    const { atLeast = 0, atMost = Number.POSITIVE_INFINITY } = target;
    const bound = target.atLeast !== undefined ? `at least ${times(atLeast)}` : `at most ${times(atMost)}`;
    const title = `${target.title}: ${bound} ${againstWhat(results, target)}`;
    const value = measure(results, target);
    if (value === undefined) return { title, measured: '', met: 'not measured' };
    return { title, measured: times(value), met: value >= atLeast && value <= atMost ? 'met' : 'NOT met' };
  });
}

function measure({ lines }: Results, { line, against }: Target): number | undefined {
  const own = lines.find(({ id }) => id === line);
  if (typeof against === 'string') return ratio(own, 'mqttwasm', against);
  const [one, other] = [middleOf(own, 'mqttwasm'), middleOf(otherLine(lines, against), 'mqttwasm')];
  return one && other && one.median / other.median;
}

const otherLine = (lines: Results['lines'], { line }: { line: string }) =>
  lines.find(({ id }) => id === line);

function againstWhat({ lines }: Results, { against }: Target): string {
  if (against === 'bare') return 'the bare WebSocket';
  if (against === 'mqttjs') return 'MQTT.js';
  const line = otherLine(lines, against);
  const middle = middleOf(line, 'mqttwasm');
  return line && middle ? `${line.title} (${quantity(middle.median, line.unit)})` : against.line;
}
