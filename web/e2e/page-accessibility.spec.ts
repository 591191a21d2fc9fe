import { expect, test } from '@playwright/test';
import { violationsOf } from './support/axe';
import { type Server, startServer } from './support/brokers';
import { inBothSchemes, openConnected } from './support/page';

let server: Server;

test.beforeAll(async () => {
  server = await startServer(['-default-broker', 'mqtt']);
});
test.afterAll(() => server.stop());

for (const width of [1440, 390]) {
  test(`${width} px, light and dark: nothing that axe objects to`, async ({ page }) => {
    const look = () =>
      inBothSchemes(page, async (scheme) => expect(await violationsOf(page), scheme).toEqual([]));
    await page.setViewportSize({ width, height: 900 });
    const parts = await openConnected(page, server.url);
    await look();
    await parts.publish.click();
    await expect(parts.rows).toHaveCount(1);
    await look();
    await parts.rows.click();
    await expect(page.getByRole('region', { name: 'Message details' })).toBeVisible();
    await look();
    await page.getByRole('tab', { name: 'Topics' }).click();
    await expect(page.getByRole('tree')).toBeVisible();
    await look();
  });
}
