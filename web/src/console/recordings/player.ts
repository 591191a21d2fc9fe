/** Plays a recording's messages: with their original timing, faster, or at once. */

import { computed, signal } from '@preact/signals';
import { createTold } from '../core/i18n/i18n';
import type { Clock } from '../core/repeat';
import { wordsOf } from '../core/text';
import type { Entry } from '../log/entry';

/** A factor; `Infinity` plays without waiting. */
export type Speed = number;

export interface Playing {
  phase: 'playing' | 'paused' | 'stopped' | 'ended' | 'failed';
  /** Messages given out. */
  done: number;
  problem: string;
}

export interface Options {
  speed: Speed;
  clock: Clock;
  /**
   * Receives messages, all due now. The next ones wait until it has settled. If it throws, playing
   * ends.
   */
  give(entries: Entry[]): Promise<void> | void;
}

/** The longest delay of timers; a recording's silence may be longer. */
const longestWait = 2 ** 31 - 1;

export type Player = ReturnType<typeof play>;

/** Begins at once. The first message is due now, and each other one as long after it as originally. */
export function play(parts: AsyncIterable<Entry[]>, { speed, clock, give }: Options) {
  const state = signal<Pick<Playing, 'phase' | 'done'>>({ phase: 'playing', done: 0 });
  const problem = createTold();
  const playing = computed((): Playing => ({ ...state.value, problem: problem.value }));
  /** The recording's time, at the clock's `since`. It stands still while paused. */
  let position = 0;
  let since = clock.now();
  let wake = () => {};

  const change = (changes: Partial<typeof state.value>) => {
    state.value = { ...state.value, ...changes };
  };
  const phase = () => state.value.phase;
  const at = () => {
    if (speed === Number.POSITIVE_INFINITY) return speed;
    return position + (phase() === 'playing' ? (clock.now() - since) * speed : 0);
  };

  /** Waits until a moment of the recording's time, or until playing ends. */
  async function until(moment: number): Promise<void> {
    for (;;) {
      if (phase() === 'stopped' || (phase() === 'playing' && moment <= at())) return;
      const wait = Math.min((moment - at()) / speed, longestWait);
      await new Promise<void>((resolve) => {
        const cancel = phase() === 'playing' ? clock.after(wait, resolve) : () => {};
        wake = () => {
          cancel();
          resolve();
        };
      });
    }
  }

  async function run(): Promise<void> {
    let begin: number | undefined;
    for await (const entries of parts) {
      let from = 0;
      while (from < entries.length) {
        begin ??= entries[from]?.message.receivedAt ?? 0;
        const first = begin;
        const due = (index: number) => (entries[index]?.message.receivedAt ?? 0) - first;
        await until(due(from));
        if (phase() === 'stopped') return;
        let to = from + 1;
        const now = at();
        while (to < entries.length && due(to) <= now) to++;
        await give(entries.slice(from, to));
        change({ done: state.value.done + to - from });
        from = to;
      }
    }
    if (phase() !== 'stopped') change({ phase: 'ended' });
  }

  const over = run().catch((error: unknown) => {
    if (phase() === 'stopped') return;
    problem.value = () => wordsOf(error);
    change({ phase: 'failed' });
  });

  return {
    playing,
    /** Resolves when it has ended, in any way. */
    over,
    pause(on: boolean): void {
      if (phase() !== (on ? 'playing' : 'paused')) return;
      position = at();
      since = clock.now();
      change({ phase: on ? 'paused' : 'playing' });
      wake();
    },
    /** Messages already passed to `give` are still handled. */
    stop(): void {
      if (phase() === 'playing' || phase() === 'paused') change({ phase: 'stopped' });
      wake();
    },
  };
}
