/** The results of a fleet, as a file. */

import type { Run, Sample } from './fleet';

const columns = [
  'at',
  'connected',
  'sent',
  'received',
  'p50',
  'p99',
  'lost',
] as const satisfies (keyof Sample)[];

const units: Partial<Record<(typeof columns)[number], string>> = {
  sent: 'sent_per_s',
  received: 'received_per_s',
  p50: 'p50_ms',
  p99: 'p99_ms',
};
export function csvOf({ samples }: Run): string {
  const lines = samples.map((sample) =>
    columns.map((name) => (name === 'at' ? new Date(sample.at).toISOString() : sample[name])).join(),
  );
  return `${[columns.map((name) => units[name] ?? name).join(), ...lines].join('\r\n')}\r\n`;
}

/** Everything, but without the credentials in the broker's address. */
export function jsonOf({ begun, ...run }: Run): string {
  return `${JSON.stringify({ begun: new Date(begun).toISOString(), ...run }, undefined, 2)}\n`;
}
