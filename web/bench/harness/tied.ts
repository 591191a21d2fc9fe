import type { Running } from '../../e2e/support/process';

/** Kills the child process when this one exits, also on an interrupt (run.mjs). */
export function tied<R extends Running>(running: R): R {
  process.once('exit', () => running.process.kill());
  return running;
}
