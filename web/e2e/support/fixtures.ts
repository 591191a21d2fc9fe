/** Fixtures for most tests of the page, per worker and per test. */

import { test as base, expect } from '@playwright/test';
import { type Server, startServer } from './brokers';
import { complaintsOf, openConnected, type Parts } from './page';
import { openPublisher, type Publisher } from './publisher';

interface WorkerFixtures {
  /** With its embedded broker as the default. */
  server: Server;
  /** Another client at that broker. */
  elsewhere: Publisher;
}

interface TestFixtures {
  /** Errors that the browser logs; the test fails if there are any. */
  complaints: string[];
  /** The page, open and connected. */
  parts: Parts;
  /** The page's own subscription without the last level: a topic prefix unique to the test. */
  own: string;
}

export const test = base.extend<TestFixtures, WorkerFixtures>({
  server: [
    // biome-ignore lint/correctness/noEmptyPattern: Playwright reads what is asked for from the pattern
    async ({}, use) => {
      const server = await startServer(['-default-broker', 'mqtt']);
      await use(server);
      await server.stop();
    },
    { scope: 'worker' },
  ],
  elsewhere: [
    async ({ server }, use) => {
      const publisher = await openPublisher(server.mqtt);
      await use(publisher);
      publisher.close();
    },
    { scope: 'worker' },
  ],
  async complaints({ page }, use) {
    const complaints = await complaintsOf(page);
    await use(complaints);
    expect(complaints).toEqual([]);
  },
  // `complaints` first, so that errors while opening the page are recorded.
  async parts({ page, server, complaints: _ }, use) {
    await use(await openConnected(page, server.url));
  },
  async own({ page, parts: _ }, use) {
    // Includes a form that is in a hidden view.
    const form = page.getByRole('form', { name: 'Publish', includeHidden: true });
    const topic = form.getByRole('textbox', { name: 'Topic', includeHidden: true });
    await use((await topic.inputValue()).replace(/\/hello$/, ''));
  },
});

export { expect };
