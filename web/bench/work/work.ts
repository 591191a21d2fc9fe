import type { Name } from '../contestants/names';
import type { Browser, Page } from '../harness/browser';
import type { Servers } from '../harness/servers';

export type Unit = 'msg/s' | 'ms' | '%' | 'MB' | 'B' | 'µs';

/** A line of the table. */
export interface Row {
  /** What `BENCH_ONLY` is matched with. */
  id: string;
  group: string;
  title: string;
  unit: Unit;
  better: 'more' | 'less';
}

/** One measurement, which fills one or more lines. */
export interface Work {
  rows: Row[];
  contestants: readonly Name[];
  /** A maximum, for slow measurements. */
  rounds?: number;
  /** Returns the values of `rows`, in order. */
  measure(place: Place, name: Name): Promise<number[]>;
}

export interface Place {
  servers: Servers;
  browser: Browser;
  /** Adds a note for readers of the figures. */
  note(text: string): void;
}

/** Uses a new tab, so that no contestant inherits state. */
export async function inPage<T>({ browser, servers }: Place, use: (page: Page) => Promise<T>): Promise<T> {
  const page = await browser.open(`${servers.url}/bench/`);
  try {
    return await use(page);
  } finally {
    await page.close();
  }
}

/** The flooder's address with a plan (flooder/plan.go). */
export function flooder({ servers }: Place, plan: Record<string, number | string> = {}): string {
  const query = new URLSearchParams(Object.entries(plan).map(([name, value]) => [name, String(value)]));
  return `${servers.url.replace('http', 'ws')}/flood?${query}`;
}

let lastId = 0;

/** Identifies a connection in the server's statistics. */
export const newId = (): string => `c${++lastId}`;

export const bytes = (size: number): string => (size < 1024 ? `${size} B` : `${size / 1024} KiB`);
