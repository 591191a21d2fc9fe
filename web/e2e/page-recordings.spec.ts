import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import type { Download, Page } from '@playwright/test';
import type { Server } from './support/brokers';
import { expect, test } from './support/fixtures';
import { laptopAndPhone, openConnected, type Parts } from './support/page';
import type { Publisher } from './support/publisher';

let server: Server;
let elsewhere: Publisher;
let parts: Parts;
/** The page's own subscription, without the last level. */
let own: string;

async function open(page: Page): Promise<void> {
  parts = await openConnected(page, server.url);
  own = (await parts.topic.inputValue()).replace(/\/hello$/, '');
}

test.beforeEach(async ({ server: theServer, elsewhere: theElsewhere, parts: theParts, own: theOwn }) => {
  server = theServer;
  elsewhere = theElsewhere;
  parts = theParts;
  own = theOwn;
});

function controls(page: Page) {
  const section = page.getByRole('region', { name: 'Recordings' });
  const button = (name: string | RegExp) => section.getByRole('button', { name });
  const items = section.getByRole('list', { name: 'Recordings' }).getByRole('listitem');
  return {
    open: page.getByRole('button', { name: 'Record', exact: true }),
    section,
    button,
    items,
    item: (name: string) => items.filter({ hasText: name }),
    start: button('Start recording'),
    stop: button('Stop recording'),
    import: section.getByLabel('Import a recording'),
    said: section.getByRole('status', { name: 'Recordings' }),
    replay: section.getByRole('status', { name: 'Replay' }),
    problem: section.getByRole('alert'),
    form: (name: string) => section.getByRole('form', { name }),
  };
}

type Controls = ReturnType<typeof controls>;

/** Resolves when all have been counted. */
async function arrive(topic: string, payloads: (string | Uint8Array)[]): Promise<void> {
  const before = Number((await parts.count('Received').textContent())?.replaceAll(',', ''));
  elsewhere.publish(topic, payloads);
  await expect(parts.count('Received')).toHaveText((before + payloads.length).toLocaleString('en'));
}

const numbered = (count: number) => Array.from({ length: count }, (_, index) => `number ${index}`);

async function record(page: Page, what: () => Promise<void>): Promise<Controls> {
  const recordings = controls(page);
  if (!(await recordings.section.isVisible())) await recordings.open.click();
  await recordings.start.click();
  await expect(recordings.stop).toBeVisible();
  await what();
  await recordings.stop.click();
  await expect(recordings.said).toContainText(/^Recorded /);
  return recordings;
}

async function rename(recordings: Controls, from: string | RegExp, to: string): Promise<void> {
  await recordings.button(from).click();
  await recordings.form('Rename').getByRole('textbox', { name: 'Name' }).fill(to);
  await recordings.button('Save name').click();
  await expect(recordings.item(to)).toHaveCount(1);
}

async function exported(page: Page, recordings: Controls, name: string): Promise<[Download, string]> {
  const downloading = page.waitForEvent('download');
  await recordings.button(`Export: ${name}`).click();
  const download = await downloading;
  return [download, await readFile(await download.path(), 'utf8')];
}

