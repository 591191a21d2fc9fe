import { readFileSync } from 'node:fs';
import type { Page } from '@playwright/test';
import { encode as encodeCbor } from 'cborg';
import { violationsOf } from './support/axe';
import { expect, test } from './support/fixtures';
import { inBothSchemes, type Parts, showView } from './support/page';
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

function controls(page: Page) {
  const bar = page.getByRole('search', { name: 'Filter messages' });
  const button = (name: string) => page.getByRole('button', { name, exact: true });
  return {
    search: bar.getByRole('textbox', { name: 'Search messages' }),
    expression: bar.getByRole('button', { name: 'Regular expression' }),
    matchCase: bar.getByRole('button', { name: 'Match case' }),
    found: bar.locator('.filter-found'),
    filter: bar.getByRole('button', { name: /^Filter/ }),
    topics: bar.getByRole('textbox', { name: 'Topics matching' }),
    direction: bar.getByRole('combobox', { name: 'Direction' }),
    qos: bar.getByRole('combobox', { name: 'QoS' }),
    retained: bar.getByRole('combobox', { name: 'Retained' }),
    showAll: bar.getByRole('button', { name: 'Reset' }),
    export: bar.getByRole('button', { name: 'Export', exact: true }),
    exportAs: (format: string) => bar.getByRole('button', { name: `Export as ${format}`, exact: true }),
    pause: button('Pause'),
    resume: button('Resume'),
    clear: button('Clear'),
    budget: page.getByRole('combobox', { name: 'Memory limit' }),
    newest: page.getByRole('button', { name: /Jump to newest/ }),
    details: page.getByRole('region', { name: 'Message details' }),
  };
}

/** Resolves when the last of them has been counted. */
async function arrive(topic: string, payloads: (string | Uint8Array)[]): Promise<void> {
  const before = Number((await parts.count('Received').textContent())?.replaceAll(',', ''));
  elsewhere.publish(topic, payloads);
  await expect(parts.count('Received')).toHaveText((before + payloads.length).toLocaleString('en'));
}

const numbered = (count: number) => Array.from({ length: count }, (_, index) => `number ${index}`);

test('paused, the list stands still and shows how many messages wait', async ({ page }) => {
  const feed = controls(page);
  await arrive(`${own}/a`, ['before']);
  await feed.pause.click();
  await arrive(`${own}/a`, numbered(5));
  await expect(parts.rows).toHaveCount(1);
  await expect(page.getByText('5 waiting')).toBeVisible();
  await feed.resume.click();
  await expect(parts.rows).toHaveCount(6);
  await feed.clear.click();
  await expect(parts.rows).toHaveCount(0);
  await expect(parts.count('Received')).toHaveText('6');
});

test('scrolling up stops following, and a button leads back to the newest message', async ({ page }) => {
  const feed = controls(page);
  await arrive(`${own}/a`, numbered(200));
  await expect(parts.row(`${own}/a`, 'number 199')).toBeVisible();
  await parts.log.hover();
  await page.mouse.wheel(0, -800);
  await expect(feed.newest).toHaveText(/^Jump/);
  await arrive(`${own}/a`, ['a', 'b', 'c']);
  await expect(feed.newest).toHaveText(/^3 new/);
  await expect(parts.row(`${own}/a`, 'c')).toHaveCount(0);
  await feed.newest.click();
  await expect(parts.row(`${own}/a`, 'c')).toBeVisible();
  await expect(feed.newest).toHaveCount(0);
});

test('content that opens above the list does not stop it following', async ({ page }) => {
  const feed = controls(page);
  await arrive(`${own}/a`, numbered(200));
  await expect(parts.row(`${own}/a`, 'number 199')).toBeInViewport();
  let sent = 0;
  const timer = setInterval(() => elsewhere.publish(`${own}/a`, [`later ${sent++}`]), 5);
  for (const name of ['Filter', 'Export', 'Record', 'Settings']) {
    const opener = page.getByRole('button', { name, exact: true });
    for (const open of [true, false]) {
      await opener.click();
      await expect(opener).toHaveAttribute('aria-expanded', String(open));
    }
  }
  clearInterval(timer);
  elsewhere.publish(`${own}/a`, ['the last']);
  await expect(parts.count('Received')).toHaveText((200 + sent + 1).toLocaleString('en'));
  await expect(feed.newest).toHaveCount(0);
  await expect(parts.row(`${own}/a`, 'the last')).toBeInViewport();
});

