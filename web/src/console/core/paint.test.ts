import { signal } from '@preact/signals';
import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import { limits } from './limits';
import { createPaint } from './paint';

/** A clock that the test advances, with a frame every 10 ms. */
function made() {
  const state = { now: 0, painted: [] as number[] };
  const shown = signal(true);
  let due: { at: number; call: () => void }[] = [];
  const later = (at: number, call: () => void) => due.push({ at, call });
  const paint = createPaint({
    frame: (call) => later(Math.floor(state.now / 10) * 10 + 10, call),
    after: (milliseconds, call) => later(state.now + milliseconds, call),
    now: () => state.now,
    shown,
  });
  async function go(to: number) {
    for (; state.now < to; state.now++) {
      await Promise.resolve();
      const ready = due.filter(({ at }) => at <= state.now);
      due = due.filter(({ at }) => at > state.now);
      for (const { call } of ready) call();
    }
  }
  return {
    state,
    shown,
    go,
    ask: () => paint(() => state.painted.push(state.now)),
    waiting: () => due.length,
  };
}

it('occasional changes are painted with the next frame', async () => {
  const { state, go, ask } = made();
  ask();
  await go(500);
  ask();
  await go(1000);
  expect(state.painted).toEqual([10, 510]);
});

it('changes in quick succession are painted at once, but only for a while', async () => {
  const { state, go, ask } = made();
  for (const at of [5, 15, 25, 35]) {
    ask();
    await go(at);
  }
  await go(1000);
  expect(state.painted).toEqual([10, 20, 350]);
});

it('a flood is painted at most four times a second, and its end, too', async () => {
  const { state, go, ask } = made();
  for (let at = 1; at <= 2000; at++) {
    ask();
    await go(at);
  }
  expect(state.painted.length).toBeLessThanOrEqual(2 * limits.paintsPerSecond);
  expect(state.painted.length).toBeGreaterThanOrEqual(2 * limits.paintsPerSecond - 2);
  const before = state.painted.length;
  ask();
  await go(2500);
  expect(state.painted.length).toBeGreaterThan(before);
});

it('while hidden nothing is painted, and once when shown again', async () => {
  const { state, shown, go, ask, waiting } = made();
  shown.value = false;
  for (let at = 1; at <= 1000; at++) {
    ask();
    await go(at);
  }
  expect([state.painted, waiting()]).toEqual([[], 0]);
  shown.value = true;
  await go(1100);
  expect(state.painted).toHaveLength(1);
});

it('nothing is painted if hidden between request and frame', async () => {
  const { state, shown, go, ask } = made();
  ask();
  shown.value = false;
  await go(500);
  expect(state.painted).toEqual([]);
  shown.value = true;
  await go(600);
  expect(state.painted).toHaveLength(1);
});

it('however requested, hidden and shown: paints stay within the limit, and none is lost', async () => {
  const step = fc.tuple(fc.constantFrom('ask', 'hide', 'show'), fc.nat(400));
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 20 }), async (steps) => {
      const { state, shown, go, ask } = made();
      let asked = Number.NEGATIVE_INFINITY;
      for (const [what, wait] of steps) {
        if (what === 'ask') {
          ask();
          asked = state.now;
        } else shown.value = what === 'show';
        await go(state.now + wait);
      }
      shown.value = true;
      await go(state.now + 1000);
      for (const [index, at] of state.painted.entries()) {
        const fifth = state.painted[index + limits.paintsPerSecond] ?? Number.POSITIVE_INFINITY;
        expect(fifth - at).toBeGreaterThanOrEqual(1000);
      }
      expect(state.painted.at(-1) ?? Number.NEGATIVE_INFINITY).toBeGreaterThanOrEqual(asked);
    }),
    { numRuns: 50 },
  );
});
