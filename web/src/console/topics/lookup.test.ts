import { expect, it } from 'vitest';
import type { Message } from '../../client';
import { createLookup } from './lookup';
import { createModel, topicOf } from './model';

const modelOf = (...topics: string[]) => {
  const model = createModel();
  model.push(
    topics.map((topic) => ({ topic, payload: new Uint8Array(1), properties: {} }) as Message),
    0,
  );
  return model;
};

it('returns the best topics, and counts all matches', () => {
  const lookup = createLookup(modelOf('x/kitchen', 'kitchen/a', 'cellar', 'xkit', 'a/kit'), 'kit', 2);
  expect(lookup.advance(() => 0, 1)).toBe(true);
  expect(lookup.nearest.map(topicOf)).toEqual(['kitchen/a', 'x/kitchen']);
  expect(lookup.found).toBe(4);
});

it('searches within its time limit, and continues', () => {
  const names = Array.from({ length: 1000 }, (_, n) => `a/${n}`);
  const lookup = createLookup(modelOf(...names, 'b/last'), 'last', 5);
  let clock = 0;
  const now = () => clock++;
  expect(lookup.advance(now, 1)).toBe(false);
  expect(lookup.nearest).toEqual([]);
  let turns = 1;
  while (!lookup.advance(now, clock)) turns++;
  expect(turns).toBeGreaterThan(1);
  expect(lookup.nearest.map(topicOf)).toEqual(['b/last']);
});
