import { expect, it } from 'vitest';
import type { Message } from '../../client';
import { createSelecting } from '../panels/feed/filter-mark';
import { colourCount, createColours } from './colours';
import { entryFor } from './entry';

it('a filter has its colour for good, on every visit', () => {
  const [one, another] = [createColours(), createColours()];
  for (const filter of ['a/#', '温度/+', '__proto__', '']) {
    const colour = one(filter);
    expect(one(filter)).toBe(colour);
    expect(createColours()(filter)).toBe(colour);
    expect(colour).toBeLessThan(colourCount);
  }
  expect(another('a/#')).toBe(one('a/#'));
});

it('no two filters share one before all are taken', () => {
  const colourOf = createColours();
  const given = Array.from({ length: colourCount }, (_, index) => colourOf(`sensors/${index}`));
  expect(new Set(given).size).toBe(colourCount);
  expect(colourOf('one more')).toBeLessThan(colourCount);
});

it('tells the subscriptions by which a message came', () => {
  const selecting = createSelecting(
    new Map([
      [1, ['a/+', '$share/group/a/#', 'b']],
      [2, ['#']],
    ]),
  );
  const entry = (id: number, sent = false) =>
    entryFor({ topic: 'a/1' } as Message, 0, { id, name: '' }, sent);
  const first = entry(1);
  expect(selecting(first)).toEqual(['a/+', '$share/group/a/#']);
  expect(selecting(first)).toBe(selecting(first));
  expect(selecting(entry(2))).toEqual(['#']);
  expect(selecting(entry(3))).toEqual([]);
  expect(selecting(entry(1, true))).toEqual([]);
});
