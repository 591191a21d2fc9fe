/** The panes side by side: a selection in one shows in the others. */

import type { Page } from '@playwright/test';
import { violationsOf } from './support/axe';
import { expect, test } from './support/fixtures';
import { details, laptopAndPhone, openRow, openSettings, partsOf, showView } from './support/page';

const topicDetails = (page: Page) => page.getByRole('region', { name: 'Topic details' });
const divider = (page: Page, name: string) => page.getByRole('separator', { name });

for (const [width, height] of laptopAndPhone) {
  test(`at ${width} by ${height} an opened message shows its payload and its row, even while more arrive`, async ({
    page,
    parts,
    own,
    elsewhere,
  }) => {
    await page.setViewportSize({ width, height });
    elsewhere.publish(
      `${own}/a`,
      Array.from({ length: 60 }, (_, n) => `{"n": ${n}}`),
    );
    await expect(parts.row(`${own}/a`, '{"n": 59}')).toBeInViewport();
    await openRow(page, 58).click();
    const payload = details(page).locator('.payload-block');
    await expect(payload).toContainText('57');
    await expect(payload).toBeInViewport({ ratio: 1 });
    await expect(parts.row(`${own}/a`, '{"n": 57}')).toBeInViewport({ ratio: 0.9 });

    elsewhere.publish(`${own}/b`, Array(200).fill('later'));
    await expect(page.getByRole('button', { name: /200 new/ })).toBeVisible();
    await expect(parts.row(`${own}/a`, '{"n": 57}')).toBeInViewport({ ratio: 0.9 });

    await details(page).getByRole('button', { name: 'Close details' }).click();
    await expect(parts.row(`${own}/b`, 'later').last()).toBeInViewport();
    await expect(page.getByRole('button', { name: /Jump to newest/ })).toHaveCount(0);
  });
}

test('a topic filters the feed while it is selected', async ({ page, parts, own, elsewhere }) => {
  elsewhere.publish(`${own}/pump/speed`, ['1']);
  elsewhere.publish(`${own}/valve`, ['2']);
  await expect(parts.rows).toHaveCount(2);
  const topics = page.getByRole('textbox', { name: 'Topics matching' });
  await page.getByRole('button', { name: 'Filter', exact: true }).click();
  await topics.fill(`${own}/#`);
  await page.getByRole('treeitem').filter({ hasText: 'valve' }).click();
  await expect(topicDetails(page)).toContainText(`${own}/valve`);
  await expect(parts.rows).toHaveCount(1);
  await expect(parts.row(`${own}/valve`, '2')).toBeVisible();

  await page.getByRole('treeitem').filter({ hasText: 'speed' }).click();
  await expect(parts.row(`${own}/pump/speed`, '1')).toBeVisible();
  await expect(parts.rows).toHaveCount(1);

  await topicDetails(page).getByRole('button', { name: 'Close details' }).click();
  await expect(parts.rows).toHaveCount(2);
  await expect(topics).toHaveValue(`${own}/#`);
});

test('the inspector shows whatever was opened last', async ({ page, parts, own, elsewhere }) => {
  elsewhere.publish(`${own}/pump`, ['1']);
  await expect(page.getByText('Nothing selected')).toBeVisible();
  await page.getByRole('treeitem').filter({ hasText: 'pump' }).click();
  await expect(topicDetails(page)).toBeVisible();
  await openRow(page, 1).click();
  await expect(details(page)).toBeVisible();
  await expect(topicDetails(page)).toHaveCount(0);
  await page.keyboard.press('Escape');
  await expect(topicDetails(page)).toBeVisible();
  await expect(parts.rows).toHaveCount(1);
});

test('a reload clears the selection and its filter on the feed', async ({ page, parts, own, elsewhere }) => {
  elsewhere.publish(`${own}/pump`, ['1']);
  await page.getByRole('treeitem').filter({ hasText: 'pump' }).click();
  await expect(page.getByRole('button', { name: 'Filter (1)' })).toBeVisible();
  await page.reload();
  await expect(parts.status).toHaveText(/^connected/);
  elsewhere.publish(`${own}/valve`, ['2']);
  await expect(parts.row(`${own}/valve`, '2')).toBeVisible();
  await expect(page.getByRole('button', { name: 'Filter', exact: true })).toBeVisible();
});

