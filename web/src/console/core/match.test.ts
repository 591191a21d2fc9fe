import { expect, it } from 'vitest';
import { distance, enter, type Match } from './match';

function nearest(typed: string, texts: string[], most = 10): string[] {
  const found: Match<string>[] = [];
  for (const item of texts) {
    const far = distance(item, typed, true);
    if (far !== undefined) enter(found, { item, distance: far }, most);
  }
  return found.map(({ item }) => item);
}

it('is 0 for a prefix, ignoring case', () => {
  expect(distance('Show topics', 'shOW')).toBe(0);
  expect(distance('anything', '')).toBe(0);
});

it.each([
  ['top', ['unstoppable', 'Show topics', 'topics'], ['topics', 'Show topics', 'unstoppable']],
  [
    'kit temp',
    ['sensors/kitchen/temperature', 'temp/kitchen', 'kitchen'],
    ['temp/kitchen', 'sensors/kitchen/temperature'],
  ],
  ['shtp', ['Show topics', 'Pause'], ['Show topics']],
  ['cl', ['a cl', 'b cl'], ['a cl', 'b cl']],
])('%s: best matches first', (typed, texts, found) => {
  expect(nearest(typed, texts)).toEqual(found);
});

it('matches scattered letters only if requested', () => {
  expect(distance('Show topics', 'shtp')).toBeUndefined();
  expect(distance('Show topics', 'pots', true)).toBeUndefined();
});

it('returns at most the requested number, best first', () => {
  expect(nearest('a', ['xa', 'x a', 'ya', 'a'], 2)).toEqual(['a', 'x a']);
});