test('a recording survives a reload, and can be replayed in the feed', async ({ page }) => {
  const topic = `${own}/a`;
  const recordings = await record(page, async () => {
    await arrive(topic, ['one', 'two', Uint8Array.of(0xff, 0)]);
    await parts.publish.click();
    await expect(parts.count('Received')).toHaveText('4');
  });
  await expect(recordings.said).toContainText('Recorded 5 messages');
  await expect(recordings.items).toContainText(server.mqtt);
  await rename(recordings, /^Rename: /, 'tea time');

  await open(page);
  await recordings.open.click();
  await expect(recordings.item('tea time')).toContainText('5 messages');
  await recordings.button('Show in feed: tea time').click();
  await recordings.form('Show in the feed').getByRole('combobox', { name: 'Speed' }).selectOption('at once');
  await recordings
    .button('Show')
    .and(page.getByText('Show', { exact: true }))
    .click();
  await expect(recordings.replay).toContainText('all 5 messages');
  await expect(parts.rows).toHaveCount(4); // without the sent one
  await expect(parts.row(topic, 'two')).toContainText('replayed');
  await expect(parts.count('Received')).toHaveText('0');
  await page.getByRole('button', { name: 'Details of replayed message 1', exact: true }).click();
  const details = page.getByRole('region', { name: 'Message details' });
  await expect(details.getByRole('heading').first()).toContainText('Replayed: Message 1');
  await page.getByRole('button', { name: 'Close details' }).click();

  await recordings.button('Delete: tea time').click();
  await recordings.button('Cancel').click();
  await expect(recordings.button('Delete: tea time')).toBeFocused();
  await recordings.button('Delete: tea time').click();
  await recordings.button('Delete permanently').click();
  await expect(recordings.said).toHaveText('Deleted “tea time”.');
  await expect(recordings.items).toHaveCount(0);
});

test('20,000 messages exported to a file and imported again are unchanged', async ({ page }) => {
  const topic = `${own}/lots`;
  const recordings = await record(page, async () => {
    await arrive(topic, numbered(10_000));
    await arrive(topic, numbered(10_000));
  });
  await expect(recordings.said).toContainText('Recorded 20,000 messages');
  await rename(recordings, /^Rename: /, 'lots');
  const [download, text] = await exported(page, recordings, 'lots');
  expect(download.suggestedFilename()).toBe('lots.ndjson');
  const lines = text.split('\n');
  expect(lines).toHaveLength(20_001);
  expect(JSON.parse(lines[19_999] as string)).toMatchObject({
    topic,
    payload: 'number 9999',
    direction: 'received',
  });
  await expect(recordings.said).toContainText('Exported 20,000 messages');

  const file = { name: 'again.ndjson', mimeType: 'application/x-ndjson', buffer: Buffer.from(text) };
  await recordings.import.setInputFiles(file);
  await expect(recordings.said).toContainText('Imported 20,000 messages of “again.ndjson”.');
  const [, same] = await exported(page, recordings, 'again');
  expect(same).toBe(text);
});

test('records only the topics that the list shows', async ({ page }) => {
  await page.getByRole('button', { name: 'Filter', exact: true }).click();
  await page.getByRole('textbox', { name: 'Topics matching' }).fill(`${own}/wanted/#`);
  const recordings = controls(page);
  await recordings.open.click();
  await expect(recordings.section.getByRole('checkbox', { name: /^Only topics matching / })).toBeChecked();
  await record(page, async () => {
    await arrive(`${own}/wanted/a`, ['1']);
    await arrive(`${own}/other`, ['2']);
  });
  await expect(recordings.said).toContainText('Recorded 1 message as');
  await expect(recordings.items).toContainText(`only ${own}/wanted/#`);
});

test('a recording cut short by closing the page is listed with what was written', async ({ page }) => {
  const recordings = controls(page);
  await recordings.open.click();
  await recordings.start.click();
  await expect(recordings.stop).toBeVisible();
  await arrive(`${own}/a`, numbered(300));
  await expect(recordings.section).toContainText(/Recording everything as .*: 300 messages/);
  await open(page);
  await recordings.open.click();
  await expect(recordings.items).toContainText('300 messages');
  await expect(recordings.items).toContainText('cut short');
  // The name, a date and a time, must not be truncated: it identifies the recording.
  await page.setViewportSize({ width: 1366, height: 657 });
  const name = recordings.items.getByText(/^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d$/);
  await expect.poll(() => name.evaluate((one) => one.scrollWidth - one.clientWidth)).toBe(0);
});

test('the storage in use is measured while recording', async ({ page }) => {
  const recordings = controls(page);
  await recordings.open.click();
  const used = recordings.section.getByText(/ of this browser’s storage in use, /);
  await expect(used).toBeVisible();
  await recordings.start.click();
  await expect(recordings.stop).toBeVisible();
  const before = await used.textContent();
  // Incompressible data.
  for (let n = 0; n < 8; n++) await arrive(`${own}/a`, [randomBytes(1_000_000)]);
  await expect(used).not.toHaveText(before ?? '');
});

