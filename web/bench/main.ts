import { cpus, release, totalmem, type } from 'node:os';
import { fileURLToPath } from 'node:url';
import { startBrowser } from './harness/browser';
import { startServers } from './harness/servers';
import type { Results } from './report/results';
import { markdown } from './report/table';
import { write } from './report/write';
import { takeTurns } from './turns';
import { works } from './work';
import type { Place } from './work/work';

const fullRounds = 5;

/**
 * Runs the benchmark and prints the table. Only a full run is written to results/, which the README includes;
 * a partial one goes to web/test-results/bench/.
 */
export async function main(): Promise<void> {
  const rounds = Number(process.env.BENCH_ROUNDS ?? fullRounds);
  if (!Number.isInteger(rounds) || rounds < 1) throw new Error('BENCH_ROUNDS is not a number of rounds');
  const only = process.env.BENCH_ONLY;
  const chosen = works.filter(({ rows }) => !only || rows.some(({ id }) => new RegExp(only).test(id)));
  if (chosen.length === 0) throw new Error(`BENCH_ONLY=${only} matches nothing; there are: ${ids()}`);

  const servers = await startServers();
  const browser = await startBrowser();
  const results: Results = {
    date: new Date().toISOString().slice(0, 10),
    machine: machine(),
    browser: browser.version,
    rounds,
    lines: [],
    notes: [],
  };
  const failures: string[] = [];
  const notes = new Set<string>();
  const place: Place = { servers, browser, note: (text) => notes.add(text) };
  try {
    for (const [index, work] of chosen.entries()) {
      const id = work.rows[0]?.id;
      console.error(`${index + 1}/${chosen.length} ${id}`);
      const lines = await takeTurns(place, work, rounds, ({ round, name, text, failed }) => {
        console.error(`  ${round} ${name.padEnd(14)} ${text}`);
        if (failed) failures.push(`${id}, ${name}: ${text}`);
      });
      results.lines.push(...lines);
      results.notes = [...notes];
      write(results, folder('../test-results/bench')); // partial results, in case the run is stopped
    }
  } finally {
    await browser.stop();
    await servers.stop();
  }
  if (!only && rounds >= fullRounds) write(results, folder('results'));
  console.log(markdown(results));
  if (failures.length > 0) throw new Error(`not everything could be measured:\n${failures.join('\n')}`);
}

const folder = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

const ids = (): string => works.flatMap(({ rows }) => rows.map(({ id }) => id)).join(' ');

function machine(): string {
  const [first] = cpus();
  const memory = Math.round(totalmem() / 2 ** 30);
  return `${cpus().length} × ${first?.model.trim()}, ${memory} GiB, ${type()} ${release()}`;
}
