/** Packets and broker below the messages, where there is room for both. */

import type { Page } from '@playwright/test';
import { expect, test } from './support/fixtures';
import { details, drawerButton, openRow, showView } from './support/page';

function insightOf(page: Page) {
  const packets = page.getByRole('log', { name: 'Packets' });
  return {
    record: page.getByRole('checkbox', { name: 'Record packets' }),
    packets,
    packet: (name: string) =>
      packets.locator('.row').filter({ has: page.locator('.packet-name', { hasText: name }) }),
    details: page.getByRole('region', { name: 'Packet details' }),
    figures: page.getByRole('list', { name: 'Figures' }).getByRole('listitem'),
  };
}

test('on a wide screen packets and broker are drawers below the messages', async ({ page, parts: all }) => {
  await page.setViewportSize({ width: 1366, height: 657 });
  const parts = { ...all, ...insightOf(page) };
  const packets = drawerButton(page, 'Packets');
  const broker = drawerButton(page, 'Broker');
  await expect(packets).toHaveAttribute('aria-expanded', 'false');
  await packets.click();
  await parts.record.check();
  await parts.publish.click();
  await expect(parts.packet('PUBLISH')).toHaveCount(2);
  const cut = await parts.packets.locator('.row').evaluateAll((rows) =>
    rows.flatMap((row) => {
      const { top, bottom } = row.getBoundingClientRect();
      return [...row.children].filter((child) => {
        const box = child.getBoundingClientRect();
        return box.height > 0 && (box.top < top || box.bottom > bottom);
      });
    }),
  );
  expect(cut).toEqual([]);
  // Both are visible at once, and each has its own details.
  await expect(parts.rows.first()).toBeInViewport({ ratio: 0.9 });
  await expect(parts.packet('PUBLISH').first()).toBeInViewport({ ratio: 0.9 });
  await parts.packet('PUBLISH').first().getByRole('button').click();
  await expect(parts.details).toBeVisible();
  await openRow(page, 1).click();
  await expect(details(page)).toBeVisible();
  await expect(parts.details).toHaveCount(0);

  // When closed, it goes on recording.
  await page.getByRole('button', { name: 'Close Packets' }).click();
  await expect(parts.packets).toHaveCount(0);
  await expect(packets).toHaveAttribute('aria-expanded', 'false');
  await parts.publish.click();
  await expect(parts.rows).toHaveCount(2);
  await packets.click();
  await expect(parts.packet('PUBLISH')).toHaveCount(4);

  await broker.click();
  await expect(parts.packets).toHaveCount(0);
  await expect(parts.figures.first()).toBeVisible();
  await expect(parts.rows.last()).toBeInViewport({ ratio: 0.9 });
  await broker.click();
  await expect(parts.figures).toHaveCount(0);
  await expect(broker).toBeFocused();

  // A phone shows one view at a time; a drawer used there opens as a view.
  await broker.click();
  await page.setViewportSize({ width: 390, height: 844 });
  await expect(parts.figures).toHaveCount(0);
  await showView(page, 'Packets');
  await expect(parts.packets).toBeVisible();
  await page.setViewportSize({ width: 1366, height: 657 });
  await expect(packets).toHaveAttribute('aria-expanded', 'true');
  await expect(parts.packets).toBeVisible();
  await expect(parts.rows).toHaveCount(2);
});

test('a drawer that is closed or folded away opens again as it was, and its button has the focus', async ({
  page,
  parts: _,
}) => {
  await page.setViewportSize({ width: 1366, height: 657 });
  const [packets, broker] = [drawerButton(page, 'Packets'), drawerButton(page, 'Broker')];
  const drawer = page.locator('#drawer');
  const divider = page.getByRole('separator', { name: 'Height of the drawer' });
  const height = async () => (await drawer.boundingBox())?.height ?? 0;

  await packets.press('Enter');
  await expect(page.getByRole('group', { name: 'Packets' })).toBeFocused();
  await page.getByRole('button', { name: 'Close Packets' }).press('Enter');
  await expect(packets).toBeFocused();

  await packets.click();
  await divider.press('ArrowDown');
  const before = await height();
  expect(before).toBeGreaterThan(100);
  for (const [open, fold] of [
    [packets, () => divider.dblclick()],
    [broker, () => divider.press('Enter')],
  ] as const) {
    await fold();
    await expect(drawer).toHaveCount(0);
    await expect(page.locator('[data-tab]:focus')).toHaveAttribute('aria-expanded', 'false');
    await open.click();
    await expect.poll(height).toBeCloseTo(before, 0);
  }

  // One that was dragged away opens with a usable size.
  const at = await divider.boundingBox();
  const below = await page.getByRole('separator', { name: 'Height of the publish form' }).boundingBox();
  if (!at || !below) throw new Error('no dividers');
  await page.mouse.move(at.x + 200, at.y);
  await page.mouse.down();
  await page.mouse.move(at.x + 200, below.y - 3, { steps: 8 });
  await expect(drawer).toHaveCount(0);
  await page.mouse.up();
  await broker.click();
  await expect.poll(height).toBeGreaterThan(200);

  // One that an earlier version of the page folded opens, too.
  await page.evaluate(() => localStorage.setItem('mqttwasm.split.drawer', '0'));
  await page.reload();
  await expect.poll(height).toBeGreaterThan(100);
});

test('on a narrow laptop large numbers move neither the buttons of the drawers nor the views', async ({
  page,
  parts,
  own,
  elsewhere,
}) => {
  await page.setViewportSize({ width: 920, height: 700 });
  const status = page.getByRole('contentinfo');
  const before = await status.boundingBox();
  for (let below = 0; below < 120; below++) elsewhere.publish(`${own}/many/${below}`, ['x']);
  for (let sent = 0; sent < 12; sent++) {
    elsewhere.publish(
      `${own}/many/0`,
      Array.from({ length: 1000 }, () => 'x'.repeat(100)),
    );
    await expect(parts.count('Received')).toHaveText(`${sent + 1},120`);
  }
  const branch = page.getByRole('treeitem').first();
  await expect(branch.locator('.topic-rate')).toHaveText(/\d,\d+\/s/);
  const [below, rate] = await branch.locator('.topic-below, .topic-rate').evaluateAll((parts) =>
    parts.map((part) => {
      const range = document.createRange();
      range.selectNodeContents(part);
      const { left, right } = range.getBoundingClientRect();
      return { left, right: Math.min(right, part.getBoundingClientRect().right) };
    }),
  );
  expect(below?.right).toBeLessThan(rate?.left ?? 0);
  expect(await status.boundingBox()).toEqual(before);
  for (const name of ['Packets', 'Broker'] as const) {
    await expect(drawerButton(page, name)).toBeInViewport({ ratio: 1 });
  }
});

test('charts leave room for the messages above a drawer', async ({ page, parts, own, elsewhere }) => {
  await page.setViewportSize({ width: 1366, height: 657 });
  elsewhere.publish(`${own}/t`, ['20', '21', '22']);
  await expect(parts.rows).toHaveCount(3);
  await openRow(page, 3).click();
  await details(page).getByRole('button', { name: 'Chart value:' }).click();
  await expect(page.getByRole('region', { name: 'Charts' })).toBeVisible();
  await drawerButton(page, 'Packets').click();
  await expect(parts.rows.last()).toBeInViewport({ ratio: 0.9 });
  await expect(page.getByRole('button', { name: 'Save PNG' })).toBeInViewport({ ratio: 1 });
});
