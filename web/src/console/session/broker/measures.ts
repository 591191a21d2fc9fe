/** The known values that brokers publish under $SYS. */

import { mark } from '../../core/i18n/i18n';

export interface Measure {
  label: string;
  /** How its value is read; of a counter the rate is shown, in its unit per second. */
  kind: 'text' | 'duration' | 'count' | 'bytes' | 'rate' | 'byte rate';
  /** Below `$SYS/broker/` or `$SYS/brokers/NODE/`; the first that exists. */
  paths: readonly string[];
}

/** Of mosquitto, mochi and EMQX, in this order if they differ. */
export const measures: readonly Measure[] = [
  { label: mark('Version'), kind: 'text', paths: ['version'] },
  { label: mark('Uptime'), kind: 'duration', paths: ['uptime'] },
  {
    label: mark('Clients connected'),
    kind: 'count',
    paths: ['clients/connected', 'stats/live_connections/count', 'stats/connections/count'],
  },
  { label: mark('Clients in all'), kind: 'count', paths: ['clients/total', 'stats/sessions/count'] },
  { label: mark('Messages in'), kind: 'rate', paths: ['messages/received', 'metrics/messages/received'] },
  { label: mark('Messages out'), kind: 'rate', paths: ['messages/sent', 'metrics/messages/sent'] },
  {
    label: mark('Bytes in'),
    kind: 'byte rate',
    paths: ['bytes/received', 'load/bytes/received', 'metrics/bytes/received'],
  },
  {
    label: mark('Bytes out'),
    kind: 'byte rate',
    paths: ['bytes/sent', 'load/bytes/sent', 'metrics/bytes/sent'],
  },
  {
    label: mark('Subscriptions'),
    kind: 'count',
    paths: ['subscriptions/count', 'subscriptions', 'stats/subscriptions/count'],
  },
  {
    label: mark('Retained messages'),
    kind: 'count',
    paths: ['retained messages/count', 'retained', 'stats/retained/count'],
  },
  { label: mark('Heap'), kind: 'bytes', paths: ['heap/current', 'system/memory'] },
];

/** The node and the path of a topic; undefined if the topic is not of a known form. */
export function placeOf(topic: string): { node: string; path: string } | undefined {
  const one = '$SYS/broker/';
  if (topic.startsWith(one)) return { node: '', path: topic.slice(one.length) };
  const many = /^\$SYS\/brokers\/([^/]+)\/(.+)$/.exec(topic);
  return many ? { node: many[1] as string, path: many[2] as string } : undefined;
}

const units: Record<string, number> = { day: 86_400, hour: 3600, minute: 60, second: 1 };

/**
 * Seconds: mosquitto says `123 seconds`, mochi `123`, EMQX 5 milliseconds and before that `1 hours,
 * 2 minutes, 3 seconds`. Undefined if it is none of these.
 */
export function secondsOf(text: string, node: string): number | undefined {
  if (/^\d+$/.test(text)) return Number(text) / (node === '' ? 1 : 1000);
  let seconds: number | undefined;
  for (const [, count, unit] of text.matchAll(/(\d+) (day|hour|minute|second)s?/g)) {
    seconds = (seconds ?? 0) + Number(count) * (units[unit as string] as number);
  }
  return seconds;
}

export function numberOf(text: string): number | undefined {
  return /^\d+(\.\d+)?$/.test(text) ? Number(text) : undefined;
}
