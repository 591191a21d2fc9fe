/**
 * Delivers batches in portions, so that a long one, as after a pause, does not keep the page from
 * drawing and reacting. Meanwhile messages wait in the worker, within the bounds of its inbox,
 * which counts those that it drops.
 */

import type { Unread } from '../message';
import type { Message } from '../types';

/** Messages. */
const portion = 128;
/** Milliseconds of one task. */
const slice = 8;

export interface Dependencies {
  /** Returns a promise while a receiver is not done with them. `lost` were dropped before. */
  deliver(messages: Message[], lost: number): Promise<void> | undefined;
  /** Nothing more can be delivered. */
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

  /** Whether everything was delivered by then. */
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

  /** Delivers the rest of a batch, before something that must not overtake it. */
  function flush(): void {
    // Not from within a listener, which must return before it gets the next message.
    if (!underway || working) return;
    workUntil(Number.POSITIVE_INFINITY, underway);
    end(underway);
  }

  /** The next batch comes when the promise for this one has settled; undefined means that it is done. */
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
