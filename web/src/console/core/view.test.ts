import { expect, it } from 'vitest';
import { isShown, type Screen, type View, views } from './view';

const shown = (chosen: View, screen: Screen) => views.filter((name) => isShown(name, chosen, screen));

it('a narrow screen shows the view that is chosen, and no other', () => {
  for (const view of views) expect(shown(view, 'narrow')).toEqual([view]);
});

it.each<[chosen: View, middle: View]>([
  ['messages', 'messages'],
  ['topics', 'messages'],
  ['publish', 'messages'],
  ['broker', 'broker'],
  ['packets', 'packets'],
])('beside topics and form, %s brings %s to the middle', (chosen, middle) => {
  for (const screen of ['wide', 'medium'] as const)
    expect(shown(chosen, screen).toSorted()).toEqual([middle, 'publish', 'topics'].toSorted());
});