test('search finds text and expressions in everything kept, and marks them', async ({ page }) => {
  const feed = controls(page);
  await arrive(`${own}/lots`, numbered(3000));
  await arrive(`${own}/Error`, [new Uint8Array([0xff, 0xfe]), 'none']);
  await feed.search.fill('NUMBER 29');
  // 29, 290 to 299, 2900 to 2999
  await expect(feed.found).toHaveText('111 of 3,002');
  await expect(parts.row(`${own}/lots`, 'number 2999').locator('mark')).toHaveText('number 29');

  await feed.matchCase.click();
  await expect(feed.found).toHaveText('0 of 3,002');
  await expect(page.getByText(/^No matching/)).toBeVisible();
  await feed.matchCase.click();

  await feed.search.fill('ERROR');
  await expect(parts.rows).toHaveCount(2);
  await expect(parts.row(`${own}/Error`, 'ff fe').locator('mark')).toHaveText('Error');

  await feed.expression.click();
  await feed.search.fill('number 1{2,3}$');
  await expect(feed.found).toHaveText('2 of 3,002');
  await arrive(`${own}/lots`, ['number 11', 'number 12']);
  await expect(feed.found).toHaveText('3 of 3,004');

  await feed.search.fill('number (');
  await expect(feed.search).toHaveAttribute('aria-invalid', 'true');
  await expect(feed.search).toHaveAccessibleDescription(/Not a regular expression/);
  await expect(parts.rows).toHaveCount(3);
  await feed.search.fill('');
  await expect(feed.search).not.toHaveAttribute('aria-invalid');
  await expect(parts.row(`${own}/lots`, 'number 12').locator('mark')).toHaveCount(0);
});

test('a runaway regular expression is stopped, and the page keeps working', async ({ page }) => {
  const feed = controls(page);
  await arrive(`${own}/t`, [`${'a'.repeat(40)}!`]);
  await feed.expression.click();
  await feed.search.fill('(a+)+$');
  await parts.payload.fill('typed meanwhile');
  await expect(feed.search).toHaveAccessibleDescription(/takes too long/);
  await feed.search.fill('a+!');
  await expect(parts.rows).toHaveCount(1);
  await expect(parts.rows.locator('mark')).toHaveCount(1);
});