test('another tab shows that the recording is in progress', async ({ page, context }) => {
  const recordings = controls(page);
  await recordings.open.click();
  await recordings.start.click();
  await arrive(`${own}/a`, ['x']);
  const tab = await context.newPage();
  await openConnected(tab, server.url);
  const there = controls(tab);
  await there.open.click();
  await expect(there.items).toContainText('being written');
  await expect(there.button(/^Delete: /)).toBeDisabled();
  await tab.close();
});

test('published again unchanged, after a confirmation', async ({ page }) => {
  const topic = `${own}/hello`;
  const recordings = await record(page, async () => {
    await parts.qos.selectOption('1');
    await page.getByRole('button', { name: 'Properties' }).click();
    await page.getByRole('textbox', { name: 'Content type' }).fill('text/plain');
    for (const n of [0, 1, 2]) {
      await parts.publish.click();
      await expect(parts.row(topic, `messages: ${n}`)).toHaveCount(1);
    }
  });
  await recordings.button(/^Publish again: /).click();
  const form = recordings.form('Publish again');
  await expect(form).toContainText(`3 messages will go to ${server.mqtt}`);
  await form.getByRole('combobox', { name: 'Speed' }).selectOption('100 times as fast');
  await form.getByRole('button', { name: 'Publish 3 messages' }).click();
  await expect(recordings.replay).toContainText(`to ${server.mqtt}: all 3 messages.`);
  await expect(parts.count('Received')).toHaveText('6');
  await expect(parts.row(topic, 'messages: 2')).toHaveCount(2);
  await parts.row(topic, 'messages: 2').last().click();
  const details = page.getByRole('region', { name: 'Message details' });
  await expect(details).toContainText('QoS 1');
  await expect(details).toContainText('text/plain');
});

for (const [width, height] of laptopAndPhone) {
  test(`the form to publish again is in view at once, and so are the messages, ${width}x${height}`, async ({
    page,
  }) => {
    await page.setViewportSize({ width, height });
    const recordings = controls(page);
    for (const text of ['first', 'second']) {
      await record(page, () => arrive(`${own}/a`, [text]));
    }
    await recordings
      .button(/^Publish again: /)
      .last()
      .click();
    const go = recordings.form('Publish again').getByRole('button', { name: 'Publish 1 message' });
    await expect(go).toBeInViewport({ ratio: 1 });
    await expect(page.getByRole('search', { name: 'Filter messages' })).toBeInViewport({
      ratio: 1,
    });
    await expect(parts.rows.first()).toBeInViewport();
    const inner = recordings.section.locator('*');
    expect(
      await inner.evaluateAll(
        (all) => all.filter((one) => /auto|scroll/.test(getComputedStyle(one).overflowY)).length,
      ),
    ).toBe(0);
  });
}

test('a replay is paused, resumed and stopped', async ({ page }) => {
  const recordings = controls(page);
  await recordings.open.click();
  const line = (second: number) =>
    JSON.stringify({
      time: new Date(second * 1000).toISOString(),
      direction: 'received',
      topic: 'a',
      payload: `second ${second}`,
      payloadEncoding: 'utf-8',
      qos: 0,
      retain: false,
      dup: false,
      properties: {},
    });
  // The last one a hundred years after the first.
  const text = [0, 1, 3_155_760_000].map(line).join('\n');
  const file = { name: 'slow.ndjson', mimeType: 'text/plain', buffer: Buffer.from(text) };
  await recordings.import.setInputFiles(file);
  await recordings.button('Show in feed: slow').click();
  await recordings
    .form('Show in the feed')
    .getByRole('combobox', { name: 'Speed' })
    .selectOption('10 times as fast');
  await recordings.form('Show in the feed').getByRole('button', { name: 'Show', exact: true }).click();
  await expect(parts.row('a', 'second 1')).toBeVisible();
  await recordings.button('Pause replay').click();
  await expect(recordings.replay).toContainText('paused at 2 of 3 messages');
  // It goes on while the list is closed.
  await recordings.open.click();
  await expect(recordings.items).toHaveCount(0);
  await recordings.button('Resume replay').click();
  await recordings.button('Stop replay').click();
  await expect(recordings.replay).toContainText('stopped after 2 of 3 messages');
  await recordings.button('Close replay').click();
  await expect(recordings.section).toBeHidden();
});

