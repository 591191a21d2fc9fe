import { readFileSync } from 'node:fs';
import type { Cdp } from './cdp';

/** Private memory in megabytes of the browser's largest page process, workers included. Linux only. */
export async function memory(cdp: Cdp): Promise<number> {
  const { processInfo } = await cdp.send<{ processInfo: { type: string; id: number }[] }>(
    'SystemInfo.getProcessInfo',
  );
  const pages = processInfo.filter(({ type }) => type === 'renderer');
  return Math.max(...pages.map(({ id }) => privateMegabytes(id)));
}

function privateMegabytes(process: number): number {
  const text = readFileSync(`/proc/${process}/smaps_rollup`, 'utf8');
  const kilobytes = [...text.matchAll(/^Private_\w+:\s+(\d+) kB$/gm)].map(([, number]) => Number(number));
  return kilobytes.reduce((sum, number) => sum + number, 0) / 1024;
}
