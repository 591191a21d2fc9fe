import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { Message } from '../../client';
import { createSelecting } from '../panels/feed/filter-mark';
import { createHues, farthestHue } from './colours';
import { entryFor } from './entry';

const degrees = fc.integer({ min: 0, max: 359 });
const apart = (one: number, other: number) => Math.min(Math.abs(one - other), 360 - Math.abs(one - other));

it('the next hue is as far as possible from those in use', () => {
  fc.assert(
    fc.property(fc.array(degrees, { minLength: 1, maxLength: 50 }), (used) => {
      const distance = (hue: number) => Math.min(...used.map((other) => apart(hue, other)));
      const next = farthestHue(used);
      expect(Number.isInteger(next) && next >= 0 && next < 360).toBe(true);
      expect(distance(next)).toBe(Math.max(...Array.from({ length: 360 }, (_, hue) => distance(hue))));
    }),
  );
});

it('successive hues are at least half an even share apart', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 60 }), (count) => {
      const used: number[] = [];
      for (let n = 0; n < count; n++) used.push(farthestHue(used));
      for (const [n, hue] of used.entries()) {
        for (const other of used.slice(0, n)) expect(apart(hue, other)).toBeGreaterThan(360 / count / 2 - 1);
      }
    }),
  );
});

it('a name has the same hue on every visit', () => {
  const [one, another] = [createHues(), createHues()];
  for (const name of ['a/#', '温度/+', '__proto__', '']) {
    const hue = one(name);
    expect(one(name)).toBe(hue);
    expect(createHues()(name)).toBe(hue);
    expect(hue).toBeLessThan(360);
  }
  expect(another('a/#')).toBe(one('a/#'));
});

it('no two names share a hue before all ten are taken', () => {
  const hueOf = createHues();
  const given = Array.from({ length: 10 }, (_, index) => hueOf(`sensors/${index}`));
  expect(new Set(given).size).toBe(10);
  expect(given).toContain(hueOf('one more'));
});

it('finds a message’s matching subscriptions', () => {
  const source = (filter: string, since = 0, until = Number.POSITIVE_INFINITY) => {
    return { filter, name: '', hue: 0, since, until };
  };
  const selecting = createSelecting(
    new Map([
      [1, ['a/+', '$share/group/a/#', 'b'].map((filter) => source(filter))],
      [2, [source('#'), source('a/#', 0, 100), source('a/1', 101)]],
    ]),
  );
  const filtersOf = (entry: Parameters<typeof selecting>[0]) => selecting(entry).map(({ filter }) => filter);
  const entry = (id: number, sent = false, receivedAt = 100) =>
    entryFor({ topic: 'a/1', receivedAt } as Message, 0, { id, name: '' }, sent);
  const first = entry(1);
  expect(filtersOf(first)).toEqual(['a/+', '$share/group/a/#']);
  expect(selecting(first)).toBe(selecting(first));
  // Neither by ended subscriptions, nor by later ones.
  expect(filtersOf(entry(2))).toEqual(['#']);
  expect(filtersOf(entry(2, false, 99))).toEqual(['#', 'a/#']);
  expect(filtersOf(entry(2, false, 101))).toEqual(['#', 'a/1']);
  expect(filtersOf(entry(3))).toEqual([]);
  expect(filtersOf(entry(1, true))).toEqual([]);
});
