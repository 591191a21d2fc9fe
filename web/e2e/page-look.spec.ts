import type { Page } from '@playwright/test';
import { violationsOf } from './support/axe';
import { expect, test } from './support/fixtures';
import { collisionsOf } from './support/layout';
import { lookOf } from './support/look';
import { inBothSchemes, laptopAndPhone, openSettings, type Parts, picture, showView } from './support/page';
import type { Publisher } from './support/publisher';

// Each state of the page on a laptop and on a phone, in light and dark: no axe violations, and no visual
// change. At every size nothing overflows the screen and nothing overlaps.
const moreSizes = [
  [360, 800],
  [920, 700],
  [1440, 900],
  [1920, 1080],
] as const;

interface Given {
  page: Page;
  parts: Parts;
  own: string;
  elsewhere: Publisher;
}

const tool = (page: Page, name: string) => page.getByRole('button', { name, exact: true });

/** Messages from a garden's sensors. */
async function busy({ parts, own, elsewhere }: Given): Promise<void> {
  for (let n = 0; n < 12; n++) {
    elsewhere.publish(`${own}/garden/north/temp`, [(21 + Math.sin(n)).toFixed(1)]);
    elsewhere.publish(`${own}/garden/pump/state`, [JSON.stringify({ on: n % 2 === 0, litres: 12 + n })]);
  }
  elsewhere.publish(`${own}/garden/camera`, [new Uint8Array([0xff, 0xd8, 0xff, 0xe0, 0])]);
  elsewhere.publish(`${own}/${'averylonglevelwithoutanyspace'.repeat(8)}/x`, ['w'.repeat(2000)]);
  elsewhere.publish(`${own}/garden/note`, ['番茄需要浇水了 🍅']);
  await expect(parts.rows.filter({ hasText: '番茄' })).toHaveCount(1);
}

async function topics(given: Given): Promise<void> {
  const { page } = given;
  await busy(given);
  await showView(page, 'Topics');
  // The feed may be ahead of the tree.
  await expect(page.getByRole('treeitem', { name: /note/ })).toBeVisible();
  await page.getByRole('treeitem').first().click();
  await page.keyboard.press('*');
  await page.getByRole('treeitem', { name: /garden/ }).click();
  await page.keyboard.press('*');
  await expect(page.getByRole('treeitem', { name: /temp/ })).toBeVisible();
}

async function recorded(given: Given): Promise<void> {
  const { page } = given;
  const recordings = page.getByRole('region', { name: 'Recordings' });
  await tool(page, 'Record').click();
  await recordings.getByRole('button', { name: 'Start recording' }).click();
  await expect(recordings.getByRole('button', { name: 'Stop recording' })).toBeVisible();
  await busy(given);
  await recordings.getByRole('button', { name: 'Stop recording' }).click();
  await expect(recordings.getByRole('listitem')).toHaveCount(1);
}

