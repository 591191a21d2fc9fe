import { expect, it } from 'vitest';
import { type Clock, every } from './repeat';

/** A manually advanced clock. */
function handClock() {
  let now = 500;
  let waiting: { at: number; call: () => void }[] = [];
  const clock: Clock = {
    now: () => now,
    after(milliseconds, call) {
      const entry = { at: now + milliseconds, call };
      waiting.push(entry);
      return () => {
        waiting = waiting.filter((other) => other !== entry);
      };
    },
  };
  /** Each callback runs `late` milliseconds late, as on a busy page. */
  function advance(milliseconds: number, late = 0) {
    const end = now + milliseconds;
    for (;;) {
      const next = waiting.filter((entry) => entry.at <= end).sort((a, b) => a.at - b.at)[0];
      if (!next) break;
      waiting = waiting.filter((entry) => entry !== next);
      now = Math.max(now, next.at) + late;
      next.call();
    }
    now = Math.max(now, end);
  }
  return { clock, advance, waiting: () => waiting.length };
}

function beats(period: number) {
  const hand = handClock();
  const times: number[] = [];
  const stop = every(hand.clock, period, () => times.push(hand.clock.now() - 500));
  return { ...hand, times, stop };
}

it('fires at once and then every period', () => {
  const { times, advance } = beats(1000);
  expect(times).toEqual([0]);
  advance(3500);
  expect(times).toEqual([0, 1000, 2000, 3000]);
});

it('does not drift when every callback is late', () => {
  const { times, advance } = beats(1000);
  advance(4000, 30);
  expect(times).toEqual([0, 1030, 2030, 3030, 4030]);
});

it('fires once if a timer is early', () => {
  const { times, advance } = beats(1000);
  advance(3500, -0.5);
  expect(times).toEqual([0, 999.5, 1999.5, 2999.5]);
});

it('skips what was due during a sleep', () => {
  const { times, advance } = beats(1000);
  advance(1000, 5400);
  advance(1000);
  expect(times).toEqual([0, 6400, 7000]);
});

it('stops, and leaves no timer behind', () => {
  const { times, advance, stop, waiting } = beats(1000);
  advance(1000);
  stop();
  expect(waiting()).toBe(0);
  advance(5000);
  expect(times).toEqual([0, 1000]);
});

it('can be stopped by its own callback', () => {
  const { clock, waiting, advance } = handClock();
  let count = 0;
  const stop = every(clock, 10, () => {
    if (++count === 3) stop();
  });
  advance(100);
  expect([count, waiting()]).toEqual([3, 0]);
});