test('dividers can be dragged, folded by double click, and are remembered', async ({ page, parts }) => {
  const topics = page.getByRole('searchbox', { name: 'Search topics' });
  const sides = divider(page, 'Width of the topics');
  const widthOf = async () => (await page.locator('[data-pane=topics]').boundingBox())?.width ?? 0;
  const before = await widthOf();
  await sides.hover();
  await page.mouse.down();
  const at = await sides.boundingBox();
  await page.mouse.move((at?.x ?? 0) + 100, 300);
  await page.mouse.up();
  await expect.poll(widthOf).toBeGreaterThan(before + 80);
  const moved = await widthOf();

  await divider(page, 'Height of the publish form').dblclick();
  await expect(parts.payload).toBeHidden();
  await page.reload();
  await expect(topics).toBeVisible();
  await expect(parts.payload).toBeHidden();
  expect(Math.abs((await widthOf()) - moved)).toBeLessThan(3);
  await divider(page, 'Height of the publish form').press('Enter');
  await expect(parts.payload).toBeVisible();
});

test.describe('everyday tasks take few steps', () => {
  test('the first message: one click', async ({ parts }) => {
    await parts.publish.click();
    await expect(parts.rows).toHaveCount(1);
  });

  test('another broker: one click and three fields', async ({ page, parts, server }) => {
    await parts.url.fill(`${server.mqtt}?own`);
    await page.getByRole('button', { name: 'Settings', exact: true }).click();
    await page.getByRole('textbox', { name: 'User name' }).fill('ada');
    await page.getByRole('textbox', { name: 'Password' }).fill('secret');
    await page.keyboard.press('Enter');
    // The query string is only in the form, not in the status.
    await expect(parts.status).toHaveAttribute('data-edited', 'false');
    await expect(parts.url).toHaveValue(`${server.mqtt}?own`);
    await expect(parts.status).toHaveText(`connected ${server.mqtt}`);
  });

  test('the next message: one key', async ({ page, own, elsewhere }) => {
    elsewhere.publish(`${own}/a`, ['one', 'two']);
    await openRow(page, 1).click();
    await expect(details(page)).toContainText('one');
    await page.keyboard.press('ArrowDown');
    await expect(details(page)).toContainText('two');
  });

  test('a reply: one click from the open message', async ({ page, parts, own }) => {
    await parts.topic.fill(`${own}/request`);
    await page.getByRole('button', { name: 'Properties', exact: true }).click();
    const properties = page.getByRole('group', { name: 'Message properties' });
    await properties.getByRole('textbox', { name: 'Response topic' }).fill(`${own}/answers`);
    await properties.getByRole('textbox', { name: 'Correlation data' }).fill('q1');
    await parts.publish.click();
    await openRow(page, 1).click();

    await details(page).getByRole('button', { name: 'Reply', exact: true }).click();
    await expect(parts.topic).toHaveValue(`${own}/answers`);
    await expect(parts.payload).toBeFocused();
    await parts.payload.fill('forty-two');
    await parts.publish.click();
    await openRow(page, 2).click();
    await expect(details(page)).toContainText(`${own}/answers`);
    await expect(details(page)).toContainText('q1');

    // The next message published is not another reply to that request.
    await openRow(page, 1).click();
    await details(page).getByRole('button', { name: 'Publish here' }).click();
    await parts.publish.click();
    await openRow(page, 3).click();
    await expect(details(page)).toContainText('Message 3');
    await expect(details(page)).not.toContainText('Correlation data');
  });

  test('a message to the selected topic: one click fills the form', async ({
    page,
    parts,
    own,
    elsewhere,
  }) => {
    elsewhere.publish(`${own}/pump`, ['1']);
    await page.getByRole('treeitem').filter({ hasText: 'pump' }).click();
    await topicDetails(page).getByRole('button', { name: 'Publish here' }).click();
    await expect(parts.topic).toHaveValue(`${own}/pump`);
    await expect(parts.payload).toBeFocused();
  });
});

