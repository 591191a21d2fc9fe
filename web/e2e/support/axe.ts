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

/** Rules about colour, the only ones whose result the second scheme can change. */
const byColour = ['color-contrast', 'link-in-text-block'];

interface What {
  /** Limits the check to one element. */
  within?: string;
  /** With dark, only the rules about colour run: the rest is checked in light. */
  scheme?: 'light' | 'dark';
  /** Adds axe's best practices to WCAG. */
  recommended?: boolean;
}

/** Violations of WCAG 2.2 A and AA that axe can detect. */
export async function violationsOf(page: Page, what: What = {}): Promise<string[]> {
  // Evaluated, because the page's content security policy blocks injected scripts.
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
