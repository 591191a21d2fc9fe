/**
 * Time limits on the page's own clock: a call settles even when the worker never answers. Calls
 * with the same limit expire in the order in which they began, so all of them share one timer, and
 * a flood of publishes needs no timer each.
 */

import { maxMilliseconds } from '../checks/rules';

interface Entry {
  due: number;
  /** Absent once the call is settled. */
  expire: (() => void) | undefined;
}

interface Line {
  /** In order; the settled ones are taken off the front. */
  entries: Entry[];
  head: number;
  timer: ReturnType<typeof setTimeout> | undefined;
}

/** `grace`: milliseconds in which the worker, which knows more, can report first. */
export function createDeadlines(grace: number, now = () => performance.now()) {
  const lines = new Map<number, Line>();

  /** Calls `expire` unless the returned function is called before. 0 milliseconds: never. */
  function watch(timeout: number, expire: () => void): () => void {
    if (timeout <= 0) return () => {};
    let line = lines.get(timeout);
    if (!line) {
      line = { entries: [], head: 0, timer: undefined };
      lines.set(timeout, line);
    }
    const entry: Entry = { due: now() + timeout + grace, expire };
    line.entries.push(entry);
    arm(timeout, line);
    return () => {
      entry.expire = undefined;
      tidy(timeout, line);
    };
  }

  function arm(timeout: number, line: Line): void {
    if (line.timer !== undefined) return;
    const first = line.entries[line.head] as Entry;
    line.timer = setTimeout(() => look(timeout, line), Math.min(maxMilliseconds, first.due - now()));
  }

  function look(timeout: number, line: Line): void {
    line.timer = undefined;
    const late: (() => void)[] = [];
    for (const time = now(); line.head < line.entries.length; line.head++) {
      const entry = line.entries[line.head] as Entry;
      if (!entry.expire) continue;
      if (entry.due > time) break;
      late.push(entry.expire);
      entry.expire = undefined;
    }
    tidy(timeout, line);
    if (line.head < line.entries.length) arm(timeout, line);
    // Last, since they may begin and settle other calls.
    for (const expire of late) expire();
  }

  function tidy(timeout: number, line: Line): void {
    const { entries } = line;
    while (line.head < entries.length && !entries[line.head]?.expire) line.head++;
    if (line.head === entries.length) {
      clearTimeout(line.timer);
      line.timer = undefined;
      if (lines.get(timeout) === line) lines.delete(timeout);
    } else if (line.head * 2 >= entries.length) {
      entries.splice(0, line.head);
      line.head = 0;
    }
  }

  return { watch };
}
