/** What most tests of the page begin with, once a worker and once a test. */

import { test as base, expect } from '@playwright/test';
import { type Server, startServer } from './brokers';
import { complaintsOf, openConnected, type Parts } from './page';
import { openPublisher, type Publisher } from './publisher';

interface WorkerFixtures {
  /** With its own broker as the default one. */
  server: Server;
  /** Somebody else at that broker. */
  elsewhere: Publisher;
}

interface TestFixtures {
  /** What the browser complains about; a test ends with none. */
  complaints: string[];
  /** The page, open and connected. */
  parts: Parts;
  /** What the page's own subscription covers, without the last level: topics of this test alone. */
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
  // `complaints` first, so that what opening the page brings up is among them.
  async parts({ page, server, complaints: _ }, use) {
    await use(await openConnected(page, server.url));
  },
  async own({ page, parts: _ }, use) {
    // Also where the form is not the view that is shown.
    const form = page.getByRole('form', { name: 'Publish', includeHidden: true });
    const topic = form.getByRole('textbox', { name: 'Topic', includeHidden: true });
    await use((await topic.inputValue()).replace(/\/hello$/, ''));
  },
});

export { expect };
