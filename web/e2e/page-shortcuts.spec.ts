import type { Page } from '@playwright/test';
import { expect, test } from './support/fixtures';
import type { Parts } from './support/page';

let parts: Parts;

test.beforeEach(async ({ parts: theParts }) => {
  parts = theParts;
});

const sheet = (page: Page) => page.getByRole('dialog', { name: 'Keyboard shortcuts' });

test('the main tasks without a mouse', async ({ page }) => {
  await page.keyboard.press('e');
  await expect(parts.payload).toBeFocused();
  await page.keyboard.press('ControlOrMeta+a');
  await page.keyboard.type('typed pxmt?/');
  await page.keyboard.press('Control+Enter');
  await expect(parts.row(await parts.topic.inputValue(), 'typed pxmt?/')).toHaveCount(1);
  await parts.qos.focus();
  await page.keyboard.press('Control+Enter');
  await expect(parts.rows).toHaveCount(2);

  await parts.publish.focus();
  await page.keyboard.press('/');
  const search = page.getByRole('textbox', { name: 'Search messages' });
  await expect(search).toBeFocused();
  await expect(search).toHaveValue('');
  await parts.publish.focus();

  await page.keyboard.press('p');
  await expect(page.getByRole('button', { name: 'Resume', exact: true })).toBeVisible();
  await page.keyboard.press('p');
  await expect(page.getByRole('button', { name: 'Pause', exact: true })).toBeVisible();

  await page.keyboard.press('x');
  await expect(parts.rows).toHaveCount(2);
  await page.keyboard.press('Shift+X');
  await expect(parts.rows).toHaveCount(0);

  await page.keyboard.press('t');
  await expect(page.getByRole('tree')).toBeFocused();
  await page.keyboard.press('/');
  await expect(page.getByRole('searchbox', { name: 'Search topics' })).toBeFocused();
  await page.getByRole('button', { name: 'Pause', exact: true }).focus();
  await page.keyboard.press('m');
  await expect(page.getByRole('tab', { name: 'Messages' })).toBeFocused();
  await expect(parts.log).toBeVisible();

  await page.keyboard.press('Shift+C');
  await expect(parts.status).toContainText(/^disconnected/);
  await page.keyboard.press('Shift+C');
  await expect(parts.status).toContainText(/^connected/);
});

test('n goes to the newest message and follows', async ({ page }) => {
  await parts.payload.fill('{{n}}');
  for (let n = 0; n < 40; n++) await page.keyboard.press('Control+Enter');
  await expect(parts.count('Received')).toHaveText('40');
  const topic = await parts.topic.inputValue();
  await parts.row(topic, '39').getByRole('button').focus();
  await page.keyboard.press('Home');
  const jump = page.getByRole('button', { name: /Jump to newest/ });
  await expect(jump).toBeVisible();
  await page.keyboard.press('n');
  await expect(jump).toBeHidden();
  await expect(parts.row(topic, '39')).toBeInViewport();
});

test('shortcuts do not fire in a text field', async ({ page }) => {
  for (const field of [parts.topic, parts.payload, parts.filter, parts.url]) {
    await field.fill('');
    await field.press('Shift+C');
    await field.pressSequentially('pxemtn/?');
    await expect(field).toHaveValue('Cpxemtn/?');
  }
  await parts.qos.focus();
  await page.keyboard.press('p');
  await expect(sheet(page)).toBeHidden();
  await expect(page.getByRole('button', { name: 'Pause', exact: true })).toBeVisible();
  await expect(parts.status).toContainText(/^connected/);
  await expect(page.getByRole('tab', { name: 'Messages' })).toHaveAttribute('aria-selected', 'true');
});

test('nor in the tree, where a letter moves to a name', async ({ page }) => {
  await page.keyboard.press('t');
  await expect(page.getByRole('tree')).toBeFocused();
  await page.keyboard.press('b');
  await expect(page.getByRole('tab', { name: 'Messages' })).toHaveAttribute('aria-selected', 'true');
  await expect(page.getByRole('tree')).toBeFocused();
});

test('the sheet opens by key and by button, blocks the page, and can turn shortcuts off', async ({
  page,
}) => {
  await parts.publish.focus();
  await page.keyboard.press('?');
  await expect(sheet(page)).toBeVisible();
  await expect(sheet(page)).toContainText('Jump to the newest');
  await page.keyboard.press('p');
  await page.keyboard.press('Escape');
  await expect(sheet(page)).toBeHidden();
  await expect(parts.publish).toBeFocused();
  await expect(page.getByRole('button', { name: 'Pause', exact: true })).toBeVisible();

  await page.keyboard.press('?');
  const single = page.getByRole('checkbox', { name: 'Single-key shortcuts' });
  await page.keyboard.press('Tab');
  await expect(single).toBeFocused();
  await page.keyboard.press('Space');
  await expect(single).not.toBeChecked();
  await page.keyboard.press('Escape');
  await page.reload();
  await expect(parts.status).toHaveText(/^connected/);
  await page.keyboard.press('p');
  await page.keyboard.press('?');
  await expect(page.getByRole('button', { name: 'Pause', exact: true })).toBeVisible();
  await expect(sheet(page)).toBeHidden();
  await parts.payload.focus();
  await page.keyboard.press('Control+Enter');
  await expect(parts.rows).toHaveCount(1);

  const button = page.getByRole('button', { name: 'Keyboard shortcuts' });
  await button.click();
  await single.check();
  await page.getByRole('button', { name: 'Close keyboard shortcuts' }).click();
  await expect(button).toBeFocused();
  await page.keyboard.press('p');
  await expect(page.getByRole('button', { name: 'Resume', exact: true })).toBeVisible();
});
