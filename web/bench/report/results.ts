import type { Name } from '../contestants/names';
import type { Row } from '../work/work';
import { median, spread } from './stats';

/** The stored results of a run. */
export interface Results {
  date: string;
  machine: string;
  browser: string;
  rounds: number;
  lines: Line[];
  /** What readers of the figures must know. */
  notes: string[];
}

export interface Line extends Row {
  /** One value per round. */
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

/** The ratio of two contestants' medians. */
export function ratio(line: Line | undefined, name: Name, other: Name): number | undefined {
  const [one, two] = [middleOf(line, name), middleOf(line, other)];
  return one && two && one.median / two.median;
}
