/** When a list is painted: soon, but in a flood only a few times a second, and not while it is hidden. */

import { computed, effect, type ReadonlySignal } from '@preact/signals';
import { limits } from './limits';
import { pageTiming, type Timing } from './timing';

export interface Dependencies extends Timing {
  shown: ReadonlySignal<boolean>;
}

/** Runs a call when it is time. Requests before that have no further effect. */
export interface Paint {
  (call: () => void): void;
  /** Runs nothing any more. */
  dispose(): void;
}

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
  let stopResting = () => {};

  function wait(): void {
    const left = over - period - now();
    if (left > 0) after(left, () => frame(paint));
    else frame(paint);
  }

  function paint(): void {
    if (!asked) return;
    if (!shown.peek()) {
      rest();
      return;
    }
    const call = asked;
    asked = undefined;
    over = Math.max(over, now()) + period;
    call();
  }

  /** Waits until it is shown. */
  function rest(): void {
    stopResting = effect(() => {
      if (!shown.value) return;
      stopResting();
      wait();
    });
  }

  function ask(call: () => void): void {
    const waiting = asked !== undefined;
    asked = call;
    if (waiting) return;
    if (shown.peek()) wait();
    else rest();
  }

  function dispose(): void {
    stopResting();
    asked = undefined;
  }

  return Object.assign(ask, { dispose });
}

/** For a list of the page's, while it is shown. */
export function paintWhile(shown: () => boolean): Paint {
  return createPaint({ ...pageTiming, shown: computed(shown) });
}
