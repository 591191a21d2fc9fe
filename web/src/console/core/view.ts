/** The layout of the page. */

export const views = ['messages', 'topics', 'publish', 'broker', 'packets', 'scripts', 'fleet'] as const;

export type View = (typeof views)[number];

/** What opens below the middle, where there is room for it, and stays beside any other view. */
export const drawers = ['packets', 'broker'] as const satisfies View[];

export type Drawer = (typeof drawers)[number];

export const isDrawer = (view: View): view is Drawer => drawers.some((name) => name === view);

/** `wide`: three panes; `medium`: two, the inspector lies over them; `narrow`: one at a time. */
export type Screen = 'wide' | 'medium' | 'narrow';

/** Pixels of CSS from which a screen is of the kind; styles/layout.css has them, too. */
const widths: readonly (readonly [Screen, number])[] = [
  ['wide', 1200],
  ['medium', 900],
];

/** Calls `told` now, and when the kind of screen changes. */
export function watchScreen(told: (screen: Screen) => void): void {
  const queries = widths.map(([screen, least]) => [screen, matchMedia(`(min-width: ${least}px)`)] as const);
  const tell = () => told(queries.find(([, query]) => query.matches)?.[0] ?? 'narrow');
  for (const [, query] of queries) query.addEventListener('change', tell);
  tell();
}

/** The view in the middle, when the topics and the publish form have panes of their own. */
export const middleOf = (view: View): View => (view === 'topics' || view === 'publish' ? 'messages' : view);

export function isShown(name: View, chosen: View, screen: Screen, drawer?: Drawer): boolean {
  if (screen === 'narrow') return name === chosen;
  if (isDrawer(name)) return name === drawer;
  return name === 'topics' || name === 'publish' || name === middleOf(chosen);
}
