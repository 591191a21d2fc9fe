/** Round-trip times to the broker, measured while they are visible. */

import { signal } from '@preact/signals';
import type { Client } from '../../client';

/** Milliseconds between two measurements, and how long an answer may take. */
export const pace = 5000;

/** Five minutes of them. */
const most = 60;

/** Milliseconds; undefined where no answer came. */
export type RoundTrips = readonly (number | undefined)[];

export type Latency = ReturnType<typeof createLatency>;

export function createLatency() {
  /** Of the last few minutes, oldest first. */
  const list = signal<RoundTrips>([]);
  let measured: Client | undefined;

  /** Settles in any case. */
  async function measure(client: Client): Promise<void> {
    const took = await client.ping({ timeout: pace }).catch(() => undefined);
    // If the connection was lost meanwhile, its events say so.
    if (!client.connected || client !== measured) return;
    list.value = [...list.value, took].slice(-most);
  }

  /** Measures now and then, while the page is in view. Another client begins anew. */
  function follow(client: Client): () => void {
    if (measured !== client) list.value = [];
    measured = client;
    const look = (): void => {
      if (document.visibilityState === 'visible') void measure(client);
    };
    look();
    const timer = setInterval(look, pace);
    document.addEventListener('visibilitychange', look);
    return () => {
      clearInterval(timer);
      document.removeEventListener('visibilitychange', look);
    };
  }

  return { list, follow };
}

export function formatRoundTrip(milliseconds: number): string {
  if (milliseconds < 1) return '< 1 ms';
  if (milliseconds < 1000) return `${Math.round(milliseconds)} ms`;
  return `${(milliseconds / 1000).toFixed(1)} s`;
}

/** Undefined where nothing was answered. */
export function spreadOf(list: RoundTrips) {
  const sorted = list.filter((took) => took !== undefined).sort((a, b) => a - b);
  const [least] = sorted;
  const most = sorted.at(-1);
  if (least === undefined || most === undefined) return undefined;
  const middle = sorted.length >> 1;
  const upper = sorted[middle] as number;
  const median = sorted.length % 2 ? upper : (upper + (sorted[middle - 1] as number)) / 2;
  return { least, median, most };
}
