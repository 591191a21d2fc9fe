import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import type { Page } from '@playwright/test';

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

declare global {
  interface Window {
    axe: typeof import('axe-core');
  }
}

const wcag = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa'];

/** What goes by colour: all that a second scheme can change of a page looked at in the first. */
const byColour = ['color-contrast', 'link-in-text-block'];

interface What {
  /** The page, unless it is one element of it. */
  within?: string;
  /** In dark, for a page looked at in light as well: what goes by colour. */
  scheme?: 'light' | 'dark';
  /** With what axe recommends beside WCAG. */
  recommended?: boolean;
}

/** What of WCAG 2.2 A and AA a program can find missing. */
export async function violationsOf(page: Page, what: What = {}): Promise<string[]> {
  // The page's own policy lets no script in.
  if (!(await page.evaluate(() => 'axe' in window))) await page.evaluate(axe);
  const tags = what.recommended ? [...wcag, 'best-practice'] : wcag;
  return page.evaluate(
    async ([within, runOnly]) => {
      const { violations } = await window.axe.run(within, { runOnly, resultTypes: ['violations'] });
      return violations.flatMap(({ id, nodes }) => nodes.map(({ html }) => `${id}: ${html}`));
    },
    [
      what.within ?? 'html',
      what.scheme === 'dark'
        ? { type: 'rule' as const, values: byColour }
        : { type: 'tag' as const, values: tags },
    ] as const,
  );
}
