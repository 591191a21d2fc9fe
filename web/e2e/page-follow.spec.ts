/** The user alone decides whether the feed follows the newest message. */

import type { Locator } from '@playwright/test';
import { expect, test } from './support/fixtures';
import { details, laptopAndPhone, openRow, showView } from './support/page';

for (const [width, height] of laptopAndPhone) {
  test(`at ${width} by ${height} only scrolling up in a busy feed stops following`, async ({
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

    // A row with keyboard focus stays until the focus leaves the list.
    await parts
      .row(`${own}/pump`, `beat ${sent - 1}`)
      .getByRole('button')
      .focus();
    await page.keyboard.press('ArrowUp');
    await stands();
    await expect(parts.row(`${own}/pump`, `beat ${sent - 202}`).getByRole('button')).toBeFocused();
    // So it does when its details are closed, where they are beside the list.
    if (width > 900) {
      await page.keyboard.press('Enter');
      await expect(details(page)).toBeVisible();
      await page.keyboard.press('Escape');
      await expect(details(page)).toHaveCount(0);
      await stands();
      await expect(parts.row(`${own}/pump`, `beat ${sent - 402}`).getByRole('button')).toBeFocused();
    }
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

test('a message that is open when the filter changes does not stop following', async ({
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

async function boxOf(one: Locator) {
  const box = await one.boundingBox();
  if (!box) throw new Error('it has no box');
  return box;
}

for (const [width, height] of laptopAndPhone) {
  test(`at ${width} by ${height} the way to the newest lies over no open row`, async ({
    page,
    parts,
    own,
    elsewhere,
  }) => {
    await page.setViewportSize({ width, height });
    const newest = page.getByRole('button', { name: /Jump to newest/ });
    const row = (n: number) => parts.row(`${own}/a`, `number ${n}.`);
    const apart = async (n: number) => {
      const [pill, open] = [await boxOf(newest), await boxOf(row(n))];
      const meet = pill.y < open.y + open.height && open.y < pill.y + pill.height;
      expect(meet, `${JSON.stringify(pill)} over ${JSON.stringify(open)}`).toBe(false);
      return { pill, open };
    };
    elsewhere.publish(
      `${own}/a`,
      Array.from({ length: 60 }, (_, n) => `number ${n}.`),
    );
    await expect(row(59)).toBeInViewport();
    await row(59).getByRole('button').click();
    await expect(details(page)).toBeVisible();
    await expect(row(59)).toBeInViewport({ ratio: 0.9 });
    const before = await boxOf(row(59));
    elsewhere.publish(`${own}/b`, Array(200).fill('later'));
    await expect(newest).toBeVisible();
    expect((await apart(59)).open).toEqual(before);

    // One by one, wherever the open row is.
    const sides = new Set<boolean>();
    for (let n = 58; n > 48; n--) {
      await row(n)
        .getByRole('button')
        .click({ position: { x: 20, y: 10 } });
      await expect(row(n)).toHaveAttribute('data-open', 'true');
      const { pill, open } = await apart(n);
      sides.add(pill.y > open.y);
    }
    expect(sides).toEqual(new Set([true, false]));
    await parts.log.hover();
    for (let turns = 0; turns < 12; turns++) {
      const { y } = await boxOf(row(49));
      await page.mouse.wheel(0, -13);
      await expect.poll(async () => (await boxOf(row(49))).y).not.toBe(y);
      await apart(49);
    }
    // Beyond the edge, by the keys; on a phone they are those of the details.
    for (let n = 50; width > 900 && n < 59; n++) {
      await page.keyboard.press('ArrowDown');
      await expect(row(n)).toHaveAttribute('data-open', 'true');
      await expect(row(n)).toBeInViewport({ ratio: 0.9 });
      await apart(n);
    }
    // The details take room from the list, so that the row moves.
    await details(page).getByRole('button', { name: 'Close details' }).click();
    await parts.log.hover();
    await page.mouse.wheel(0, -400);
    await expect(newest).toBeVisible();
    const { y: top, height: tall } = await boxOf(parts.log);
    const lowest = await parts.rows.evaluateAll((all, edge) => {
      const inSight = all.filter((one) => one.getBoundingClientRect().bottom <= edge);
      const low = inSight
        .toSorted((a, b) => a.getBoundingClientRect().y - b.getBoundingClientRect().y)
        .at(-1);
      return Number(/number (\d+)\./.exec(low?.textContent ?? '')?.[1]);
    }, top + tall);
    await row(lowest)
      .getByRole('button')
      .click({ position: { x: 20, y: 10 } });
    await expect(details(page)).toBeVisible();
    await expect(row(lowest)).toBeInViewport({ ratio: 0.9 });
    await apart(lowest);
    await newest.click();
    await expect(newest).toHaveCount(0);
  });
}

test('in a list with no room beside the open row, the way to the newest waits until that is closed', async ({
  page,
  parts,
  own,
  elsewhere,
}) => {
  await page.setViewportSize({ width: 390, height: 500 });
  const newest = page.locator('[data-jump]');
  elsewhere.publish(`${own}/a`, Array(60).fill('earlier'));
  await expect(parts.rows.last()).toBeInViewport();
  await openRow(page, 60).click();
  await expect(details(page)).toBeVisible();
  elsewhere.publish(`${own}/b`, Array(200).fill('later'));
  await expect(newest).toHaveText(/^200 new/);
  const row = parts.rows.and(page.locator('[data-open=true]'));
  for (const up of [0, 20, 20]) {
    await parts.log.hover();
    await page.mouse.wheel(0, -up);
    await expect(row).toBeVisible();
    await expect(newest).toBeHidden();
  }
  await details(page).getByRole('button', { name: 'Close details' }).click();
  await expect(newest).toBeVisible();
});