const states: Record<string, (given: Given) => Promise<void>> = {
  async empty() {},
  busy,
  async details(given) {
    await busy(given);
    await given.parts.rows.filter({ hasText: 'litres' }).last().click();
    await expect(given.page.getByRole('region', { name: 'Message details' })).toContainText('litres');
  },
  topics,
  async 'topics, a chart'(given) {
    await topics(given);
    const details = given.page.getByRole('region', { name: 'Topic details' });
    for (const name of ['temp', 'state']) {
      await given.page.getByRole('treeitem', { name }).click();
      await details.getByRole('button', { name: 'Add to chart' }).click();
    }
    await expect(given.page.getByRole('img', { name: /temp: .*state/ })).toBeVisible();
  },
  async broker({ page }) {
    await showView(page, 'Broker');
    await expect(page.getByRole('list', { name: 'Figures' })).toBeVisible();
  },
  async packets({ page, parts }) {
    await showView(page, 'Packets');
    await page.getByRole('checkbox', { name: 'Record packets' }).check();
    await parts.publish.click();
    await page.getByRole('log', { name: 'Packets' }).getByRole('button').first().click();
    await expect(page.getByRole('region', { name: 'Packet details' })).toBeVisible();
  },
  async 'options and properties'({ page }) {
    await tool(page, 'Properties').click();
    await openSettings(page, 'Options');
    await page.getByText('Last will').click();
    await expect(page.getByRole('textbox', { name: 'Correlation data' })).toHaveCount(2);
  },
  profiles: ({ page }) => openSettings(page, 'Profiles'),
  session: ({ page }) => openSettings(page, 'Session'),
  share: ({ page }) => openSettings(page, 'Share'),
  code: ({ page }) => openSettings(page, 'Code'),
  async 'recordings, none'({ page }) {
    await tool(page, 'Record').click();
    await expect(page.getByRole('region', { name: 'Recordings' })).toContainText('No recordings yet');
  },
  async 'recordings, publishing again'(given) {
    await recorded(given);
    await given.page.getByRole('button', { name: /^Publish again: / }).click();
    await expect(given.page.getByRole('form', { name: 'Publish again' })).toBeVisible();
  },
  async 'recordings, deleting'(given) {
    await recorded(given);
    await given.page.getByRole('button', { name: /^Delete: / }).click();
    await expect(given.page.getByRole('form', { name: 'Delete' })).toBeVisible();
  },
  async 'nine connections'({ page }) {
    const add = page.getByRole('button', { name: 'Another broker' });
    for (let n = 1; n < 9; n++) await add.click();
    const tabs = page.getByRole('navigation', { name: 'Connections' }).getByRole('listitem');
    await expect(tabs).toHaveCount(9);
    // Too many to fit: the list scrolls, not the page.
    await expect(tabs.last()).toBeInViewport({ ratio: 0.95 });
  },
  async shortcuts({ page }) {
    await page.locator('h1').click();
    await page.keyboard.press('?');
    await expect(page.getByRole('dialog', { name: 'Keyboard shortcuts' })).toBeVisible();
  },
  async disconnected({ parts }) {
    await parts.disconnect.click();
    await expect(parts.status).toContainText(/^disconnected/);
  },
  async failing({ page, parts }) {
    await parts.topic.fill('a/#');
    await parts.publish.click();
    await expect(parts.results.first()).toContainText('Failed');
    await page.getByRole('combobox', { name: 'Language' }).focus();
  },
  async Chinese({ page }) {
    await page.getByRole('combobox', { name: 'Language' }).selectOption('中文');
    await page.getByRole('button', { name: '属性', exact: true }).click();
    await page.getByRole('button', { name: '设置', exact: true }).click();
    await page.getByText('会话、限制和认证', { exact: true }).click();
    await page.getByText('遗嘱消息', { exact: true }).click();
    await expect(page.getByRole('textbox', { name: '关联数据' })).toHaveCount(2);
  },
  async 'the theme chosen against the system'({ page }) {
    await page.getByRole('combobox', { name: 'Theme' }).selectOption('Dark');
  },
};

/** The share of pixels that may differ, for states that change every second. */
const moving: Record<string, number> = { broker: 0.03, 'topics, a chart': 0.02 };

for (const [name, prepare] of Object.entries(states)) {
  test(name, async ({ page, parts, own, elsewhere }) => {
    const look = async (width: number, height: number, scheme: string) => {
      const where = `${width}x${height}, ${scheme}`;
      await picture(page, `${name}, ${where}`, width < 1000);
      const beside = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
      expect.soft(beside, where).toBeLessThanOrEqual(0);
      expect.soft(await collisionsOf(page), where).toEqual([]);
      return where;
    };
    await prepare({ page, parts, own, elsewhere });
    const stored = await lookOf(page, name, moving[name]);
    for (const [width, height] of laptopAndPhone) {
      await page.setViewportSize({ width, height });
      await inBothSchemes(page, async (scheme) => {
        const where = await look(width, height, scheme);
        await stored.expect(where);
        expect.soft(await violationsOf(page, { scheme }), where).toEqual([]);
      });
    }
    await stored.done();
    for (const [width, height] of moreSizes) {
      await page.setViewportSize({ width, height });
      await look(width, height, 'dark');
    }
  });
}
