/** Summarises several runs as a table column and as an entry in the results. */

import { mkdirSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Memory, Sample } from './probe';

export interface Run extends Sample, Memory {
  received: number;
  dropped: number;
  /** Load average over the last minute; above the number of CPUs, wall-clock times mean little. */
  load: number;
  /** After connecting, and after all messages and topics have been cleared. */
  before?: Memory;
  cleared?: Memory;
}

function percentile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;
}

export const median = (values: readonly number[]): number => percentile(values, 0.5);

const MiB = 1024 * 1024;
const whole = ({ heap, buffers }: Memory): number => (heap + buffers) / MiB;

/** Table rows: medians of the runs, and the worst value where the title says so. */
function summarise(runs: readonly Run[]): Record<string, number> {
  const middle = (value: (run: Run) => number, digits = 0) => Number(median(runs.map(value)).toFixed(digits));
  const over = (limit: number) => middle(({ tasks }) => tasks.filter(({ wall }) => wall > limit).length);
  const longest = (by: 'wall' | 'cpu', all: readonly Run[]) =>
    Math.max(0, ...all.flatMap(({ tasks }) => tasks.map((task) => task[by])));
  const memory = (name: string, of: (run: Run) => Memory | undefined) => {
    const measured = runs.flatMap((run) => of(run) ?? []).map(whole);
    return measured.length > 0 && { [name]: Number(median(measured).toFixed(1)) };
  };
  return {
    received: middle(({ received }) => received),
    dropped: middle(({ dropped }) => dropped),
    'busy %': middle(({ busy }) => busy * 100),
    'tasks > 50 ms': over(50),
    'tasks > 100 ms': over(100),
    'longest ms': middle((run) => longest('wall', [run])),
    'worst ms': Math.round(longest('wall', runs)),
    'longest CPU ms': middle((run) => longest('cpu', [run])),
    'worst CPU ms': Math.round(longest('cpu', runs)),
    'key ms': middle(({ keys }) => median(keys)),
    'key p95 ms': middle(({ keys }) => percentile(keys, 0.95)),
    'key worst ms': Math.round(Math.max(0, ...runs.flatMap(({ keys }) => keys))),
    'heap MiB': middle(({ heap }) => heap / MiB),
    'buffers MiB': middle(({ buffers }) => buffers / MiB),
    ...memory('before MiB', ({ before }) => before),
    ...memory('cleared MiB', ({ cleared }) => cleared),
    load: middle(({ load }) => load, 1),
  };
}

/** Scenarios side by side, in Markdown. */
function tableOf(summaries: Record<string, Record<string, number>>): string {
  const columns = Object.entries(summaries);
  const names = Object.keys(columns[0]?.[1] ?? {});
  const row = (first: string, rest: readonly string[]) =>
    `| ${[first.padEnd(16), ...rest.map((text) => text.padStart(18))].join(' | ')} |`;
  const values = (name: string) => columns.map(([, summary]) => summary[name]?.toLocaleString('en') ?? '');
  return [
    row(
      '',
      columns.map(([scenario]) => scenario),
    ),
    row(
      '-'.repeat(16),
      columns.map(() => `${'-'.repeat(17)}:`),
    ),
    ...names.map((name) => row(name, values(name))),
  ].join('\n');
}

const pathOf = (file: string): string => fileURLToPath(new URL(`../results/${file}`, import.meta.url));

/** Prints a table and writes it to ../results, together with every run by scenario (not committed). */
export function report(name: string, about: object, runs: Record<string, readonly Run[]>): void {
  const summaries = Object.fromEntries(
    Object.entries(runs).map(([scenario, some]) => [scenario, summarise(some)]),
  );
  const table = tableOf(summaries);
  console.log(table);
  const whole = { date: new Date().toISOString().slice(0, 10), ...about, cpus: cpus().length };
  const words = Object.entries(whole).map(([key, value]) => `${key}: ${value}`);
  mkdirSync(dirname(pathOf(name)), { recursive: true });
  writeFileSync(pathOf(`${name}.md`), `${words.join(', ')}\n\n${table}\n`);
  writeFileSync(pathOf(`${name}.json`), `${JSON.stringify({ about: whole, runs }, null, 2)}\n`);
}
