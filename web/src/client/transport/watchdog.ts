/**
 * Finds out whether a worker still runs: a browser can end one without an event, and a loop may
 * never end.
 */

import { type Deferred, deferred } from '../../platform/deferred';

/** Milliseconds between two looks. */
const period = 500;
/** Looks in silence after which a worker is gone. Its script may load slowly before its first word. */
const looks = 10;
const firstLooks = 60;
/** Milliseconds after which a worker with clients is doubted anyway: they may only listen. */
const round = 20_000;

/**
 * `ask` makes a worker that runs send something. `gone` is called when it does not.
 *
 * Looks are counted, not time: a page that is frozen, asleep or busy does not look, and its worker
 * may be frozen with it, and then has the other looks to answer.
 */
export function createWatchdog(ask: () => void, gone: () => void, hasClients: () => boolean) {
  let left = firstLooks;
  let doubts: Deferred<void> | undefined;
  let timer: ReturnType<typeof setInterval> | undefined;
  const rounds = setInterval(() => hasClients() && doubt(), round);

  /** Call it when the worker should have answered. */
  function doubt(): void {
    if (doubts) return;
    doubts = deferred();
    let missed = 0;
    timer = setInterval(() => {
      missed++;
      if (missed === left) gone();
    }, period);
    ask();
  }

  /** Ends all doubt. */
  function trust(): void {
    clearInterval(timer);
    doubts?.resolve();
    doubts = undefined;
  }

  return {
    doubt,
    /** The worker has sent something. */
    heard(): void {
      left = looks;
      if (doubts) trust(); // of each message, and most come without a doubt
    },
    /** Resolves when it is known whether the worker runs. Undefined if there is no doubt. */
    doubted: () => doubts?.promise,
    /** The worker is no longer needed. */
    end(): void {
      clearInterval(rounds);
      trust();
    },
  };
}
