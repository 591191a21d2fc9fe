import type { Page } from '@playwright/test';
import { expect, test } from './support/fixtures';
import type { Parts } from './support/page';
import type { Publisher } from './support/publisher';

let elsewhere: Publisher;
let parts: Parts;
/** The page's own subscription, without the last level. */
let own: string;

test.beforeEach(async ({ elsewhere: theElsewhere, parts: theParts, own: theOwn }) => {
  elsewhere = theElsewhere;
  parts = theParts;
  own = theOwn;
});

async function publish(topic: string, payload: string): Promise<void> {
  await parts.topic.fill(topic);
  await parts.payload.fill(payload);
  await parts.publish.click();
}

async function subscribe(filter: string): Promise<void> {
  await parts.filter.fill(filter);
  await parts.subscribe.click();
  await expect(parts.subscriptions.filter({ hasText: filter })).toContainText(/QoS \d/);
}

function unsubscribe(page: Page, filter: string): Promise<void> {
  return page.getByRole('button', { name: `Unsubscribe from ${filter}` }).click();
}

test('the tutorial: messages: 0, 1, 2, … once a second, each with its success', async () => {
  const topic = await parts.topic.inputValue();
  await expect(parts.payload).toHaveValue('messages: {{n}}');
  await parts.qos.selectOption('1 · at least once');
  await parts.repeat.check();
  await parts.publish.click();
  for (const n of [0, 1, 2]) await expect(parts.row(topic, `messages: ${n}`)).toHaveCount(1);
  await parts.stop.click();
  await expect(parts.publish).toBeVisible();

  const sent = await parts.results.count();
  expect(sent).toBeGreaterThanOrEqual(3);
  await expect(parts.results.filter({ hasText: /Acknowledged after \d+ ms/ })).toHaveCount(sent);
  await expect(parts.rows).toHaveCount(sent);

  // Once a second, by the times shown.
  const times = await parts.rows.locator('time').allTextContents();
  const seconds = times.map((time) => Date.parse(`2000-01-01T${time}Z`) / 1000);
  for (const n of [1, 2]) {
    const gap = (seconds[n] ?? 0) - (seconds[n - 1] ?? 0);
    expect((gap + 86_400) % 86_400).toBeGreaterThan(0.5);
  }

  // Stopped: a message sent now directly follows the last repeat, with the next number.
  await parts.repeat.uncheck();
  await parts.publish.click();
  await expect(parts.row(topic, `messages: ${sent}`)).toHaveCount(1);
  await expect(parts.rows).toHaveCount(sent + 1);
});

test('a wildcard subscription receives messages until it is unsubscribed', async ({ page }) => {
  const plant = own.replace('mqttwasm', 'plant');
  await subscribe(`${plant}/+/temperature`);
  elsewhere.publish(`${plant}/hall/temperature`, ['21.5']);
  await expect(parts.row(`${plant}/hall/temperature`, '21.5')).toHaveCount(1);
  await expect(parts.subscriptions.filter({ hasText: plant })).toContainText('1 message');

  await unsubscribe(page, `${plant}/+/temperature`);
  await expect(parts.subscriptions).toHaveCount(1);
  // Both use one connection to the broker, so they arrive in order.
  elsewhere.publish(`${plant}/hall/temperature`, ['22.5']);
  elsewhere.publish(`${own}/marker`, ['after it']);
  await expect(parts.row(`${own}/marker`, 'after it')).toHaveCount(1);
  await expect(parts.rows).toHaveCount(2);
});

test('publishing while disconnected is explained and keeps the form', async () => {
  const topic = `${own}/kept`;
  await parts.disconnect.click();
  await expect(parts.status).toHaveText(/^disconnected/);
  await publish(topic, 'typed with care');
  await expect(parts.results).toContainText(['Failed: not connected to a broker']);
  await expect(parts.topic).toHaveValue(topic);
  await expect(parts.payload).toHaveValue('typed with care');
  await expect(parts.rows).toHaveCount(0);

  await parts.connect.click();
  await expect(parts.status).toHaveText(/^connected/);
  await parts.publish.click();
  await expect(parts.row(topic, 'typed with care')).toHaveCount(1);
  await expect(parts.rows).toHaveCount(1);
});

test('Chinese, emoji and line breaks arrive as typed', async ({ page }) => {
  const topic = `${own}/温度/🌡️`;
  await publish(topic, '你好，世界 👩‍👩‍👧‍👦 Ωmega');
  await expect(parts.row(topic, '你好，世界 👩‍👩‍👧‍👦 Ωmega')).toHaveCount(1);

  await publish(topic, 'first\n\tsecond');
  await page.getByRole('button', { name: 'Details of message 2' }).click();
  const details = page.getByRole('region', { name: 'Message details' });
  await expect.poll(() => details.locator('pre').textContent()).toBe('first\n\tsecond');
  await expect(details).toContainText('13 bytes');
});

