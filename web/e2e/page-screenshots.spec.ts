import { mkdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, type Page, test } from '@playwright/test';
import { type Server, startServer } from './support/brokers';
import { inBothSchemes, openConnected, type Parts } from './support/page';
import { openPublisher, type Publisher } from './support/publisher';

// The README's pictures are made anew on demand only, with SCREENSHOTS=docs: no
// two runs give the same bytes, and a test leaves the work tree as it was.
const directory = fileURLToPath(
  new URL(process.env.SCREENSHOTS === 'docs' ? '../docs/' : '../test-results/screenshots/', import.meta.url),
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

/** What an afternoon in a garden looks like. */
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
  ['garden/pump/state', '{"on":false,"litres":31}'],
];

async function fillWithLife(parts: Parts): Promise<void> {
  await parts.filter.fill('garden/#');
  await parts.subscribe.click();
  await expect(parts.subscriptions).toHaveCount(2);
  for (const [topic, payload] of readings) garden.publish(topic, [payload]);
  await expect(parts.row('garden/pump/state', '{"on":false,"litres":31}')).toHaveCount(1);
  await parts.qos.selectOption('1');
  for (const n of [0, 1, 2]) {
    await parts.publish.click();
    await expect(parts.row(await parts.topic.inputValue(), `messages: ${n}`)).toHaveCount(1);
  }
  await expect(parts.results.filter({ hasText: 'Acknowledged' })).toHaveCount(3);
}

/** Elements that stick out of the window, as far as nothing scrolls them. */
function overflow(page: Page): Promise<{ wide: number; window: number }> {
  return page.evaluate(() => ({
    wide: Math.max(document.documentElement.scrollWidth, document.body.scrollWidth),
    window: document.documentElement.clientWidth,
  }));
}

for (const colorScheme of ['light', 'dark'] as const) {
  test(`a picture of the page, ${colorScheme}`, async ({ page }) => {
    await page.setViewportSize({ width: 1440, height: 940 });
    await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
    const parts = await openConnected(page, server.url);
    await fillWithLife(parts);
    await page.mouse.move(0, 0);
    await page.evaluate(() => (document.activeElement as HTMLElement | null)?.blur());
    const name = colorScheme === 'light' ? 'screenshot.png' : 'screenshot-dark.png';
    await page.screenshot({ path: `${directory}/${name}`, animations: 'disabled' });
    await page.getByRole('tab', { name: 'Topics' }).click();
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
    // Colours may be given as 0 to 255 or as 0 to 1; either way light is the upper half.
    const scale = ground.startsWith('rgb') ? 255 : 1;
    expect((light[0] ?? 0) / scale > 0.5).toBe(colorScheme === 'light');
  });
}

for (const width of [1440, 390]) {
  test(`pictures of the other views, ${width} px, light and dark`, async ({ page }, info) => {
    await page.setViewportSize({ width, height: 940 });
    const parts = await openConnected(page, server.url);
    const picture = (name: string) =>
      inBothSchemes(page, async (scheme) => {
        await page.screenshot({
          path: info.outputPath(`${name}-${scheme}-${width}.png`),
          animations: 'disabled',
          fullPage: width < 1000,
        });
      });
    await picture('empty');
    await fillWithLife(parts);
    await parts.row('garden/pump/state', '{"on":false,"litres":31}').click();
    await expect(page.getByRole('region', { name: 'Message details' })).toContainText('garden/pump/state');
    await picture('details');
    await page.getByRole('tab', { name: 'Topics' }).click();
    await page
      .getByRole('treeitem', { name: /garden/ })
      .first()
      .click();
    await page.keyboard.press('ArrowRight');
    await expect(page.getByRole('treeitem', { name: /pump/ })).toBeVisible();
    await picture('topics');
    await parts.disconnect.click();
    await expect(parts.status).toContainText(/^disconnected/);
    await picture('disconnected');
  });
}

test('nothing sticks out sideways, from a phone to a wide screen', async ({ page }, info) => {
  const parts = await openConnected(page, server.url);
  await fillWithLife(parts);
  const long = `${'averylonglevelwithoutanyspace'.repeat(8)}/x`;
  await parts.topic.fill((await parts.topic.inputValue()).replace(/hello$/, long));
  await parts.payload.fill('w'.repeat(2000));
  await parts.publish.click();
  await expect(parts.rows.filter({ hasText: 'averylong' })).toHaveCount(1);
  await page.getByRole('button', { name: 'Options' }).click();

  for (const width of [360, 768, 1280, 2560]) {
    await page.setViewportSize({ width, height: 800 });
    const { wide, window } = await overflow(page);
    expect(wide, `at ${width} px`).toBeLessThanOrEqual(window);
    for (const part of [parts.status, parts.url, parts.topic, parts.publish, parts.subscribe, parts.log]) {
      const box = await part.boundingBox();
      expect(box, `at ${width} px`).not.toBeNull();
      expect(box?.x, `at ${width} px`).toBeGreaterThanOrEqual(0);
      expect((box?.x ?? 0) + (box?.width ?? 0), `at ${width} px`).toBeLessThanOrEqual(width);
    }
    await page.screenshot({ path: info.outputPath(`width-${width}.png`), fullPage: width < 1000 });
  }
});
