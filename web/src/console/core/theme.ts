/** Light or dark: the system's choice, or the one made for this page. */

import { computed, effect, signal } from '@preact/signals';
import { keep, readKept } from './storage';

export const themes = ['system', 'light', 'dark'] as const;
export type Theme = (typeof themes)[number];

/** `public/theme.js` reads it too, before the first paint. */
const key = 'mqttwasm.theme';

function createTheme() {
  const kept = readKept(key);
  const chosen = signal<Theme>(themes.find((theme) => theme === kept) ?? 'system');
  const system = matchMedia('(prefers-color-scheme: dark)');
  const systemDark = signal(system.matches);
  system.addEventListener('change', () => {
    systemDark.value = system.matches;
  });

  /** What is on the screen. */
  const scheme = computed(() =>
    chosen.value === 'system' ? (systemDark.value ? 'dark' : 'light') : chosen.value,
  );

  effect(() => {
    const theme = chosen.value;
    if (theme === 'system') delete document.documentElement.dataset.theme;
    else document.documentElement.dataset.theme = theme;
    // The browser takes the first whose condition holds.
    for (const colour of document.querySelectorAll<HTMLMetaElement>('meta[name="theme-color"]')) {
      const { scheme: own } = colour.dataset;
      if (theme === 'system') colour.media = `(prefers-color-scheme: ${own})`;
      else colour.media = own === theme ? 'all' : 'not all';
    }
  });

  function choose(theme: Theme): void {
    chosen.value = theme;
    // If it can't be kept, the choice lasts as long as the page.
    keep(key, theme);
  }

  return { chosen, scheme, choose };
}

/** There is one page, and one scheme for all of it. */
export const theme = createTheme();
