import type { Locator, Page } from '@playwright/test';
import { violationsOf } from './support/axe';
import { expect, test } from './support/fixtures';
import { openConnected, showView } from './support/page';

const menuOf = (page: Page) => page.getByRole('menu');
const item = (page: Page, name: string) => menuOf(page).getByRole('menuitem', { name, exact: true });
const treeRow = (page: Page, name: string) =>
  page.getByRole('treeitem', { name: new RegExp(`(^|/)${name}( |$)`) });

async function expectItems(page: Page, names: string[]): Promise<void> {
  await expect(menuOf(page).getByRole('menuitem')).toHaveText(names);
}

/** Expects the menu where the pointer was, less its border and padding. */
async function expectAt(page: Page, row: Locator, offset: number): Promise<void> {
  const [menu, at] = await Promise.all([menuOf(page).boundingBox(), row.boundingBox()]);
  expect(Math.abs((menu?.x ?? 0) - (at?.x ?? 0) - offset)).toBeLessThan(8);
}

test('a row of the feed has a menu, by mouse and by keyboard', async ({ page, parts, elsewhere, own }) => {
  elsewhere.publish(`${own}/pump`, ['{"on":true}']);
  const row = parts.row(`${own}/pump`, '{"on":true}');
  const button = row.getByRole('button');
  await row.click({ button: 'right', position: { x: 90, y: 10 } });
  await expect(page.getByRole('menu', { name: `${own}/pump` })).toBeVisible();
  await expectItems(page, [
    'Publish here',
    'Edit and resend',
    'Show only this topic',
    'Mute this topic',
    'Subscribe to this topic',
    'Copy topic',
    'Copy as JSON',
    'Copy bytes as hex',
  ]);
  await expectAt(page, row, 90);
  await expect(item(page, 'Publish here')).toBeFocused();
  expect(await violationsOf(page, { within: 'main' })).toEqual([]);
  await page.keyboard.press('Escape');
  await expect(menuOf(page)).toHaveCount(0);
  await expect(button).toBeFocused();

  // Closing the menu leaves the row's details open.
  await button.press('Enter');
  await expect(page.getByRole('region', { name: 'Message details' })).toBeVisible();
  await button.press('ContextMenu');
  await expect(item(page, 'Publish here')).toBeFocused();
  await page.keyboard.press('Escape');
  await expect(menuOf(page)).toHaveCount(0);
  await expect(page.getByRole('region', { name: 'Message details' })).toBeVisible();

  await button.press('Shift+F10');
  await expect(item(page, 'Publish here')).toBeFocused();
  await page.keyboard.press('End');
  await expect(item(page, 'Copy bytes as hex')).toBeFocused();
  await page.keyboard.press('ArrowDown');
  await page.keyboard.press('ArrowDown');
  await expect(item(page, 'Edit and resend')).toBeFocused();
  await page.keyboard.press('Enter');
  await expect(parts.payload).toBeFocused();
  await expect(parts.payload).toHaveValue('{"on":true}');
  await expect(parts.topic).toHaveValue(`${own}/pump`);
  await expect(menuOf(page)).toHaveCount(0);

  // A click elsewhere closes it.
  await row.click({ button: 'right' });
  await expect(menuOf(page)).toBeVisible();
  await parts.topic.click();
  await expect(menuOf(page)).toHaveCount(0);

  await row.click({ button: 'right' });
  await item(page, 'Mute this topic').click();
  await expect(row).toHaveCount(0);
});

test('a request can be answered from its row, and a failure to copy is reported', async ({
  page,
  parts,
  own,
}) => {
  await page.getByRole('button', { name: 'Properties' }).click();
  await page.getByRole('textbox', { name: 'Response topic' }).fill(`${own}/answers`);
  await parts.topic.fill(`${own}/ask`);
  await parts.payload.fill('how much');
  await parts.publish.click();
  const row = parts.row(`${own}/ask`, 'how much').first();
  await row.click({ button: 'right' });
  await page.evaluate(() =>
    Object.defineProperty(navigator, 'clipboard', { value: { writeText: () => Promise.reject() } }),
  );
  await item(page, 'Copy topic').click();
  await expect(page.getByRole('alert').filter({ hasText: 'does not let the page copy' })).toBeVisible();
  await page.keyboard.press('Escape');
  await row.click({ button: 'right' });
  await item(page, 'Reply').click();
  await expect(parts.topic).toHaveValue(`${own}/answers`);
});

test('a row of the tree has a menu, and a number of its value is charted', async ({
  page,
  elsewhere,
  own,
  parts,
}) => {
  elsewhere.publish(`${own}/hall/climate`, ['{"t":20.5,"name":"hall"}']);
  elsewhere.publish(`${own}/hall/level`, ['7']);
  await showView(page, 'Topics');
  await expect(treeRow(page, 'level')).toBeVisible();
  await treeRow(page, 'climate').click({ button: 'right' });
  await expectItems(page, [
    'Publish here',
    'Show only this topic',
    'Mute this topic',
    'Subscribe to this topic',
    'Chart t',
    'Copy topic',
  ]);
  await item(page, 'Chart t').click();
  await expect(page.getByRole('region', { name: 'Chart' })).toContainText('climate');
  // It does not change the selection.
  await expect(page.getByRole('region', { name: 'Topic details' })).toHaveCount(0);

  const tree = page.getByRole('tree', { name: 'Topics' });
  await expect(tree).toBeFocused();
  await page.keyboard.press('ArrowDown');
  await page.keyboard.press('ContextMenu');
  await expect(page.getByRole('menu', { name: `${own}/hall/level` })).toBeVisible();
  await expect(item(page, 'Chart')).toBeVisible();
  const [menu, row] = await Promise.all([menuOf(page).boundingBox(), treeRow(page, 'level').boundingBox()]);
  expect(Math.abs((menu?.y ?? 0) - (row?.y ?? 0))).toBeLessThan(40);
  await page.keyboard.press('Tab');
  await expect(menuOf(page)).toHaveCount(0);
  await expect(tree).toBeFocused();

  // A branch has nothing to chart.
  await treeRow(page, 'hall').first().click({ button: 'right' });
  await expect(item(page, 'Show only this topic')).toBeVisible();
  await expect(item(page, 'Chart')).toHaveCount(0);
  await item(page, 'Publish here').click();
  await expect(parts.topic).toHaveValue(`${own}/hall`);
});