test('a message is edited and resent, and a topic is muted', async ({ page, parts, own, elsewhere }) => {
  elsewhere.publish(`${own}/a`, ['first', new Uint8Array([0xff, 0])]);
  await openRow(page, 1).click();
  await details(page).getByRole('button', { name: 'Edit and resend' }).click();
  await expect(parts.payload).toHaveValue('first');
  await parts.payload.fill('second');
  await parts.publish.click();
  await expect(parts.row(`${own}/a`, 'second')).toBeVisible();

  await openRow(page, 2).click();
  await details(page).getByRole('button', { name: 'Edit and resend' }).click();
  await expect(parts.payload).toHaveValue('ff 00');

  await details(page).getByRole('button', { name: /^More/ }).click();
  await page.getByRole('menuitem', { name: 'Mute this topic' }).click();
  await expect(parts.rows).toHaveCount(0);
  await page.getByRole('button', { name: 'Filter (1)' }).click();
  await expect(page.getByRole('button', { name: `Unmute ${own}/a` })).toHaveText(`Muted: ${own}/a ×`);
  await page.getByRole('button', { name: `Unmute ${own}/a` }).click();
  await expect(parts.rows).toHaveCount(3);

  await details(page).getByRole('button', { name: /^More/ }).click();
  await page.getByRole('menuitem', { name: 'Mute this topic' }).click();
  await details(page).getByRole('button', { name: /^More/ }).click();
  await page.getByRole('menuitem', { name: 'Unmute this topic' }).click();
  await expect(parts.rows).toHaveCount(3);
});

test('the figures keep counting in every view', async ({ page, parts, own, elsewhere }) => {
  await showView(page, 'Broker');
  await expect(parts.count('Received')).toHaveText('0');
  elsewhere.publish(`${own}/a`, ['1', '2']);
  await expect(parts.count('Received')).toHaveText('2');
  await expect(parts.count('In memory')).toHaveText('2');
  await expect(parts.count('Per second')).toHaveText('0');
});

test('an empty feed says whether nothing was received or messages wait for Resume', async ({
  page,
  parts,
  own,
}) => {
  await parts.topic.fill(own.replace('mqttwasm', 'elsewhere'));
  await parts.publish.click();
  await expect(parts.results.first()).toContainText('Sent');
  await expect(page.getByText('Nothing received yet')).toBeVisible();
  await page.getByRole('button', { name: 'Pause', exact: true }).click();
  await parts.topic.fill(`${own}/a`);
  await parts.publish.click();
  await expect(page.getByText('Messages are kept, and shown when you press Resume.')).toBeVisible();
});

test('the menu works by keyboard', async ({ page, own, elsewhere }) => {
  elsewhere.publish(`${own}/a`, ['1']);
  await openRow(page, 1).click();
  const more = details(page).getByRole('button', { name: /^More/ });
  await more.press('Enter');
  await expect(page.getByRole('menuitem', { name: 'Show only this topic' })).toBeFocused();
  await page.keyboard.press('End');
  await expect(page.getByRole('menuitem', { name: 'Copy bytes as hex' })).toBeFocused();
  expect(await violationsOf(page)).toEqual([]);
  await page.keyboard.press('Escape');
  await expect(more).toBeFocused();
  await expect(details(page)).toBeVisible();
});

test.describe('on a phone', () => {
  test.use({ viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true });

  test('four views, one at a time; the feed first, and details below their list', async ({
    page,
    parts,
    own,
    elsewhere,
  }) => {
    await expect(parts.log).toBeVisible();
    await expect(parts.topic).toBeHidden();
    await expect(parts.url).toBeHidden();
    // One line, which scrolls to the rest.
    expect(
      (await page.getByText('Memory limit').locator('xpath=ancestor::footer').boundingBox())?.height,
    ).toBeLessThan(60);
    const ways = page.getByRole('navigation', { name: 'Views' }).getByRole('button');
    await expect(ways).toHaveText(['Feed', 'Topics', 'Publish', 'Broker']);
    for (const way of await ways.all()) {
      const { width = 0, height = 0 } = (await way.boundingBox()) ?? {};
      expect(Math.min(width, height)).toBeGreaterThanOrEqual(44);
    }
    await ways.nth(2).tap();
    await expect(parts.log).toBeHidden();
    await parts.publish.tap();
    await ways.nth(0).tap();
    await expect(parts.rows).toHaveCount(1);

    elsewhere.publish(`${own}/pump`, ['7']);
    await openRow(page, 2).tap();
    await details(page).getByRole('button', { name: 'Publish here' }).tap();
    await expect(parts.topic).toHaveValue(`${own}/pump`);
    await expect(details(page)).toBeHidden();

    // A new connection starts at the address field.
    await page.getByRole('button', { name: 'Another broker' }).tap();
    await expect(parts.url).toBeVisible();
    await page.getByRole('button', { name: 'Close Connection 2' }).tap();

    await ways.nth(3).tap();
    await expect(parts.url).toBeVisible();
    await openSettings(page, 'Session');
    await expect(page.getByText('Round-trip time').last()).toBeVisible();
  });
});

