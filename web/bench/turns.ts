import type { Name } from './contestants/names';
import { quantity } from './report/format';
import type { Line } from './report/results';
import type { Place, Work } from './work/work';

/** What one contestant did in one round, for progress output. */
export interface Turn {
  round: number;
  name: Name;
  text: string;
  failed: boolean;
}

/**
 * Runs all rounds of a measurement. The contestants take turns (A B C A B C), so that other load on the
 * machine affects all of them. A contestant that fails has no value for that round.
 */
export async function takeTurns(
  place: Place,
  work: Work,
  rounds: number,
  told: (turn: Turn) => void,
): Promise<Line[]> {
  const lines = work.rows.map((row): Line => ({ ...row, values: {} }));
  for (let round = 1; round <= Math.min(rounds, work.rounds ?? rounds); round++) {
    for (const name of work.contestants) {
      try {
        told({ round, name, text: record(lines, name, await work.measure(place, name)), failed: false });
      } catch (error) {
        told({ round, name, text: error instanceof Error ? error.message : String(error), failed: true });
      }
    }
  }
  return lines;
}

function record(lines: Line[], name: Name, values: number[]): string {
  const texts = lines.map((line, index) => {
    const value = values[index] as number;
    line.values[name] = [...(line.values[name] ?? []), value];
    return quantity(value, line.unit);
  });
  return texts.join(', ');
}
