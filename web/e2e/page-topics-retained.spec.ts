import { type Server, startMosquitto } from './support/brokers';
import { expect, test } from './support/fixtures';
import { connectTo, openConnected, type Parts, showView } from './support/page';
import { freePort } from './support/process';
import type { Publisher } from './support/publisher';
import { topicsOf } from './support/topics';

let server: Server;
let elsewhere: Publisher;
let parts: Parts;
/** A prefix for this test's topics. */
let own: string;

test.beforeEach(async ({ server: theServer, elsewhere: theElsewhere, parts: theParts, own: theOwn }) => {
  server = theServer;
  elsewhere = theElsewhere;
  parts = theParts;
  own = theOwn;
});

test('retained messages below a branch are cleared after confirmation', async ({ page }) => {
  const topics = topicsOf(page);
  const plant = own.replace('mqttwasm', 'plant');
  await parts.retain.check();
  await parts.qos.selectOption('1');
  for (const name of ['a', 'b', 'c/d']) {
    await parts.topic.fill(`${plant}/${name}`);
    await parts.publish.click();
  }
  await expect(parts.results.filter({ hasText: 'Acknowledged' })).toHaveCount(3);
  await parts.filter.fill(`${plant}/#`);
  await parts.subscribe.click();
  await expect(parts.rows).toHaveCount(3);
  await showView(page, 'Topics');
  await expect(topics.row('d')).toHaveAccessibleName(/retained/);
  await expect(topics.fact('Retained')).toHaveText('3');

  await topics.row(plant).click();
  await topics.details.getByRole('button', { name: 'Clear retained (3)…' }).click();
  await expect(topics.dialog).toContainText('3 retained messages at and below plant');
  await topics.dialog.getByRole('button', { name: 'Cancel' }).click();
  await expect(topics.dialog).toHaveCount(0);
  await expect(topics.fact('Retained')).toHaveText('3');

  await topics.details.getByRole('button', { name: 'Clear retained (3)…' }).click();
  await topics.dialog.getByRole('button', { name: 'Clear 3 retained messages' }).click();
  await expect(topics.dialog.getByRole('status')).toHaveText('Cleared 3 retained messages.');
  await topics.dialog.getByRole('button', { name: 'Close' }).click();
  await expect(topics.fact('Retained')).toHaveText('0');

  // A new subscriber gets none.
  const other = await page.context().newPage();
  const there = await openConnected(other, server.url);
  await there.filter.fill(`${plant}/#`);
  await there.subscribe.click();
  await expect(there.subscriptions).toHaveCount(2);
  elsewhere.publish(`${plant}/marker`, ['after it']);
  await expect(there.row(`${plant}/marker`, 'after it')).toHaveCount(1);
  await expect(there.rows).toHaveCount(1);
  await other.close();
});

test('nothing is shown as retained after a broker restarts without its retained messages', async ({
  page,
  complaints,
}) => {
  const topics = topicsOf(page);
  const port = await freePort();
  let broker = await startMosquitto(port);
  try {
    await connectTo(parts, broker.mqtt);
    await expect(parts.status).toHaveText(`connected ${broker.mqtt}`);
    await parts.retain.check();
    await parts.publish.click();
    await expect(topics.fact('Retained')).toHaveText('1');
    await broker.stop();
    // At least one attempt has failed.
    await expect(parts.status).toContainText(/attempt ([2-9]|\d\d)/);
    await expect(topics.fact('Retained')).toHaveText('1');
    broker = await startMosquitto(port);
    await expect(parts.status).toHaveText(`connected ${broker.mqtt}`);
    await expect(topics.fact('Retained')).toHaveText('0');
  } finally {
    await broker.stop();
  }
  complaints.splice(0); // logged while there was no broker
});
