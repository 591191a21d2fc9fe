import type { Name } from '../contestants/names';
import type { Row } from '../work/work';
import { median, spread } from './stats';

/** What a run has measured, as it is stored. */
export interface Results {
  date: string;
  machine: string;
  browser: string;
  rounds: number;
  lines: Line[];
  /** What a reader of the figures must know. */
  notes: string[];
}

export interface Line extends Row {
  /** A value of each round. */
  values: Partial<Record<Name, number[]>>;
}

export interface Middle {
  median: number;
  spread: number;
}

export function middleOf(line: Line | undefined, name: Name): Middle | undefined {
  const values = line?.values[name];
  if (!values || values.length === 0) return undefined;
  return { median: median(values), spread: spread(values) };
}

/** How many times the other's median one's is. */
export function ratio(line: Line | undefined, name: Name, other: Name): number | undefined {
  const [one, two] = [middleOf(line, name), middleOf(line, other)];
  return one && two && one.median / two.median;
}
