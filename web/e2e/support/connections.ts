/** A page with connections to several brokers. */

import type { Page } from '@playwright/test';
import { type Mosquitto, startMosquitto } from './brokers';
import { test as base, expect } from './fixtures';
import { connectTo, type Parts } from './page';
import { openPublisher, type Publisher } from './publisher';

interface WorkerFixtures {
  mosquitto: Mosquitto;
  /** Another client at mosquitto; `elsewhere` is one at the server. */
  atMosquitto: Publisher;
}

export const test = base.extend<object, WorkerFixtures>({
  mosquitto: [
    // biome-ignore lint/correctness/noEmptyPattern: Playwright reads what is asked for from the pattern
    async ({}, use) => {
      const mosquitto = await startMosquitto();
      await use(mosquitto);
      await mosquitto.stop();
    },
    { scope: 'worker' },
  ],
  atMosquitto: [
    async ({ mosquitto }, use) => {
      const publisher = await openPublisher(mosquitto.mqtt);
      await use(publisher);
      publisher.close();
    },
    { scope: 'worker' },
  ],
});

/** The name by which the page lists a connection to this address. */
export const nameOf = ({ mqtt }: { mqtt: string }) => new URL(mqtt).host;

export function strip(page: Page) {
  const nav = page.getByRole('navigation', { name: 'Connections' });
  return {
    add: nav.getByRole('button', { name: 'Another broker' }),
    tabs: nav.getByRole('listitem'),
    tab: (broker: { mqtt: string }) => nav.getByRole('button', { name: new RegExp(`^${nameOf(broker)},`) }),
    close: (broker: { mqtt: string }) => nav.getByRole('button', { name: `Close ${nameOf(broker)}` }),
  };
}

export function filterBar(page: Page) {
  const bar = page.getByRole('search', { name: 'Filter messages' });
  return {
    open: bar.getByRole('button', { name: /^Filter/ }),
    connection: bar.getByRole('combobox', { name: 'Connection' }),
    direction: bar.getByRole('combobox', { name: 'Direction' }),
    reset: bar.getByRole('button', { name: 'Reset' }),
  };
}

/** Opens and selects another connection, to this broker. */
export async function addConnection(page: Page, parts: Parts, broker: { mqtt: string }): Promise<void> {
  await strip(page).add.click();
  await connectTo(parts, broker.mqtt);
  await expect(parts.status).toHaveText(`connected ${broker.mqtt}`);
}
