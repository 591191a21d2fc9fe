/**
 * Hands out batches in portions, so that a long one, such as comes after a
 * pause, does not keep the page from drawing and from its user. What waits
 * meanwhile waits in the worker, within the bounds of its inbox, and what has no
 * room there is counted.
 */

import type { Unread } from '../message';
import type { Message } from '../types';

/** Messages. */
const portion = 128;
/** Milliseconds of one task. */
const slice = 8;

export interface Dependencies {
  /** Returns a promise while somebody is not done with them. `lost` were dropped before. */
  deliver(messages: Message[], lost: number): Promise<void> | undefined;
  /** What comes after is lost. */
  failed(error: unknown): void;
  nextTask(task: () => void): void;
  /** Milliseconds. */
  now(): number;
}

interface Underway {
  unread: Unread;
  lost: number;
  busy: Promise<void>[];
  finish(all: Promise<unknown>): void;
}

export function createDeliveryScheduler({ deliver, failed, nextTask, now }: Dependencies) {
  let underway: Underway | undefined;
  /** While listeners are called. */
  let working = false;

  /** Whether all was handed out by then. */
  function workUntil(time: number, work: Underway): boolean {
    working = true;
    try {
      do {
        const messages = work.unread.take(portion);
        const { lost } = work;
        work.lost = 0;
        const busy = deliver(messages, lost);
        if (busy) work.busy.push(busy);
      } while (work.unread.left() && now() < time);
    } catch (error) {
      failed(error);
      return true;
    } finally {
      working = false;
    }
    return !work.unread.left();
  }

  function goOn(work: Underway): void {
    // It may have been flushed.
    if (underway !== work) return;
    if (workUntil(now() + slice, work)) end(work);
    else nextTask(() => goOn(work));
  }

  function end(work: Underway): void {
    underway = undefined;
    work.finish(Promise.all(work.busy));
  }

  /** Hands out what is left of a batch: before whatever must not overtake it. */
  function flush(): void {
    // A listener that makes something happen is called for one message, and gets the next after it.
    if (!underway || working) return;
    workUntil(Number.POSITIVE_INFINITY, underway);
    end(underway);
  }

  /** The next batch comes when the promise for this one has settled; without one it is done with. */
  function push(unread: Unread, lost: number): Promise<void> | undefined {
    flush();
    let finish: Underway['finish'] = () => {};
    const done = new Promise<unknown>((resolve) => {
      finish = resolve;
    });
    const work = { unread, lost, busy: [], finish };
    underway = work;
    goOn(work);
    if (!underway && work.busy.length === 0) return;
    return done.then(() => {});
  }

  return { push, flush };
}
