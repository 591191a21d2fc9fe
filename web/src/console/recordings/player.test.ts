import { expect, it } from 'vitest';
import type { Entry } from '../log/entry';
import { play } from './player';
import { entry } from './testing';

/** A clock that the test advances. */
function createClock() {
  let now = 1000;
  let timers: { at: number; call: () => void }[] = [];
  const settle = async () => {
    for (let turns = 0; turns < 30; turns++) await Promise.resolve();
  };
  return {
    now: () => now,
    after(milliseconds: number, call: () => void) {
      expect(milliseconds).toBeLessThanOrEqual(2 ** 31 - 1);
      const timer = { at: now + milliseconds, call };
      timers.push(timer);
      return () => {
        timers = timers.filter((other) => other !== timer);
      };
    },
    settle,
    async pass(milliseconds: number) {
      await settle();
      const end = now + milliseconds;
      for (;;) {
        const [next] = timers.filter(({ at }) => at <= end).sort((a, b) => a.at - b.at);
        if (!next) break;
        now = Math.max(now, next.at);
        timers = timers.filter((other) => other !== next);
        next.call();
        await settle();
      }
      now = end;
    },
    waiting: () => timers.length,
  };
}

async function* parts(...times: number[][]): AsyncGenerator<Entry[]> {
  for (const chunk of times) yield chunk.map((time) => entry(`${time}`, { receivedAt: time }));
}

function setUp(times: number[][], speed: number) {
  const clock = createClock();
  const given: string[][] = [];
  const give = (entries: Entry[]) => void given.push(entries.map(({ message }) => message.text()));
  return { clock, given, player: play(parts(...times), { speed, clock, give }) };
}

it('keeps the intervals between messages', async () => {
  const { clock, given, player } = setUp([[5000, 5000, 5100], [5300]], 1);
  await clock.settle();
  expect(given).toEqual([['5000', '5000']]);
  await clock.pass(99);
  expect(given).toHaveLength(1);
  await clock.pass(1);
  expect(given).toEqual([['5000', '5000'], ['5100']]);
  await clock.pass(199);
  expect(player.playing.value).toMatchObject({ phase: 'playing', done: 3 });
  await clock.pass(1);
  expect(player.playing.value).toMatchObject({ phase: 'ended', done: 4 });
  await player.over;
});

it('plays ten times as fast', async () => {
  const { clock, player } = setUp([[0, 1000]], 10);
  await clock.pass(99);
  expect(player.playing.value.done).toBe(1);
  await clock.pass(1);
  expect(player.playing.value.phase).toBe('ended');
});

it('delivers everything at once, one chunk at a time', async () => {
  const { clock, given, player } = setUp([[0, 1e15], [5]], Number.POSITIVE_INFINITY);
  await player.over;
  expect(given).toEqual([['0', '1000000000000000'], ['5']]);
  expect(clock.waiting()).toBe(0);
});

it('handles times that go back, and a century of silence', async () => {
  const { clock, given, player } = setUp([[1000, 500, 1000 + 3e12]], 1);
  await clock.pass(2 ** 31);
  expect(given).toEqual([['1000', '500']]);
  expect(clock.waiting()).toBe(1);
  player.stop();
  await player.over;
  expect(clock.waiting()).toBe(0);
  expect(player.playing.value).toMatchObject({ phase: 'stopped', done: 2 });
});

it('stands still while paused', async () => {
  const { clock, player } = setUp([[0, 100]], 1);
  await clock.pass(60);
  player.pause(true);
  await clock.pass(1000);
  expect(player.playing.value).toMatchObject({ phase: 'paused', done: 1 });
  player.pause(false);
  await clock.pass(39);
  expect(player.playing.value.done).toBe(1);
  await clock.pass(1);
  expect(player.playing.value).toMatchObject({ phase: 'ended', done: 2 });
  player.pause(true);
  player.stop();
  expect(player.playing.value.phase).toBe('ended');
});

it('can be paused and stopped even when it does not wait', async () => {
  const clock = createClock();
  const given: number[] = [];
  const player = play(parts([1], [2], [3]), {
    speed: Number.POSITIVE_INFINITY,
    clock,
    give(entries) {
      given.push(entries.length);
      if (given.length === 1) player.pause(true);
    },
  });
  await clock.settle();
  expect(given).toHaveLength(1);
  player.stop();
  await player.over;
  expect(given).toHaveLength(1);
});

it('reports why it could not continue', async () => {
  const clock = createClock();
  const give = () => {
    throw new Error('no way');
  };
  const player = play(parts([1]), { speed: 1, clock, give });
  await player.over;
  expect(player.playing.value).toEqual({ phase: 'failed', done: 0, problem: 'no way' });
});
