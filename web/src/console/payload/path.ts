/** Paths to values inside a payload: their steps, and how they are written. */

import { limits } from '../core/limits';
import { tooDeep } from './error';
import type { Scalar, Sink } from './sink';

/**
 * The steps of a path such as `$.pump.litres`, `readings[0]` or `["a b"].c`; none for an empty one.
 * Undefined if it is not a path.
 */
export function parsePath(path: string): string[] | undefined {
  const steps: string[] = [];
  const rest = path.trim().replace(/^\$(?=$|[.[])/, '');
  const step = /\.?([^.[\]"\s][^.[\]"]*)|\[(\d+)\]|\[("(?:[^"\\]|\\.)*")\]/y;
  while (step.lastIndex < rest.length) {
    const found = step.exec(rest);
    if (!found) return undefined;
    if (found[3] !== undefined) {
      try {
        steps.push(String(JSON.parse(found[3])));
      } catch {
        return undefined;
      }
    } else steps.push((found[1] ?? found[2] ?? '').trim());
  }
  return steps;
}

export function formatPath(steps: readonly string[]): string {
  return steps
    .map((step, index) => {
      if (/^\d+$/.test(step)) return `[${step}]`;
      if (!/^[^.[\]"\s$][^.[\]"\s]*$/.test(step)) return `[${JSON.stringify(step)}]`;
      return index === 0 ? step : `.${step}`;
    })
    .join('');
}

/** The place of a value in the one that directly contains it. */
export interface Place {
  /** As written, quotes included. */
  key?: string | undefined;
  /** Values before it. */
  index: number;
  /** Instead of key and index; null if no path leads to it. */
  step?: string | null | undefined;
}

export function stepTo({ key, index, step }: Place): string | null {
  if (step !== undefined) return step;
  if (key === undefined) return String(index);
  if (!key.startsWith('"')) return key;
  return key.includes('\\') ? String(JSON.parse(key)) : key.slice(1, -1);
}

/** Calls `leaf` with each value and the path to it, in an array that is reused. */
export function createWalk(leaf: (steps: readonly string[], kind: Scalar, text: string) => void): Sink {
  const steps: string[] = [];
  /** Of what is open: values so far, and steps to it. */
  const open: { count: number; steps: number }[] = [];

  function enter(key: string | undefined, step: string | null | undefined): void {
    const inside = open.at(-1);
    if (!inside) return;
    steps.length = inside.steps;
    const next = stepTo({ key, step, index: inside.count++ });
    if (next !== null) steps.push(next);
  }

  return {
    full: false,
    open(_bracket, key, _note, step) {
      if (open.length === limits.depth) throw tooDeep();
      enter(key, step);
      open.push({ count: 0, steps: steps.length });
    },
    leaf(kind, text, key, _note, step) {
      enter(key, step);
      leaf(steps, kind, text);
    },
    close() {
      open.pop();
    },
  };
}
