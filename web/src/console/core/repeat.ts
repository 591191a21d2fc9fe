export interface Clock {
  /** Milliseconds, never going back. */
  now(): number;
  /** Calls back once; the returned function takes that back. */
  after(milliseconds: number, call: () => void): () => void;
}

/**
 * Beats at once, then every `period` milliseconds, without drifting: each beat
 * is due at a multiple of the period. Beats that a sleeping machine missed are
 * left out, not made up for. The returned function stops it.
 */
export function every(clock: Clock, period: number, beat: () => void): () => void {
  const begin = clock.now();
  let stopped = false;
  let cancel = () => {};

  function plan(): void {
    const late = (clock.now() - begin) % period;
    cancel = clock.after(period - late, tick);
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