test('topic, direction, QoS and retain filter messages', async ({ page }) => {
  const feed = controls(page);
  await parts.qos.selectOption('1');
  await parts.publish.click();
  await expect(parts.rows).toHaveCount(1);
  await arrive(`${own}/x/temp`, ['1']);
  await arrive(`${own}/x/door`, ['2']);

  await feed.filter.click();
  await feed.topics.fill(`${own}/+/temp`);
  await expect(parts.rows).toHaveCount(1);
  await expect(feed.found).toHaveText('1 of 4');
  await expect(feed.filter).toHaveText('Filter (1)');
  await feed.topics.fill('a#');
  await expect(feed.topics).toHaveAccessibleDescription(/# must be/);
  await expect(parts.rows).toHaveCount(1);
  await feed.showAll.click();
  await expect(parts.rows).toHaveCount(3);

  await feed.qos.selectOption('1 · at least once');
  await expect(parts.row(`${own}/hello`, 'messages: 0')).toHaveCount(1);
  await expect(parts.rows).toHaveCount(1);
  await feed.direction.selectOption('Both');
  await expect(parts.row(`${own}/hello`, 'messages: 0')).toHaveCount(2);
  await feed.direction.selectOption('Sent');
  await expect(parts.rows).toHaveCount(1);
  await expect(parts.rows.locator('[data-direction=sent]')).toHaveText('sent');
  await page.getByRole('button', { name: 'Details of sent message 1' }).click();
  await expect(feed.details).toContainText('Sent message 1');

  await feed.retained.selectOption('Retained');
  await expect(parts.rows).toHaveCount(0);
  await expect(page.getByText(/^No matching/)).toBeVisible();
});

test('the message memory limit can be chosen, is enforced, and is remembered', async ({ page }) => {
  const feed = controls(page);
  await expect(feed.budget.locator('option:checked')).toHaveText('32 MiB');
  for (const _ of [1, 2, 3]) await arrive(`${own}/big`, Array(12).fill('x'.repeat(512 * 1024 - 2048)));
  await expect(parts.count('Discarded')).toHaveText('0');
  await feed.budget.selectOption('8 MiB');
  await expect(parts.count('In memory')).toHaveText('16');
  await expect(parts.count('Discarded')).toHaveText('20');
  await expect(page.getByText(/^8 MiB in use/)).toBeVisible();
  await page.reload();
  await expect(controls(page).budget.locator('option:checked')).toHaveText('8 MiB');
});

test('messages are exported as they are listed', async ({ page }) => {
  const feed = controls(page);
  await arrive(`${own}/text`, ['=1+1', 'say "hi"\n']);
  await arrive(`${own}/bytes`, [new Uint8Array([0xff, 0])]);
  await arrive(`${own}/other`, ['not this']);
  await feed.search.fill('text|bytes');
  await feed.expression.click();
  await expect(feed.found).toHaveText('3 of 4');
  await feed.export.click();

  async function exported(format: string): Promise<string> {
    const [download] = await Promise.all([page.waitForEvent('download'), feed.exportAs(format).click()]);
    expect(download.suggestedFilename()).toMatch(new RegExp(`^messages-.*\\.${format.toLowerCase()}$`));
    return readFileSync(await download.path(), 'utf8');
  }
  const expected = [
    ['=1+1', 'utf-8'],
    ['say "hi"\n', 'utf-8'],
    ['/wA=', 'base64'],
  ];
  type Exported = { payload: string; payloadEncoding: string };
  const partsOfRecord = ({ payload, payloadEncoding }: Exported) => [payload, payloadEncoding];
  expect((JSON.parse(await exported('JSON')) as Exported[]).map(partsOfRecord)).toEqual(expected);
  const lines = (await exported('NDJSON')).trim().split('\n');
  expect(lines.map((line) => partsOfRecord(JSON.parse(line) as Exported))).toEqual(expected);
  const csv = await exported('CSV');
  expect(csv).toContain(`"${own}/text","'=1+1","utf-8"`);
  expect(csv).toContain(`"${own}/text","say ""hi""\n","utf-8"`);
  await expect(page.getByText('Exported 3 messages')).toBeVisible();
});

test('details show the whole packet, and ways to copy and save it', async ({ page, context }) => {
  await context.grantPermissions(['clipboard-read', 'clipboard-write']);
  const feed = controls(page);
  const payload = new Uint8Array([0, 0xff, 0x80]);
  await arrive(`${own}/bytes`, [payload]);
  await page.getByRole('button', { name: 'Details of message 1' }).click();
  // Fixed header, topic, the client's own subscription identifier, payload.
  await expect(feed.details).toContainText(`Packet${2 + 2 + `${own}/bytes`.length + 1 + 5 + 3} bytes`);
  await expect(feed.details).toContainText(/Received\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3}/);
  await expect(feed.details).toContainText(`Subscribed by ${own}/#`);

  const clipboard = () => page.evaluate(() => navigator.clipboard.readText());
  const choose = async (name: string) => {
    await feed.details.getByRole('button', { name: /^More/ }).click();
    await page.getByRole('menuitem', { name }).click();
  };
  for (const [name, text] of [
    ['Copy topic', `${own}/bytes`],
    ['Copy bytes as hex', '00 ff 80'],
  ] as const) {
    await choose(name);
    await expect.poll(clipboard).toBe(text);
  }
  await choose('Copy as JSON');
  await expect.poll(clipboard).toContain('"payload": "AP+A",\n  "payloadEncoding": "base64"');

  const [download] = await Promise.all([
    page.waitForEvent('download'),
    feed.details.getByRole('button', { name: 'Save payload' }).click(),
  ]);
  expect(download.suggestedFilename()).toBe('bytes.bin');
  expect(new Uint8Array(readFileSync(await download.path()))).toEqual(payload);
});

test('Escape does not close the details behind another tab', async ({ page }) => {
  const feed = controls(page);
  await page.setViewportSize({ width: 390, height: 844 });
  await arrive(`${own}/one`, ['1']);
  await page.getByRole('button', { name: 'Details of message 1' }).click();
  await expect(feed.details).toBeVisible();
  await showView(page, 'Topics');
  await expect(feed.details).toBeHidden();
  await expect(page.getByRole('tree', { name: 'Topics' })).toBeVisible();
  await page.keyboard.press('Escape');
  await showView(page, 'Messages');
  await expect(feed.details).toBeVisible();
  await page.keyboard.press('Escape');
  await expect(feed.details).toHaveCount(0);
});

