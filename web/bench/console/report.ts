/** Several runs as one line of a table, and as one record of the results. */

import { mkdirSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Memory, Sample } from './probe';

export interface Run extends Sample, Memory {
  received: number;
  dropped: number;
  /** Of the machine, in the minute before the end: over its processors, clock times say little. */
  load: number;
  /** Of a page that has connected, and once all messages and topics are cleared. */
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

/** Columns of a table: medians of the runs, and the worst of all where it says so. */
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

/** Scenarios side by side, in plain text. */
function tableOf(summaries: Record<string, Record<string, number>>): string {
  const columns = Object.entries(summaries);
  const names = Object.keys(columns[0]?.[1] ?? {});
  const lines = [
    ['', ...columns.map(([scenario]) => scenario)],
    ...names.map((name) => [
      name,
      ...columns.map(([, summary]) => summary[name]?.toLocaleString('en') ?? ''),
    ]),
  ];
  return lines
    .map(([name = '', ...values]) => name.padEnd(16) + values.map((value) => value.padStart(20)).join(''))
    .join('\n');
}

/** Prints a table, and writes it with all runs, by their scenarios, into ../results. */
export function report(file: string, about: object, runs: Record<string, readonly Run[]>): void {
  const table = Object.fromEntries(Object.entries(runs).map(([name, some]) => [name, summarise(some)]));
  console.log(tableOf(table));
  const path = fileURLToPath(new URL(`../results/${file}`, import.meta.url));
  mkdirSync(dirname(path), { recursive: true });
  const whole = { about: { ...about, cpus: cpus().length }, table, runs };
  writeFileSync(path, `${JSON.stringify(whole, null, 2)}\n`);
}
