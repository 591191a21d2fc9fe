export interface Clock {
  /** Milliseconds, never going back. */
  now(): number;
  /** Calls back once; the returned function cancels that. */
  after(milliseconds: number, call: () => void): () => void;
}

/**
 * Beats at once, then every `period` milliseconds, without drifting: each beat is due at a multiple
 * of the period. Beats that a sleeping machine missed are skipped. The returned function stops it.
 */
export function every(clock: Clock, period: number, beat: () => void): () => void {
  /** When the last beat was due; a timer may fire before. */
  let due = clock.now();
  let stopped = false;
  let cancel = () => {};

  function plan(): void {
    const now = clock.now();
    due += period * Math.max(1, Math.floor((now - due) / period) + 1);
    cancel = clock.after(due - now, tick);
  }
  function tick(): void {
    if (stopped) return;
    beat();
    // The beat itself may have stopped it.
    if (!stopped) plan();
  }

  tick();
  return () => {
    stopped = true;
    cancel();
  };
}
