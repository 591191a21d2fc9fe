/** Tabs that share a session lose the program they share: the messages of the surviving tabs still arrive. */

import { expect, type Page, test } from '@playwright/test';
import { random } from '../src/worker/sharing/testing-random';
import { type Server, startServer } from './support/brokers';
import {
  complete,
  count,
  newPages,
  openTab,
  publish,
  received,
  type SharedBroker,
  seeds,
  startSharedBroker,
} from './support/shared-tabs';

let server: Server;
let broker: SharedBroker;

test.describe.configure({ timeout: 120_000 });

test.beforeAll(async () => {
  server = await startServer();
});
test.afterAll(() => server.stop());
test.beforeEach(async ({ context }) => {
  broker = await startSharedBroker(context);
});
test.afterEach(() => broker.stop());

/** Crashes the page's process, and with it the shared worker that runs there. */
async function crash(page: Page): Promise<void> {
  const session = await page.context().newCDPSession(page);
  const crashed = page.waitForEvent('crash');
  session.send('Page.crash').catch(() => {}); // the crashed page can't respond
  await crashed;
}

/** Kills the shared worker; the pages stay alive. */
async function killWorker(page: Page): Promise<void> {
  const session = await page.context().browser()?.newBrowserCDPSession();
  if (!session) throw new Error('no browser');
  const { targetInfos } = await session.send('Target.getTargets', { filter: [{ type: 'shared_worker' }] });
  expect(targetInfos).toHaveLength(1);
  for (const { targetId } of targetInfos) await session.send('Target.closeTarget', { targetId });
  await session.detach();
}

/** Resolves when the page has received a number of messages that depends on the seed. */
async function receivedSome(page: Page, seed: number): Promise<void> {
  const some = Math.floor(random(seed)() * count * 0.8);
  await page.waitForFunction((some) => window.taken.length >= some, some);
}

for (const store of [false, true]) {
  const kind = store ? 'a store' : 'a session';
  for (const tabs of [2, 3, 5]) {
    for (const seed of seeds) {
      test(`of ${tabs} tabs with ${kind} the one that runs the program crashes, and the others get all messages (seed ${seed})`, async ({
        context,
      }) => {
        const pages = await newPages(context, tabs);
        for (const [n, page] of pages.entries()) {
          const clientId = `crash-${tabs}-${seed}`;
          await openTab(page, { origin: server.url, broker, clientId, filter: `shared/${n}`, store });
        }
        const [host, ...others] = pages as [Page, Page, ...Page[]];
        const publishing = publish(
          broker,
          others.map((_, n) => `shared/${n + 1}`),
        );
        await receivedSome(others[0] as Page, seed);
        await crash(host);
        await publishing;
        expect(await Promise.all(others.map((page) => received(page)))).toEqual(others.map(() => complete));
      });

      test(`the worker of ${tabs} tabs with ${kind} and the same subscription is killed, and all get all messages (seed ${seed})`, async ({
        context,
      }) => {
        const pages = await newPages(context, tabs);
        for (const page of pages) {
          const clientId = `kill-${tabs}-${seed}`;
          await openTab(page, { origin: server.url, broker, clientId, filter: 'shared/all', store });
        }
        const publishing = publish(broker, ['shared/all']);
        await receivedSome(pages[0] as Page, seed);
        await killWorker(pages[0] as Page);
        await publishing;
        expect(await Promise.all(pages.map((page) => received(page)))).toEqual(pages.map(() => complete));
      });
    }
  }
}
