import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { expect, type Page, test } from '@playwright/test';
import { type Server, startServer } from './support/brokers';
import { openConnected } from './support/page';

let server: Server;
const axe = readFile(createRequire(import.meta.url).resolve('axe-core'), 'utf8');

test.beforeAll(async () => {
  server = await startServer(['-default-broker', 'mqtt']);
});
test.afterAll(() => server.stop());

declare global {
  interface Window {
    axe: { run(options: object): Promise<{ violations: { id: string; nodes: { html: string }[] }[] }> };
  }
}

/** WCAG 2.2 A and AA, as far as a program can judge it. */
async function violations(page: Page): Promise<string[]> {
  await page.evaluate(await axe); // the page's own policy lets no script in
  return page.evaluate(async () => {
    const values = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa'];
    const { violations } = await window.axe.run({ runOnly: { type: 'tag', values } });
    return violations.flatMap(({ id, nodes }) => nodes.map(({ html }) => `${id}: ${html}`));
  });
}

for (const colorScheme of ['light', 'dark'] as const) {
  for (const width of [1440, 390]) {
    test(`${colorScheme}, ${width} px: nothing that axe objects to`, async ({ page }) => {
      await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
      await page.setViewportSize({ width, height: 900 });
      const parts = await openConnected(page, server.url);
      expect(await violations(page)).toEqual([]);
      await parts.publish.click();
      await expect(parts.rows).toHaveCount(1);
      expect(await violations(page)).toEqual([]);
      await parts.rows.click();
      await expect(page.getByRole('region', { name: 'Message details' })).toBeVisible();
      expect(await violations(page)).toEqual([]);
      await page.getByRole('tab', { name: 'Topics' }).click();
      await expect(page.getByRole('tree')).toBeVisible();
      expect(await violations(page)).toEqual([]);
    });
  }
}