test('each subscription has its colour, in its list and beside its messages', async ({ page }) => {
  await parts.filter.fill(`${own}/+`);
  await parts.subscribe.click();
  await expect(parts.subscriptions).toHaveCount(2);
  const colours = await parts.subscriptions
    .locator('.filter-mark')
    .evaluateAll((marks) => marks.map((mark) => getComputedStyle(mark).backgroundColor));
  expect(new Set(colours).size).toBe(2);

  await arrive(`${own}/both`, ['1']);
  await arrive(`${own}/only/one`, ['2']);
  const marksOf = (payload: string) =>
    parts.rows
      .filter({ has: page.getByText(payload, { exact: true }) })
      .locator('.filter-mark')
      .evaluateAll((marks) => marks.map((mark) => getComputedStyle(mark).backgroundColor));
  expect(await marksOf('1')).toEqual(colours);
  expect(await marksOf('2')).toEqual(colours.slice(0, 1));
});

/**
 * The longest main-thread tasks of the page, in milliseconds of CPU time; wall-clock time also counts what
 * other processes take.
 */
function longestTasks(trace: Buffer): number[] {
  interface Event {
    name: string;
    pid: number;
    tid: number;
    tdur?: number;
    args?: { name?: string };
  }
  const { traceEvents } = JSON.parse(trace.toString()) as { traceEvents: Event[] };
  const threads = traceEvents
    .filter(({ name, args }) => name === 'thread_name' && args?.name === 'CrRendererMain')
    .map(({ pid, tid }) => `${pid} ${tid}`);
  return traceEvents
    .filter(({ name, pid, tid }) => name.endsWith('RunTask') && threads.includes(`${pid} ${tid}`))
    .map(({ tdur = Number.NaN }) => tdur / 1000)
    .sort((a, b) => b - a)
    .slice(0, 10);
}

test('searching a flood keeps the page responsive', { tag: '@alone' }, async ({ page, browser }) => {
  const feed = controls(page);
  await feed.search.fill('7');
  await feed.expression.click();
  await browser.startTracing(page, { categories: ['toplevel', '__metadata'] });
  await new Promise<void>((resolve) => {
    let sent = 0;
    const timer = setInterval(() => {
      const payloads = Array.from({ length: 500 }, () => `flood ${sent++}`);
      elsewhere.publish(`${own}/flood`, payloads);
      if (sent < 20_000) return;
      clearInterval(timer);
      resolve();
    }, 50);
  });
  elsewhere.publish(`${own}/flood`, ['the last 7']);
  await expect(parts.row(`${own}/flood`, 'the last 7')).toHaveCount(1);
  const tasks = longestTasks(await browser.stopTracing());
  expect(tasks).toHaveLength(10);
  expect(tasks[0]).toBeLessThan(100);
});

test('searching the rendered text of 20,000 CBOR rows keeps the page responsive', { tag: '@alone' }, async ({
  page,
  browser,
}) => {
  const feed = controls(page);
  for (let sent = 0; sent < 20_000; sent += 1000) {
    const payloads = Array.from({ length: 1000 }, (_, n) =>
      encodeCbor({ at: sent + n, ok: true, of: [1.5] }),
    );
    await arrive(`${own}/cbor`, payloads);
  }
  await browser.startTracing(page, { categories: ['toplevel', '__metadata'] });
  await feed.search.fill('at: 1999');
  await expect(feed.found).toHaveText('11 of 20,000');
  await feed.search.fill('at: 19998');
  await expect(feed.found).toHaveText('1 of 20,000');
  await expect(parts.rows.locator('mark')).toHaveText(['at', ': ', '19998']);
  const tasks = longestTasks(await browser.stopTracing());
  expect(tasks).toHaveLength(10);
  expect(tasks[0]).toBeLessThan(50);
});

test('no axe violations, with everything open', async ({ page }) => {
  const feed = controls(page);
  await page.setViewportSize({ width: 1440, height: 900 });
  await arrive(`${own}/a`, ['one', 'two']);
  await feed.search.fill('o');
  await feed.filter.click();
  await page.getByRole('button', { name: 'Details of message 1' }).click();
  await expect(parts.rows.locator('mark').first()).toBeVisible();
  await inBothSchemes(page, async (scheme) => {
    expect(await violationsOf(page, { within: '#messages', scheme, recommended: true })).toEqual([]);
  });
});

test('an error in the filter opens it, and disables neither the filter nor the export', async ({ page }) => {
  const feed = controls(page);
  await feed.filter.click();
  await feed.topics.fill('a/#/b');
  await expect(feed.topics).toHaveAttribute('aria-invalid', 'true');
  await feed.export.click();
  await expect(feed.exportAs('CSV')).toBeVisible();
  await feed.filter.click();
  await expect(feed.topics).toHaveValue('a/#/b');
});
