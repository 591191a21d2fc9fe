/** Tabs that share a session: whatever happens to one, the messages of the others arrive. */

import { expect, type Page, test } from '@playwright/test';
import { random } from '../src/worker/sharing/testing-random';
import { type Server, startServer } from './support/brokers';
import {
  complete,
  count,
  freeze,
  keepSession,
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

for (const store of [false, true]) {
  const kind = store ? 'a store' : 'a session';
  for (const tabs of [2, 3, 5]) {
    for (const seed of seeds) {
      test(`${tabs} tabs with ${kind} opened at once get all queued messages (seed ${seed})`, async ({
        context,
      }) => {
        const clientId = `shared-${tabs}-${seed}`;
        const next = random(seed);
        const topics = Array.from({ length: tabs }, (_, n) => `shared/${n}`);
        await keepSession(broker, clientId, topics);
        await publish(broker, topics);
        const pages = await newPages(context, tabs);
        await Promise.all(
          pages.map((page, n) =>
            openTab(page, {
              ...{ origin: server.url, broker, clientId, filter: topics[n] as string, store },
              delay: next() * 1500,
            }),
          ),
        );
        expect(await Promise.all(pages.map((page) => received(page)))).toEqual(pages.map(() => complete));
      });
    }
  }

  for (const tabs of [2, 3, 5]) {
    for (const seed of seeds) {
      test(`one of ${tabs} tabs with ${kind} is frozen: it gets all messages once resumed, the others at once (seed ${seed})`, async ({
        context,
      }) => {
        const clientId = `frozen-${tabs}-${seed}`;
        const middle = Math.floor(random(seed)() * count);
        const pages = await newPages(context, tabs);
        for (const page of pages) {
          await openTab(page, { origin: server.url, broker, clientId, filter: 'shared/#', store });
        }
        const [frozen, ...others] = pages.toReversed() as [Page, ...Page[]];
        const begun = publish(broker, ['shared/x'], 0, middle);
        const thaw = await freeze(frozen);
        await begun;
        await publish(broker, ['shared/x'], middle);
        expect(await Promise.all(others.map((page) => received(page)))).toEqual(others.map(() => complete));
        await thaw();
        expect(await received(frozen)).toEqual(complete);
        expect(await frozen.evaluate(() => window.errors)).toEqual([]);
      });
    }
  }
}

test('tabs that resume a session one after the other get everything, and unwanted filters are unsubscribed', async ({
  context,
}) => {
  await keepSession(broker, 'late', ['shared/0', 'shared/1', 'shared/nobody']);
  await publish(broker, ['shared/nobody', 'shared/0', 'shared/1']);
  const [a, b] = (await newPages(context, 2)) as [Page, Page];
  const late = { origin: server.url, broker, clientId: 'late' };
  await openTab(a, { ...late, filter: 'shared/0' });
  await openTab(b, { ...late, filter: 'shared/1', delay: 3000 });
  expect(await Promise.all([a, b].map((page) => received(page)))).toEqual([complete, complete]);
});

test('tabs with the same subscription opened at once all get the queued messages', async ({ context }) => {
  await keepSession(broker, 'same', ['shared/all']);
  await publish(broker, ['shared/all']);
  const pages = await newPages(context, 3);
  const same = { origin: server.url, broker, clientId: 'same', filter: 'shared/all' };
  await Promise.all(pages.map((page, n) => openTab(page, { ...same, delay: n * 500 })));
  expect(await Promise.all(pages.map((page) => received(page)))).toEqual(pages.map(() => complete));
});
