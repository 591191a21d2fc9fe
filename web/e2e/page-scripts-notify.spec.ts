/** What a script's alert does besides marking its row. Only the full browser has notifications. */

import type { Page } from '@playwright/test';
import type { Server } from './support/brokers';
import { expect, test } from './support/fixtures';
import { type Parts, showView, wholeBrowser } from './support/page';
import { bringScript, logOf, start } from './support/scripts';

test.use(wholeBrowser);

const code = 'const onMessage = (message) => alert("hot: " + message.text());';

interface Notified {
  title: string;
  body: string;
  tag: string;
  /** Milliseconds. */
  at: number;
  /** Whether the browser displayed it. */
  shown: boolean;
}
type Watched = typeof globalThis & { notified: Notified[] };

/** Lets the browser show notifications, and records each. */
async function watchNotifications(page: Page, parts: Parts): Promise<() => Promise<Notified[]>> {
  await page.addInitScript(() => {
    const notified: Notified[] = [];
    (globalThis as Watched).notified = notified;
    globalThis.Notification = class extends Notification {
      constructor(title: string, options?: NotificationOptions) {
        super(title, options);
        const one = {
          title: this.title,
          body: this.body,
          tag: this.tag,
          at: performance.now(),
          shown: false,
        };
        notified.push(one);
        this.onshow = () => {
          one.shown = true;
        };
      }
    };
  });
  await page.reload();
  await expect(parts.status).toHaveText(/^connected/);
  await showView(page, 'Scripts');
  return () => page.evaluate(() => (globalThis as Watched).notified);
}

async function permit(page: Page, url: string, setting: 'granted' | 'denied' | 'prompt'): Promise<void> {
  const browser = await page.context().newCDPSession(page);
  const { browserContextId = '' } = (await browser.send('Target.getTargetInfo')).targetInfo;
  const { origin } = new URL(url);
  const permission = { name: 'notifications' };
  await browser.send('Browser.setPermission', { browserContextId, origin, permission, setting });
}

interface Given {
  page: Page;
  parts: Parts;
  own: string;
  server: Server;
}

/** Starts a script that alerts, with notifications allowed or blocked, so that there is no prompt. */
async function startOven({ page, parts, own, server }: Given, setting: 'granted' | 'denied') {
  await permit(page, server.url, setting);
  const notified = await watchNotifications(page, parts);
  await bringScript(page, { name: 'oven', code, filter: `${own}/oven` });
  await start(page, 'oven');
  await expect(page.getByRole('button', { name: 'Allow notifications' })).toHaveCount(0);
  await expect(told(page)).toHaveCount(0);
  return notified;
}

const told = (page: Page) => page.getByRole('status', { name: 'Notifications' });

test('an alert shows a notification if allowed, at most once in three seconds', async ({
  page,
  parts,
  own,
  server,
  elsewhere,
}) => {
  const notified = await startOven({ page, parts, own, server }, 'granted');
  elsewhere.publish(`${own}/oven`, ['1', '2', '3']);
  await expect(logOf(page)).toContainText('hot: 3');
  const [first, ...more] = await notified();
  expect(first).toMatchObject({ title: 'oven', body: 'hot: 1', tag: 'oven' });
  expect(more).toEqual([]);
  await expect.poll(async () => (await notified())[0]?.shown).toBe(true);
  await expect(told(page)).toHaveCount(0);

  await expect(async () => {
    elsewhere.publish(`${own}/oven`, ['again']);
    expect(await notified()).toHaveLength(2);
  }).toPass();
  const [, second] = await notified();
  expect(second?.body).toBe('hot: again');
  expect((second?.at ?? 0) - (first?.at ?? 0)).toBeGreaterThan(2950);
  await showView(page, 'Messages');
  await expect(parts.row(`${own}/oven`, '2').locator('.row-alert')).toHaveText('hot: 2');
});

test('an alert marks its row if notifications are blocked, and the page says how to allow them', async ({
  page,
  parts,
  own,
  server,
  elsewhere,
}) => {
  const notified = await startOven({ page, parts, own, server }, 'denied');
  elsewhere.publish(`${own}/oven`, ['1']);
  await expect(logOf(page)).toContainText('hot: 1');
  await expect(told(page)).toContainText('Allow them in its settings for this site');
  await showView(page, 'Messages');
  await expect(parts.row(`${own}/oven`, '1').locator('.row-alert')).toHaveText('hot: 1');
  expect(await notified()).toEqual([]);

  // Before the user has decided, a click may prompt.
  await permit(page, server.url, 'prompt');
  await showView(page, 'Scripts');
  await expect(page.getByRole('button', { name: 'Allow notifications' })).toBeVisible();
});
