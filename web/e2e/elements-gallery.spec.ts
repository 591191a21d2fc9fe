import { mkdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from '@playwright/test';
import { violationsOf } from './support/axe';
import { type Server, startServer } from './support/brokers';
import { openGallery } from './support/elements';

// The example gallery: each element with real messages, in light and dark, at laptop and phone size.
// SCREENSHOTS=docs also updates the documentation's screenshots.
const pictures = fileURLToPath(new URL('../test-results/screenshots/', import.meta.url));
const docs = fileURLToPath(new URL('../docs/', import.meta.url));

let server: Server;
test.beforeAll(async () => {
  mkdirSync(pictures, { recursive: true });
  server = await startServer(['-default-broker', 'mqtt']);
});
test.afterAll(() => server?.stop());

for (const [colorScheme, width, height, name] of [
  ['light', 1366, 900, 'elements.png'],
  ['dark', 1366, 900, 'elements-dark.png'],
  ['light', 390, 844, 'elements-phone.png'],
] as const) {
  test(`a picture of the gallery, ${colorScheme}, ${width} pixels wide`, async ({ page }) => {
    await page.clock.install(); // its devices publish once a second
    await page.setViewportSize({ width, height });
    await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
    const complaints = await openGallery(page, server.url, server.mqtt);
    await expect(page.locator('mqtt-status')).toContainText('connected');
    const rows = page.getByRole('log').locator('[part~=row]');
    // The first message comes after every SUBACK, whose time limits the rest of the minute would exceed.
    await page.clock.runFor(1000);
    await expect(rows.first()).toBeVisible();
    for (let n = 1; n < 45; n++) {
      await page.clock.runFor(1000);
    }
    await page.getByRole('switch', { name: 'Fan' }).click();
    await expect(page.getByRole('switch', { name: 'Fan' })).toBeChecked();
    await page.getByRole('button', { name: 'Water for ten seconds' }).click();
    await expect(rows.filter({ hasText: '{"seconds":10}' })).toHaveCount(1);
    await expect(page.getByRole('img', { name: /^Air: now \d\d\.\d °C/ })).toBeVisible();
    await expect(page.getByText('not current')).toHaveCount(0);
    expect(await violationsOf(page)).toEqual([]);
    expect(await page.evaluate(() => document.documentElement.scrollWidth - innerWidth)).toBeLessThanOrEqual(
      0,
    );
    const directory = process.env.SCREENSHOTS === 'docs' && name === 'elements.png' ? docs : pictures;
    await page.screenshot({ path: `${directory}${name}`, fullPage: true });
    expect(complaints).toEqual([]);
  });
}