test('a file with broken lines is read without them', async ({ page }) => {
  const recordings = controls(page);
  await recordings.open.click();
  const good = {
    time: '2026-01-02T03:04:05.678Z',
    direction: 'received',
    topic: 'a/b',
    payload: 'x',
    payloadEncoding: 'utf-8',
    qos: 0,
    retain: false,
    dup: false,
    properties: {},
  };
  const lines = [
    JSON.stringify(good),
    '{"topic":',
    JSON.stringify({ ...good, qos: 3 }),
    `{"__proto__":{"polluted":1},${JSON.stringify(good).slice(1)}`,
    JSON.stringify({ ...good, topic: 'a/#' }),
  ];
  const file = { name: '<b>odd</b>.ndjson', mimeType: 'text/plain', buffer: Buffer.from(lines.join('\r\n')) };
  await recordings.import.setInputFiles(file);
  await expect(recordings.said).toHaveText(
    'Imported 2 messages of “<b>odd</b>.ndjson”, leaving out 3 lines that held no message.',
  );
  await recordings.section.getByText('3 lines of the file left out').click();
  await expect(
    recordings.section.getByRole('list', { name: 'Lines left out' }).getByRole('listitem'),
  ).toHaveText([
    'Line 2: not JSON',
    'Line 3: qos: is not a whole number from 0 to 2',
    /^Line 5: topic: must not contain the wildcards/,
  ]);
  expect(await page.evaluate(() => 'polluted' in {})).toBe(false);

  await recordings.import.setInputFiles({ ...file, buffer: Buffer.from('no\nmessages\n') });
  await expect(recordings.problem).toContainText('no line of the file is a message');
  await expect(recordings.items).toHaveCount(1);
});

test('a full disk ends the recording with a message, and leaves the feed alone', async ({ page }) => {
  const recordings = controls(page);
  await recordings.open.click();
  await recordings.start.click();
  await expect(recordings.stop).toBeVisible();
  await arrive(`${own}/a`, ['written']);
  await expect(recordings.section).toContainText(/Recording everything as .*: 1 message,/);
  await page.evaluate(() => {
    IDBObjectStore.prototype.put = () => {
      throw new DOMException('full', 'QuotaExceededError');
    };
  });
  await arrive(`${own}/a`, ['not written', 'nor this']);
  await expect(recordings.problem).toContainText(
    /^The recording stopped: no room is left: .* 2 messages could not be written\./,
  );
  await arrive(`${own}/a`, ['still shown']);
  await expect(parts.row(`${own}/a`, 'still shown')).toBeVisible();
  await expect(recordings.items).toContainText('1 message');
});

test('by keyboard', async ({ page }) => {
  const recordings = controls(page);
  await recordings.open.focus();
  await page.keyboard.press('Enter');
  await expect(recordings.section).toContainText('No recordings yet');
  await recordings.start.focus();
  await page.keyboard.press('Enter');
  await expect(recordings.stop).toBeFocused();
  await arrive(`${own}/a`, numbered(20));
  await expect(recordings.section).toContainText(': 20 messages');
  await page.keyboard.press('Enter');
  await expect(recordings.start).toBeFocused();
  await expect(recordings.items).toHaveCount(1);
  for (const [action, form] of [
    ['Show in feed', 'Show in the feed'],
    ['Publish again', 'Publish again'],
    ['Rename', 'Rename'],
    ['Delete', 'Delete'],
  ] as const) {
    await recordings.button(new RegExp(`^${action}: `)).focus();
    await page.keyboard.press('Enter');
    await expect(recordings.form(form)).toBeVisible();
  }
});
