import type { Open } from '../contestants/contestant';
import { percentile } from '../report/stats';

export interface Latency {
  p50: number;
  p99: number;
  p999: number;
  /** Messages not back ten seconds after the last publish. */
  missing: number;
}

export interface LatencyOptions {
  url: string;
  rate: number;
  milliseconds: number;
}

/** Publishes at `rate` messages a second and measures each round trip in milliseconds. */
export async function latency(open: Open, { url, rate, milliseconds }: LatencyOptions): Promise<Latency> {
  const decoder = new TextDecoder();
  const total = Math.round((rate * milliseconds) / 1000);
  const warmUp = Math.round(total / 5);
  const begins = new Float64Array(total + warmUp);
  const times: number[] = [];
  let back = 0;
  let allBack = (): void => {};
  const session = await open(
    { url, payloads: true },
    {
      message(_, payload) {
        const now = performance.now();
        const number = Number(decoder.decode(payload).slice(0, 8));
        if (number >= warmUp) times.push(now - (begins[number] as number));
        back++;
        if (back === total + warmUp) allBack();
      },
      frame: () => {},
    },
  );
  const topic = `bench/echo/${Math.random().toString(36).slice(2)}`;
  await session.subscribe(topic, 0);
  const done = new Promise<void>((resolve) => {
    allBack = resolve;
  });

  const begin = performance.now();
  let sent = 0;
  await new Promise<void>((resolve) => {
    // As often as the browser allows; each tick sends all messages that are due.
    const timer = setInterval(() => {
      const due = Math.min(total + warmUp, ((performance.now() - begin) / 1000) * rate);
      while (sent < due) {
        begins[sent] = performance.now();
        session.publish(topic, String(sent).padStart(8, '0').padEnd(64, '.'), 0, () => {});
        sent++;
      }
      if (sent < total + warmUp) return;
      clearInterval(timer);
      resolve();
    }, 4);
  });
  await Promise.race([done, new Promise((resolve) => setTimeout(resolve, 10_000))]);
  const missing = total - times.length;
  await session.close();
  times.sort((a, b) => a - b);
  return { p50: percentile(times, 50), p99: percentile(times, 99), p999: percentile(times, 99.9), missing };
}
