/** When the page has time. */

/** Whole seconds over which rates are taken. */
export const rateSeconds = 3;

export interface Timing {
  /** Runs `call` before the next frame is drawn: not while the page is hidden. */
  frame(call: () => void): void;
  after(milliseconds: number, call: () => void): void;
  /** Milliseconds. */
  now(): number;
}

export const pageTiming: Timing = {
  frame: (call) => void requestAnimationFrame(call),
  after: (milliseconds, call) => void setTimeout(call, milliseconds),
  now: () => performance.now(),
};