test('on a phone charts are below the messages, and leave the other views alone', async ({
  page,
  parts,
  own,
  elsewhere,
}) => {
  await page.setViewportSize({ width: 390, height: 844 });
  elsewhere.publish(`${own}/pump`, ['7']);
  await openRow(page, 1).click();
  await details(page).getByRole('button', { name: 'Chart value:' }).click();
  const charts = page.getByRole('region', { name: 'Charts' });
  await expect(charts).toBeVisible();
  await showView(page, 'Fleet');
  await expect(charts).toBeHidden();
  await showView(page, 'Messages');
  await expect(charts.locator('canvas')).toBeVisible();
  await expect(parts.rows).toHaveCount(1);
});

test('from 900 to 1200 pixels the inspector overlays the feed', async ({ page, own, elsewhere }) => {
  await page.setViewportSize({ width: 1000, height: 700 });
  elsewhere.publish(`${own}/a`, ['1']);
  const log = page.getByRole('log', { name: 'Messages' });
  const width = async () => (await log.boundingBox())?.width;
  await expect.poll(width).toBeGreaterThan(700);
  await expect(openRow(page, 1)).toBeVisible();
  const before = await log.boundingBox();
  await openRow(page, 1).click();
  await expect(details(page)).toBeVisible();
  expect(await log.boundingBox()).toEqual(before);
  await showView(page, 'Messages');
  await page.keyboard.press('Escape');
  await expect(details(page)).toHaveCount(0);
});

test('an edited address is shown as not in use', async ({ page, server }) => {
  const parts = partsOf(page);
  await page.goto(server.url);
  await expect(parts.status).toHaveText(/^connected/);
  await expect(parts.connect).toHaveCount(0);
  await parts.url.fill(`${server.mqtt}?other`);
  await expect(parts.connect).toBeVisible();
  await parts.url.press('Enter');
  // The query string is only in the form, not in the status.
  await expect(parts.status).toHaveAttribute('data-edited', 'false');
  await expect(parts.url).toHaveValue(`${server.mqtt}?other`);
  await expect(parts.status).toHaveText(`connected ${server.mqtt}`);
  await expect(parts.connect).toHaveCount(0);
});

for (const [what, width, height] of [
  ['a laptop’s page at 200 %', 683, 328],
  ['a phone on its side', 844, 390],
] as const) {
  test(`in the low window of ${what} the tree has room, and scrolls away for the subscriptions`, async ({
    page,
    parts,
  }) => {
    await page.setViewportSize({ width, height });
    await showView(page, 'Topics');
    const empty = page.getByText('No topics yet');
    await expect(empty).toBeInViewport({ ratio: 1 });
    const head = await page.getByText('Value', { exact: true }).boundingBox();
    expect((await empty.boundingBox())?.y).toBeGreaterThan((head?.y ?? 0) + (head?.height ?? 0));
    await parts.filter.fill('low-window/#');
    await parts.subscribe.click();
    await expect(parts.subscriptions).toHaveCount(2);
    await showView(page, 'Publish');
    await parts.publish.click();
    await showView(page, 'Topics');
    const tree = page.getByRole('tree');
    await expect(tree.getByRole('treeitem')).toHaveCount(1);
    expect((await tree.boundingBox())?.height).toBeGreaterThan(120);
  });
}

test('a quiet button does not stand out more when disabled', async ({ page, parts }) => {
  const clear = page.getByRole('button', { name: 'Clear tree' });
  const frame = () => clear.evaluate((button) => getComputedStyle(button).borderColor);
  await expect(clear).toBeDisabled();
  const before = await frame();
  await parts.publish.click();
  await expect(clear).toBeEnabled();
  expect(before).toBe(await frame());
});

test('what empties a list keeps the focus, though there is nothing more to empty', async ({
  page,
  parts,
}) => {
  await parts.publish.click();
  await expect(parts.rows).toHaveCount(1);
  for (const name of ['Clear', 'Clear tree']) {
    const button = page.getByRole('button', { name, exact: true });
    await expect(button).toBeEnabled();
    await button.press('Enter');
    await expect(button).toBeDisabled();
    await expect(button).toBeFocused();
    // And looks disabled in forced colours, too.
    await page.emulateMedia({ forcedColors: 'active' });
    expect(await button.evaluate((of) => getComputedStyle(of).color)).toBe(
      await page.evaluate(() => {
        const probe = document.body.appendChild(document.createElement('i'));
        probe.style.color = 'GrayText';
        return getComputedStyle(probe).color;
      }),
    );
    await page.emulateMedia({ forcedColors: 'none' });
  }
});
