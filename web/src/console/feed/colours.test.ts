import { expect, it } from 'vitest';
import { colourCount, createColours } from './colours';
import { createSelecting } from './mark';

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
  const selecting = createSelecting(['a/+', '$share/group/a/#', 'b']);
  const message = { topic: 'a/1' } as never;
  expect(selecting(message)).toEqual(['a/+', '$share/group/a/#']);
  expect(selecting(message)).toBe(selecting(message));
});
