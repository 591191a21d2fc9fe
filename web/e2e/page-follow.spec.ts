/** Whether the feed keeps the newest message in view: the switch is the user's. */

import { expect, test } from './support/fixtures';
import { details, laptopAndPhone, openRow, showView } from './support/page';

for (const [width, height] of laptopAndPhone) {
  test(`at ${width} by ${height} only who scrolls up in a busy feed ends following`, async ({
    page,
    parts,
    own,
    elsewhere,
  }) => {
    await page.setViewportSize({ width, height });
    const follow = page.getByRole('button', { name: 'Follow', exact: true });
    const newest = page.getByRole('button', { name: /Jump to newest/ });
    let sent = 0;
    const more = (count: number) =>
      elsewhere.publish(
        `${own}/pump`,
        Array.from({ length: count }, () => `beat ${sent++}`),
      );
    const follows = async () => {
      await expect(follow).toHaveAttribute('aria-pressed', 'true');
      more(1);
      await expect(parts.row(`${own}/pump`, `beat ${sent - 1}`)).toBeInViewport();
      await expect(newest).toHaveCount(0);
    };
    const stands = async () => {
      more(200);
      await expect(newest).toBeVisible();
      await expect(follow).toHaveAttribute('aria-pressed', 'true');
    };
    more(100);
    await follows();

    await parts.rows.last().getByRole('button').click();
    await expect(details(page)).toBeVisible();
    await stands();
    for (const key of ['ArrowUp', 'ArrowUp', 'ArrowDown']) await page.keyboard.press(key);
    await stands();
    await newest.click();
    await expect(details(page)).toBeVisible();
    await follows();
    await details(page).getByRole('button', { name: 'Close details' }).click();
    await follows();

    // A row that the keys have reached stays until they leave the list.
    await parts
      .row(`${own}/pump`, `beat ${sent - 1}`)
      .getByRole('button')
      .focus();
    await page.keyboard.press('ArrowUp');
    await stands();
    await expect(parts.row(`${own}/pump`, `beat ${sent - 202}`).getByRole('button')).toBeFocused();
    await parts.log.evaluate(() => (document.activeElement as HTMLElement).blur());
    await follows();

    const filter = page.getByRole('button', { name: 'Filter', exact: true });
    await filter.click();
    await follows();
    await filter.click();
    await page.setViewportSize({ width: width + 60, height: height - 200 });
    await follows();
    await page.setViewportSize({ width, height });
    await follows();
    await showView(page, 'Topics');
    await page.getByRole('treeitem').filter({ hasText: 'pump' }).click();
    await showView(page, 'Messages');
    await follows();

    await parts.log.hover();
    await page.mouse.wheel(0, -600);
    await expect(follow).toHaveAttribute('aria-pressed', 'false');
    more(1);
    await expect(newest).toBeVisible();
    await page.mouse.wheel(0, 100_000);
    await follows();
    await parts.rows.last().getByRole('button').focus();
    await page.keyboard.press('Home');
    await expect(follow).toHaveAttribute('aria-pressed', 'false');
    await page.keyboard.press('End');
    await follows();
  });
}

test('a message that is open when the filter changes does not end following', async ({
  page,
  parts,
  own,
  elsewhere,
}) => {
  const follow = page.getByRole('button', { name: 'Follow', exact: true });
  elsewhere.publish(`${own}/pump`, ['1']);
  await openRow(page, 1).click();
  await expect(details(page)).toBeVisible();
  await expect(follow).toHaveAttribute('aria-pressed', 'true');
  await page.getByRole('treeitem').filter({ hasText: 'pump' }).click();
  await expect(follow).toHaveAttribute('aria-pressed', 'true');
  elsewhere.publish(`${own}/pump`, Array(100).fill('later'));
  await expect(parts.row(`${own}/pump`, 'later').last()).toBeInViewport();
});
