import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { Row, Work } from './work';

const module = fileURLToPath(new URL('../../..', import.meta.url));

/** The benchmarks in bench_test.go of two packages in wasm/mqtt/internal, by the names that Go prints. */
const benchmarks = {
  Inbox: { title: 'inbox', lengths: [1000, 10_000, 100_000] },
  Queue: { title: 'queue to send', lengths: [1000, 10_000, 100_000] },
};

const rows = Object.entries(benchmarks).flatMap(([name, { title, lengths }]) =>
  lengths.map(
    (length): Row => ({
      id: `growth-${name.toLowerCase()}-${length}`,
      group: 'Growth: each message, the core alone, native',
      title: `${title}, up to ${length.toLocaleString('en')} waiting`,
      unit: 'µs',
      better: 'less',
    }),
  ),
);

/** Cost of a message, by the number of messages queued before it. */
export const core: Work = {
  rows,
  contestants: ['mqttwasm'],
  async measure() {
    const flags = ['test', '-run', '^$', '-bench', 'Growth(Inbox|Queue)$', '-benchtime', '0.2s'];
    const { stdout } = await promisify(execFile)(
      'go',
      [...flags, './wasm/mqtt/internal/inbox', './wasm/mqtt/internal/session'],
      {
        cwd: module,
      },
    );
    return nanoseconds(stdout).map((value) => value / 1000);
  },
};

/** One number per benchmark, in the order printed. */
export function nanoseconds(output: string): number[] {
  return [...output.matchAll(/^Benchmark\S+\s+\d+\s+([\d.]+) ns\/op/gm)].map(([, number]) => Number(number));
}
