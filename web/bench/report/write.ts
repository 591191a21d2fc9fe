import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { chart } from './chart';
import type { Results } from './results';
import { markdown } from './table';

export function write(results: Results, folder: string): void {
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'results.json'), `${JSON.stringify(results, null, 1)}\n`);
  writeFileSync(join(folder, 'table.md'), markdown(results));
  const drawn = chart(results);
  if (drawn) writeFileSync(join(folder, 'chart.svg'), drawn);
}
