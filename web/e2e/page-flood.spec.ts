import { expect, test } from '@playwright/test';
import { type Server, startServer } from './support/brokers';
import { complaintsOf, openConnected } from './support/page';
import { openPublisher, type Publisher } from './support/publisher';

const perSecond = 10_000;
const seconds = 3;
const least = perSecond * seconds;

let server: Server;
let publisher: Publisher;

test.beforeAll(async () => {
  server = await startServer(['-default-broker', 'mqtt']);
  publisher = await openPublisher(server.mqtt);
});

test.afterAll(async () => {
  publisher?.close();
  await server?.stop();
});

/**
 * Sends at a steady rate by the clock. `finish` stops it after three seconds, or at once if they are over,
 * and resolves with the number of messages sent.
 */
function flood(topic: string) {
  const begin = performance.now();
  let sent = 0;
  let enough = Number.POSITIVE_INFINITY;
  const { promise, resolve } = promiseOf<number>();
  const timer = setInterval(() => {
    const due = Math.floor(((performance.now() - begin) / 1000) * perSecond);
    // In frames of a few hundred messages, as a busy sensor network's gateway would send them.
    while (sent < due) {
      const numbers = Array.from({ length: Math.min(500, due - sent) }, (_, index) => sent + index);
      const payloads = numbers.map((number) => `flood ${number}`);
      publisher.publish(topic, payloads);
      sent += numbers.length;
    }
    if (sent < enough) return;
    clearInterval(timer);
    resolve(sent);
  }, 10);
  return {
    finish() {
      enough = least;
      return promise;
    },
  };
}

function promiseOf<T>() {
  let resolve: (value: T) => void = () => {};
  const promise = new Promise<T>((settle) => {
    resolve = settle;
  });
  return { promise, resolve };
}

test('10,000 messages a second: all accounted for, few rows, a responsive page', { tag: '@alone' }, async ({
  page,
}) => {
  const complaints = await complaintsOf(page);
  const parts = await openConnected(page, server.url);
  const topic = (await parts.topic.inputValue()).replace(/hello$/, 'flood');
  await page.getByRole('combobox', { name: 'Memory limit' }).selectOption('8 MiB');
  await page.evaluate(() => {
    const log = document.querySelector('[role=log]');
    if (!log) throw new Error('no log');
    const most = { rows: 0 };
    Object.assign(window, { most });
    new MutationObserver(() => {
      most.rows = Math.max(most.rows, log.querySelectorAll('.row').length);
    }).observe(log, { subtree: true, childList: true });
  });

  const { finish } = flood(topic);
  await expect(parts.count('Received')).not.toHaveText('0');
  // The flood continues until this is done, so an unresponsive page fails here.
  await parts.payload.fill('');
  await parts.payload.pressSequentially('typed meanwhile');
  await expect(parts.payload).toHaveValue('typed meanwhile');
  const total = await finish();

  // Messages from one client arrive in order, so this is the last.
  publisher.publish(topic, ['the last']);
  await expect(parts.row(topic, 'the last')).toHaveCount(1);

  const number = async (name: string) => Number((await parts.count(name).textContent())?.replaceAll(',', ''));
  const received = await number('Received');
  expect(received + (await number('Dropped'))).toBe(total + 1);
  const evicted = await number('Discarded');
  expect(evicted).toBeGreaterThan(0);
  expect(await number('In memory')).toBe(received - evicted);

  const most = await page.evaluate(() => (window as unknown as { most: { rows: number } }).most.rows);
  expect(most).toBeGreaterThan(5);
  expect(most).toBeLessThan(200);

  await parts.publish.click();
  await expect(parts.row(await parts.topic.inputValue(), 'typed meanwhile')).toHaveCount(1);
  expect(complaints).toEqual([]);
});
