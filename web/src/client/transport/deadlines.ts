/**
 * Time limits on the page's own clock: a call settles even when the worker never answers. Calls
 * with the same limit expire in the order in which they began, so all of them share one timer, and
 * a flood of publishes needs no timer each.
 */

import { timeLimit } from '../../platform/deferred';
import { maxMilliseconds } from '../checks/rules';

interface Entry {
  due: number;
  expire(): void;
}

/** Calls with the same limit, in the order in which they began. */
interface Line {
  entries: Set<Entry>;
  /** Ends the timer, if there is one. */
  stop: (() => void) | undefined;
}

/** `grace`: milliseconds in which the worker, which knows more, can report first. */
export function createDeadlines(grace: number) {
  const lines = new Map<number, Line>();

  /** Calls `expire` unless the returned function is called before. 0 milliseconds: never. */
  function watch(timeout: number, expire: () => void): () => void {
    if (timeout <= 0) return () => {};
    const line = lines.get(timeout) ?? { entries: new Set(), stop: undefined };
    lines.set(timeout, line);
    const entry: Entry = { due: performance.now() + timeout + grace, expire };
    line.entries.add(entry);
    line.stop ??= wait(timeout + grace, line);
    return () => {
      line.entries.delete(entry);
      if (line.entries.size > 0) return;
      line.stop?.();
      lines.delete(timeout);
    };
  }

  function wait(time: number, line: Line): () => void {
    return timeLimit(Math.min(maxMilliseconds, time), () => look(line));
  }

  function look(line: Line): void {
    line.stop = undefined;
    const time = performance.now();
    const late: Entry[] = [];
    for (const entry of line.entries) {
      if (entry.due > time) {
        line.stop = wait(entry.due - time, line);
        break;
      }
      line.entries.delete(entry);
      late.push(entry);
    }
    // Last, since they may begin and settle other calls.
    for (const { expire } of late) expire();
  }

  return { watch };
}
