/** When a list is painted: soon, but under a flood only a few times a second, and not while nobody sees it. */

import { computed, effect, type ReadonlySignal } from '@preact/signals';
import { limits } from './limits';
import type { View } from './view';

export interface Dependencies {
  /** Runs `call` with the next frame. */
  frame(call: () => void): void;
  after(milliseconds: number, call: () => void): void;
  /** Milliseconds. */
  now(): number;
  shown: ReadonlySignal<boolean>;
}

/** Runs a call when it is time. Those who ask again before that ask for nothing more. */
export type Paint = (call: () => void) => void;

/**
 * Milliseconds. Two paints may follow each other at once, such as of what is sent and
 * of what comes back, and then one each period: never more than the limit in a second.
 */
const period = 1000 / (limits.paintsPerSecond - 1);

/** For one list. */
export function createPaint({ frame, after, now, shown }: Dependencies): Paint {
  /** When the paints so far would be over, if each took its period. */
  let over = Number.NEGATIVE_INFINITY;
  let asked: (() => void) | undefined;

  function wait(): void {
    const left = over - period - now();
    if (left > 0) after(left, () => frame(paint));
    else frame(paint);
  }

  function paint(): void {
    if (!shown.peek()) {
      rest();
      return;
    }
    const call = asked;
    asked = undefined;
    over = Math.max(over, now()) + period;
    call?.();
  }

  /** Until it is shown. */
  function rest(): void {
    let stop: (() => void) | undefined;
    const wake = () => {
      stop?.();
      wait();
    };
    stop = effect(() => {
      // Not before `stop` is there.
      if (shown.value) queueMicrotask(wake);
    });
  }

  return (call) => {
    const waiting = asked !== undefined;
    asked = call;
    if (waiting) return;
    if (shown.peek()) wait();
    else rest();
  };
}

/** For a list of the page's, while its view is the one that is shown. */
export function paintWhile(view: ReadonlySignal<View>, name: View): Paint {
  return createPaint({
    frame: (call) => requestAnimationFrame(call),
    after: (milliseconds, call) => setTimeout(call, milliseconds),
    now: () => performance.now(),
    shown: computed(() => view.value === name),
  });
}
