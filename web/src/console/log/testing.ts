/** For tests: time that passes when it is told to. */

import { signal } from '@preact/signals';
import type { Timing } from '../core/timing';

export function fakeTiming() {
  const frames: (() => void)[] = [];
  const timers: { at: number; call: () => void }[] = [];
  let now = 0;
  const timing: Timing = {
    frame: (call) => frames.push(call),
    after: (milliseconds, call) => timers.push({ at: now + milliseconds, call }),
    // Each look at the clock is a millisecond later.
    now: () => now++,
  };

  function frame(): void {
    for (const call of frames.splice(0)) call();
  }

  /** Draws what is asked for, before and after. */
  function pass(milliseconds: number): void {
    frame();
    now += milliseconds;
    const due = timers.filter(({ at }) => at <= now);
    for (const timer of due) timers.splice(timers.indexOf(timer), 1);
    for (const { call } of due) call();
    frame();
  }

  /** Until nothing is left to do but to measure. */
  async function settle(): Promise<void> {
    do {
      pass(250);
      await new Promise((resolve) => setTimeout(resolve));
    } while (frames.length > 0 || timers.some(({ at }) => at < now + 250));
  }

  return { timing, shown: signal(true), frames, timers, frame, pass, settle };
}
