import { expect, it } from 'vitest';
import { type Drawer, drawers, isShown, type Screen, type View, views } from './view';

const shown = (chosen: View, screen: Screen, drawer?: Drawer) =>
  views.filter((name) => isShown(name, chosen, screen, drawer));

it('a narrow screen shows only the chosen view', () => {
  for (const view of views)
    for (const drawer of drawers) expect(shown(view, 'narrow', drawer)).toEqual([view]);
});

it.each<[chosen: View, middle: View]>([
  ['messages', 'messages'],
  ['topics', 'messages'],
  ['publish', 'messages'],
  ['scripts', 'scripts'],
  ['fleet', 'fleet'],
])('beside topics and form, %s shows %s in the middle', (chosen, middle) => {
  for (const screen of ['wide', 'medium'] as const)
    for (const drawer of [undefined, ...drawers])
      expect(shown(chosen, screen, drawer).toSorted()).toEqual(
        [middle, 'publish', 'topics', ...(drawer ? [drawer] : [])].toSorted(),
      );
});