test('binary payloads are shown as bytes, empty ones as empty', async ({ page }) => {
  elsewhere.publish(`${own}/binary`, [new Uint8Array([0, 0xff, 0xfe, 0x80, 0x41])]);
  await expect(parts.row(`${own}/binary`, '00 ff fe 80 41')).toContainText('binary');
  await page.getByRole('button', { name: 'Details of message 1' }).click();
  await expect(page.getByRole('region', { name: 'Message details' }).locator('pre')).toHaveText(
    /^00000000 {2}00 ff fe 80 41 +····A$/,
  );
  await publish(`${own}/empty`, '');
  await expect(parts.row(`${own}/empty`, 'empty')).toContainText('0 B');
});

test('each QoS is sent, acknowledged and delivered', async ({ page }) => {
  const words = ['Sent', /Acknowledged after \d+ ms$/, /Acknowledged after \d+ ms$/];
  for (const qos of [0, 1, 2]) {
    await parts.qos.selectOption(String(qos));
    await publish(`${own}/qos`, `at ${qos}`);
    const row = parts.row(`${own}/qos`, `at ${qos}`);
    await expect(row).toHaveCount(1);
    // A row omits the default.
    await expect(row.getByText(/^QoS/)).toHaveText(qos === 0 ? [] : [`QoS ${qos}`]);
    await row.getByRole('button').click();
    await expect(page.getByRole('region', { name: 'Message details' })).toContainText(`QoS ${qos}`);
    await expect(parts.results.first().locator('.outcome-text')).toHaveText(words[qos] ?? '');
  }
});

test('a later subscriber gets a retained message, marked as retained', async ({ page }) => {
  const topic = own.replace('mqttwasm', 'retained');
  await parts.retain.check();
  await parts.qos.selectOption('1');
  await publish(topic, 'still here');
  await expect(parts.results).toContainText(['Acknowledged']);
  await expect(parts.rows).toHaveCount(0);

  await subscribe(topic);
  await expect(parts.row(topic, 'still here')).toContainText('retained');

  // An empty one removes it [MQTT-3.3.1-6].
  await publish(topic, '');
  await expect(parts.row(topic, 'empty')).toHaveCount(1);
  await unsubscribe(page, topic);
  await expect(parts.subscriptions).toHaveCount(1);
  await subscribe(topic);
  await parts.retain.uncheck();
  await publish(`${own}/marker`, 'after it');
  await expect(parts.row(`${own}/marker`, 'after it')).toHaveCount(1);
  await expect(parts.rows).toHaveCount(3);
});

test('invalid input is explained at its field and affects nothing else', async ({ page }) => {
  async function expectError(field: Parts['topic'], words: RegExp): Promise<void> {
    await expect(field).toHaveAttribute('aria-invalid', 'true');
    await expect(field).toHaveAccessibleDescription(words);
  }
  for (const topic of ['plant/+/temperature', 'plant/#']) {
    await publish(topic, 'kept');
    await expectError(parts.topic, /wildcard/i);
  }
  await publish('', 'kept');
  await expectError(parts.topic, /empty/i);
  await expect(parts.payload).toHaveValue('kept');

  for (const filter of ['a/#/b', 'a#', 'a/b+']) {
    await parts.filter.fill(filter);
    await parts.subscribe.click();
    await expectError(parts.filter, filter.includes('#') ? /#/ : /\+/);
  }
  await parts.repeat.check();
  const seconds = page.getByRole('spinbutton', { name: 'Seconds between messages' });
  await seconds.fill('0');
  await parts.publish.click();
  await expectError(seconds, /Between 0.1 and/);
  await parts.repeat.uncheck();

  // The connection is unaffected.
  await expect(parts.subscriptions).toHaveCount(1);
  await publish(`${own}/fine`, 'fine');
  await expect(parts.row(`${own}/fine`, 'fine')).toHaveCount(1);
  await expect(parts.topic).not.toHaveAttribute('aria-invalid');

  await parts.disconnect.click();
  for (const url of [
    'broker.example:8083/mqtt',
    'http://broker.example/mqtt',
    'ws://',
    'ws://broker.example/#',
    '',
  ]) {
    await parts.url.fill(url);
    await parts.connect.click();
    await expectError(parts.url, /url|address|ws:|fragment|empty/i);
    await expect(parts.status).toHaveText(/^disconnected/);
  }
});

test('markup in topic and payload is rendered as text', async ({ page }) => {
  const hostile = '<img src=x onerror=alert(1)>';
  const topic = `${own}/${hostile}`;
  const dialogs: string[] = [];
  const requests: string[] = [];
  page.on('dialog', (dialog) => {
    dialogs.push(dialog.message());
    void dialog.dismiss();
  });
  // The page loads its own assets on demand.
  page.on(
    'request',
    (request) => /\/assets\/[\w-]+\.(js|css)$/.test(request.url()) || requests.push(request.url()),
  );

  await publish(topic, hostile);
  await expect(parts.row(topic, hostile)).toHaveCount(1);
  await page.getByRole('button', { name: 'Details of message 1' }).click();
  await expect(page.getByRole('region', { name: 'Message details' }).locator('pre')).toHaveText(hostile);
  await subscribe(`${topic}/#`);
  await unsubscribe(page, `${topic}/#`);
  await expect(parts.subscriptions).toHaveCount(1);

  await expect(page.locator('img')).toHaveCount(0);
  expect(dialogs).toEqual([]);
  expect(requests).toEqual([]);
});
