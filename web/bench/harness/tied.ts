import type { Running } from '../../e2e/support/process';

/** Ends a program with this one, also when that is interrupted (run.mjs). */
export function tied<R extends Running>(running: R): R {
  process.once('exit', () => running.process.kill());
  return running;
}