test('a subscription has a menu', async ({ page, parts, own, elsewhere }) => {
  for (const filter of [`${own}/one`, '$share/group/tank/#']) {
    await parts.filter.fill(filter);
    await parts.subscribe.click();
    await expect(parts.subscriptions.filter({ hasText: filter.slice(-5) })).toHaveCount(1);
  }
  await parts.subscriptions.filter({ hasText: 'tank' }).click({ button: 'right' });
  await expectItems(page, ['Show only this topic', 'Mute this topic', 'Unsubscribe']);
  await item(page, 'Show only this topic').click();
  elsewhere.publish(`${own}/one`, ['hidden']);
  elsewhere.publish('tank/level', ['shown']);
  await expect(parts.row('tank/level', 'shown')).toBeVisible();
  await expect(parts.rows).toHaveCount(1);

  const row = parts.subscriptions.filter({ hasText: 'one' });
  await row.getByRole('button', { name: /^Change/ }).press('Shift+F10');
  await expectItems(page, ['Publish here', 'Show only this topic', 'Mute this topic', 'Unsubscribe']);
  await page.keyboard.press('Enter');
  await expect(parts.topic).toHaveValue(`${own}/one`);
  await row.click({ button: 'right' });
  await item(page, 'Unsubscribe').click();
  await expect(row).toHaveCount(0);
});

test.describe('by touch', () => {
  test.use({ hasTouch: true, isMobile: true, viewport: { width: 390, height: 844 } });

  test('the menu of a row has targets large enough for fingers', async ({ page, parts, elsewhere, own }) => {
    await showView(page, 'Messages');
    elsewhere.publish(`${own}/pump`, ['on']);
    // What a long press dispatches; headless Chromium doesn't.
    const at = { bubbles: true, cancelable: true, pointerType: 'touch', button: 0 };
    await parts.row(`${own}/pump`, 'on').getByRole('button').dispatchEvent('contextmenu', at);
    await expect(menuOf(page)).toBeVisible();
    for (const one of await menuOf(page).getByRole('menuitem').all()) {
      expect((await one.boundingBox())?.height).toBeGreaterThanOrEqual(44);
    }
    await item(page, 'Publish here').tap();
    await expect(parts.topic).toHaveValue(`${own}/pump`);
  });
});

test('cleared retained messages can be restored', async ({ page, parts, own, server, context }) => {
  const plant = own.replace('mqttwasm', 'plant');
  await parts.retain.check();
  await parts.qos.selectOption('1');
  await page.getByRole('button', { name: 'Properties' }).click();
  await page.getByRole('textbox', { name: 'Content type' }).fill('text/x-plant');
  for (const name of ['a', 'b']) {
    await parts.topic.fill(`${plant}/${name}`);
    await parts.payload.fill(`${name} as it was`);
    await parts.publish.click();
  }
  await expect(parts.results.filter({ hasText: 'Acknowledged' })).toHaveCount(2);
  await parts.filter.fill(`${plant}/#`);
  await page.getByRole('form', { name: 'Subscribe' }).getByLabel('QoS').selectOption('1');
  await parts.subscribe.click();
  await expect(parts.rows).toHaveCount(2);

  await showView(page, 'Topics');
  await treeRow(page, plant).click({ button: 'right' });
  await item(page, 'Clear retained (2)…').click();
  const dialog = page.getByRole('dialog', { name: 'Clear retained messages' });
  await expect(dialog).toContainText('You can undo this for 30 seconds.');
  await dialog.getByRole('button', { name: 'Clear 2 retained messages' }).click();
  await expect(dialog.getByRole('status')).toHaveText('Cleared 2 retained messages.');
  await dialog.getByRole('button', { name: 'Close' }).click();
  await expect(page.getByRole('tree')).toBeFocused();
  const notice = page.locator('.topics-cleared');
  await expect(notice).toContainText('Cleared 2 retained messages.');
  await notice.getByRole('button', { name: 'Undo' }).click();
  await expect(dialog.getByRole('status')).toHaveText('Restored 2 retained messages.');
  await dialog.getByRole('button', { name: 'Close' }).click();
  await expect(notice).toHaveCount(0);

  // A new subscriber gets them from the broker.
  const other = await context.newPage();
  const there = await openConnected(other, server.url);
  await there.filter.fill(`${plant}/#`);
  await other.getByRole('form', { name: 'Subscribe' }).getByLabel('QoS').selectOption('1');
  await there.subscribe.click();
  await expect(there.rows).toHaveCount(2);
  for (const name of ['a', 'b']) {
    const row = there.row(`${plant}/${name}`, `${name} as it was`);
    await expect(row).toContainText('retained');
    await expect(row).toContainText('QoS 1');
  }
  await there.row(`${plant}/a`, 'a as it was').click();
  await expect(other.getByRole('region', { name: 'Message details' })).toContainText('text/x-plant');
  await other.close();
});
