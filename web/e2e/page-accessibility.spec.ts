import { expect, test } from '@playwright/test';
import { violationsOf } from './support/axe';
import { type Server, startServer } from './support/brokers';
import { openConnected } from './support/page';

let server: Server;

test.beforeAll(async () => {
  server = await startServer(['-default-broker', 'mqtt']);
});
test.afterAll(() => server.stop());

for (const colorScheme of ['light', 'dark'] as const) {
  for (const width of [1440, 390]) {
    test(`${colorScheme}, ${width} px: nothing that axe objects to`, async ({ page }) => {
      await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
      await page.setViewportSize({ width, height: 900 });
      const parts = await openConnected(page, server.url);
      expect(await violationsOf(page)).toEqual([]);
      await parts.publish.click();
      await expect(parts.rows).toHaveCount(1);
      expect(await violationsOf(page)).toEqual([]);
      await parts.rows.click();
      await expect(page.getByRole('region', { name: 'Message details' })).toBeVisible();
      expect(await violationsOf(page)).toEqual([]);
      await page.getByRole('tab', { name: 'Topics' }).click();
      await expect(page.getByRole('tree')).toBeVisible();
      expect(await violationsOf(page)).toEqual([]);
    });
  }
}
