import { mkdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from '@playwright/test';
import { type Server, startServer } from './support/brokers';
import { openConnected, type Parts, showView } from './support/page';
import { openPublisher, type Publisher } from './support/publisher';

// The README's screenshots are updated only with SCREENSHOTS=docs: no two runs give the same bytes, and tests
// must not change the work tree.
const forDocs = process.env.SCREENSHOTS === 'docs';
const directory = fileURLToPath(
  new URL(forDocs ? '../docs/' : '../test-results/screenshots/', import.meta.url),
);

let server: Server;
let garden: Publisher;

test.beforeAll(async () => {
  mkdirSync(directory, { recursive: true });
  server = await startServer(['-default-broker', 'mqtt']);
  garden = await openPublisher(server.mqtt);
});

test.afterAll(async () => {
  garden?.close();
  await server?.stop();
});

/** Messages from a garden's sensors. */
const readings: [topic: string, payload: string | Uint8Array][] = [
  ['garden/north/temp', '21.4'],
  ['garden/north/humid', '63'],
  ['garden/south/temp', '23.9'],
  ['garden/pump/state', '{"on":true,"litres":12.5}'],
  ['garden/south/humid', '58'],
  ['garden/door', '{"open":false,"since":"14:02"}'],
  ['garden/camera', new Uint8Array([0xff, 0xd8, 0xff, 0xe0, 0, 0x10, 0x4a, 0x46, 0x49, 0x46, 0])],
  ['garden/note', 'the tomatoes need water'],
  ['garden/north/temp', '21.6'],
];
const litres = [14.2, 18.9, 21.3, 27.8, 31];

async function fillWithLife(parts: Parts): Promise<void> {
  await parts.filter.fill('garden/#');
  await parts.subscribe.click();
  await expect(parts.subscriptions).toHaveCount(2);
  for (const [topic, payload] of readings) garden.publish(topic, [payload]);
  for (const amount of litres) {
    const payload = JSON.stringify({ on: amount < 31, litres: amount });
    garden.publish('garden/pump/state', [payload]);
    await expect(parts.row('garden/pump/state', payload)).toHaveCount(1);
    // Gives the chart in the screenshots a line instead of a dot.
    if (forDocs) await parts.rows.page().waitForTimeout(1100);
  }
  await parts.qos.selectOption('1');
  for (const n of [0, 1, 2]) {
    await parts.publish.click();
    await expect(parts.row(await parts.topic.inputValue(), `messages: ${n}`)).toHaveCount(1);
  }
  await expect(parts.results.filter({ hasText: 'Acknowledged' })).toHaveCount(3);
}

for (const colorScheme of ['light', 'dark'] as const) {
  test(`a screenshot of the page, ${colorScheme}`, async ({ page }) => {
    await page.setViewportSize({ width: 1440, height: 940 });
    await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
    const parts = await openConnected(page, server.url);
    await fillWithLife(parts);
    await parts.row('garden/pump/state', '{"on":false,"litres":31}').getByRole('button').click();
    await page.getByRole('button', { name: /^Chart litres/ }).click();
    await expect(page.locator('canvas').first()).toBeVisible();
    await page.mouse.move(0, 0);
    await page.evaluate(() => (document.activeElement as HTMLElement | null)?.blur());
    const name = colorScheme === 'light' ? 'screenshot.png' : 'screenshot-dark.png';
    await page.screenshot({ path: `${directory}/${name}`, animations: 'disabled' });
    await showView(page, 'Topics');
    await page
      .getByRole('treeitem', { name: /garden/ })
      .first()
      .click();
    await page.keyboard.press('*');
    await page.getByRole('treeitem', { name: /temp/ }).first().click();
    await expect(page.getByRole('treeitem', { name: /state/ })).toBeVisible();
    const topics = colorScheme === 'light' ? 'topics.png' : 'topics-dark.png';
    await page.screenshot({ path: `${directory}/${topics}`, animations: 'disabled' });
    const ground = await page.evaluate(() => getComputedStyle(document.body).backgroundColor);
    const light = (ground.match(/[\d.]+/g) ?? []).slice(0, 3).map(Number);
    // Components may range from 0 to 255 or from 0 to 1; light is the upper half either way.
    const scale = ground.startsWith('rgb') ? 255 : 1;
    expect((light[0] ?? 0) / scale > 0.5).toBe(colorScheme === 'light');
  });
}
