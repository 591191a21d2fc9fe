import { expect, type Page, test } from '@playwright/test';
import { type Server, startServer } from './support/brokers';
import { openConnected, showView } from './support/page';

let server: Server;

test.beforeAll(async () => {
  server = await startServer(['-default-broker', 'mqtt']);
});

test.afterAll(() => server.stop());

const light = 'rgb(238, 241, 239)';
const dark = 'rgb(15, 19, 18)';
const ground = (page: Page) => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
const choice = (page: Page) => page.getByRole('combobox', { name: 'Theme' });

/** The colour of the browser's own frame. */
function frame(page: Page): Promise<string | undefined> {
  return page.evaluate(() => {
    const colours = [...document.querySelectorAll<HTMLMetaElement>('meta[name="theme-color"]')];
    return colours.find(({ media }) => matchMedia(media).matches)?.content;
  });
}

test('follows the system until a theme is chosen, and again when the choice is reset', async ({ page }) => {
  await page.emulateMedia({ colorScheme: 'light' });
  await openConnected(page, server.url);
  await expect(choice(page)).toHaveValue('system');
  expect([await ground(page), await frame(page)]).toEqual([light, '#ffffff']);
  await page.emulateMedia({ colorScheme: 'dark' });
  expect([await ground(page), await frame(page)]).toEqual([dark, '#171c1b']);

  await choice(page).selectOption('Light');
  expect([await ground(page), await frame(page)]).toEqual([light, '#ffffff']);
  await choice(page).selectOption('System');
  expect([await ground(page), await frame(page)]).toEqual([dark, '#171c1b']);
  await page.emulateMedia({ colorScheme: 'light' });
  expect([await ground(page), await frame(page)]).toEqual([light, '#ffffff']);
});

test('a choice survives a reload, and applies before the page’s program runs', async ({ page }) => {
  await page.emulateMedia({ colorScheme: 'light' });
  await openConnected(page, server.url);
  await choice(page).selectOption('Dark');
  await page.reload();
  await expect(choice(page)).toHaveValue('dark');
  expect(await ground(page)).toBe(dark);

  await page.route('**/assets/index-*.js', (route) => route.abort());
  await page.reload();
  expect(await ground(page)).toBe(dark);
  await expect(choice(page)).toHaveCount(0);
});

test('a chart follows the theme', async ({ page }) => {
  await page.emulateMedia({ colorScheme: 'light' });
  const parts = await openConnected(page, server.url);
  await parts.payload.fill('{{n}}');
  await parts.publish.click();
  await expect(parts.rows).toHaveCount(1);
  await showView(page, 'Topics');
  await expect(page.getByRole('treeitem')).not.toHaveCount(0);
  await page.getByRole('tree').focus();
  await page.keyboard.press('*');
  await page.keyboard.press('End');
  await page.keyboard.press('Enter');
  await page.getByRole('button', { name: 'Add to chart' }).click();
  const chart = page.getByRole('region', { name: 'Chart' });
  await expect(chart.locator('canvas')).toBeVisible();
  /** Mean brightness of the drawing: labels are dark on light ground, and light on dark. */
  const brightness = () =>
    chart.locator('canvas').evaluate((canvas: HTMLCanvasElement) => {
      const { data } = canvas.getContext('2d')?.getImageData(0, 0, canvas.width, canvas.height) ?? {
        data: [],
      };
      let sum = 0;
      let drawn = 0;
      for (let at = 0; at < data.length; at += 4) {
        if (data[at + 3] !== 255) continue;
        sum += (data[at] ?? 0) + (data[at + 1] ?? 0) + (data[at + 2] ?? 0);
        drawn += 3;
      }
      return drawn && sum / drawn;
    });
  await expect.poll(brightness).toBeGreaterThan(100);
  const before = await brightness();
  await choice(page).selectOption('Dark');
  await expect.poll(brightness).toBeLessThan(before - 40);
});

test('in forced colours the selection is visible, and a subscription’s colour is kept', async ({ page }) => {
  await page.emulateMedia({ forcedColors: 'active' });
  const parts = await openConnected(page, server.url);
  const system = await ground(page);
  for (const chosen of [
    page.getByRole('tab', { name: 'Messages' }),
    page.getByRole('button', { name: 'Follow' }),
  ]) {
    await expect(chosen).not.toHaveCSS('background-color', system);
  }
  await parts.publish.click();
  await page.getByRole('button', { name: 'Details of message 1', exact: true }).click();
  await expect(page.locator('.row[data-open="true"]')).toHaveCSS('outline-style', 'solid');
  for (const mark of ['.status-dot', '.filter-mark']) {
    await expect(page.locator(mark).first()).not.toHaveCSS('background-color', system);
  }
});
