import { readFileSync } from 'node:fs';
import { encode as encodeMessagePack } from '@msgpack/msgpack';
import type { Server } from './support/brokers';
import { expect, test } from './support/fixtures';
import { chartedTopic, flood } from './support/flood';
import { type Parts, showView } from './support/page';
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

test('the tree counts from the start and updates live', async ({ page }) => {
  const topics = topicsOf(page);
  await expect(topics.messagesTab).toHaveAttribute('aria-selected', 'true');
  await expect(parts.log).toBeVisible();
  elsewhere.publish(`${own}/north/temp`, ['21.4']);
  elsewhere.publish(`${own}/north/humid`, ['63']);
  await expect(parts.rows).toHaveCount(2);

  await expect(topics.tree).toBeVisible();
  await expect(topics.row('temp')).toHaveAccessibleName('temp 21.4 1 message');
  await expect(topics.row('north')).toHaveAccessibleName(`${own}/north 2 topics below, 2 messages`);
  await expect(topics.row('temp')).toHaveAttribute('aria-level', '2');
  elsewhere.publish(`${own}/north/temp`, ['21.6']);
  await expect(topics.row('temp')).toHaveAccessibleName('temp 21.6 2 messages');
  await expect(topics.fact('Topics')).toHaveText('2');

  await topics.search.fill('HUMID');
  await expect(topics.row('humid')).toBeVisible();
  await expect(topics.row('temp')).toHaveCount(0);
  await topics.search.fill('nowhere');
  await expect(page.getByText('No such topic')).toBeVisible();

  await showView(page, 'Messages');
  await expect(parts.rows).toHaveCount(3);
});

test('the hint of an empty tree does not cover its header, however low the window is', async ({ page }) => {
  await page.setViewportSize({ width: 1366, height: 657 });
  await page.getByRole('button', { name: 'Properties', exact: true }).click();
  const edge = async (text: string, side: 'top' | 'bottom') => {
    const found = page.locator('.topics-body').getByText(text, { exact: true });
    return found.evaluate((element, which) => element.getBoundingClientRect()[which], side);
  };
  await expect
    .poll(async () => (await edge('No topics yet', 'top')) - (await edge('Value', 'bottom')))
    .toBeGreaterThanOrEqual(0);

  // Nothing of it is cut: a part that has no room is left out.
  const hint = page.locator('.topics-body .empty-view');
  const cut = () =>
    hint.evaluate((element) => {
      const { top, bottom, right } = element.getBoundingClientRect();
      return [...element.children].flatMap((part) => {
        const box = part.getBoundingClientRect();
        const within = box.top >= top && box.bottom <= bottom;
        return within || box.left >= right ? [] : [part.textContent];
      });
    });
  for (const height of [900, 657, 630, 600]) {
    await page.setViewportSize({ width: 1366, height });
    await expect.poll(cut, String(height)).toEqual([]);
    await expect(hint.getByText('No topics yet')).toBeInViewport();
  }
});

test('tabs and tree by keyboard', async ({ page }) => {
  const topics = topicsOf(page);
  elsewhere.publish(`${own}/a`, ['1']);
  // Not a hexadecimal digit, with which the page's own level may start.
  elsewhere.publish(`${own}/x/c`, ['2']);
  elsewhere.publish(`${own}/x/d`, ['3']);
  await topics.messagesTab.focus();
  await page.keyboard.press('ArrowRight');
  await expect(topics.scriptsTab).toBeFocused();
  await page.keyboard.press('Home');
  await expect(topics.messagesTab).toBeFocused();
  await expect(topics.row('c')).toBeVisible();

  const activeName = () =>
    topics.tree.evaluate((tree) => {
      const id = tree.getAttribute('aria-activedescendant');
      return id && document.getElementById(id)?.querySelector('.topic-name')?.textContent;
    });
  await topics.tree.focus();
  await expect.poll(activeName).toBe(own);
  for (const [key, name] of [
    ['End', 'd'],
    ['ArrowLeft', 'x'],
    ['ArrowUp', 'a'],
    ['Home', own],
    ['x', 'x'],
    ['ArrowRight', 'c'],
    ['ArrowLeft', 'x'],
  ] as const) {
    await page.keyboard.press(key);
    await expect.poll(activeName, key).toBe(name);
  }
  await page.keyboard.press('ArrowLeft');
  await expect(topics.row('x')).toHaveAttribute('aria-expanded', 'false');
  await expect(topics.row('c')).toHaveCount(0);
  await page.keyboard.press('*');
  await expect(topics.row('c')).toBeVisible();
  await page.keyboard.press('ArrowRight');
  await page.keyboard.press('Enter');
  await expect(topics.details).toContainText(`${own}/x/c`);
  await topics.details.getByRole('button', { name: 'Close details' }).press('Escape');
  await expect(topics.details).toHaveCount(0);
  await expect(topics.tree).toBeFocused();
  await page.keyboard.press('Enter');
  await expect(topics.details).toContainText(`${own}/x/c`);
  await topics.tree.press('Escape');
  await expect(topics.details).toHaveCount(0);
});

test('the divider beside the inspector moves by keyboard and pointer, folds, and is remembered', async ({
  page,
}) => {
  const topics = topicsOf(page);
  elsewhere.publish(`${own}/pump`, ['1']);
  await showView(page, 'Topics');
  await topics.row('pump').click();
  const divider = page.getByRole('separator', { name: 'Width of the inspector' });
  await expect(divider).toHaveAttribute('aria-valuenow', '36');
  await divider.press('ArrowLeft');
  await expect(divider).toHaveAttribute('aria-valuenow', '38');
  await divider.press('End');
  await expect(divider).toHaveAttribute('aria-valuenow', '15');
  const { x, y, height } = (await divider.boundingBox()) ?? { x: 0, y: 0, height: 0 };
  await page.mouse.move(x, y + height / 2);
  await page.mouse.down();
  await page.mouse.move(x - 200, y + height / 2);
  await page.mouse.up();
  await expect(divider).not.toHaveAttribute('aria-valuenow', '15');
  const dragged = await divider.getAttribute('aria-valuenow');

  await divider.dblclick();
  await expect(divider).toHaveAttribute('aria-valuenow', '0');
  await expect(topics.details).toBeHidden();
  await divider.press('Enter');
  await expect(divider).toHaveAttribute('aria-valuenow', dragged ?? '');
  await page.reload();
  await expect(parts.status).toHaveText(/^connected/);
  const again = (await parts.topic.inputValue()).replace(/\/hello$/, '');
  elsewhere.publish(`${again}/pump`, ['1']);
  await showView(page, 'Topics');
  await topics.row('pump').click();
  await expect(divider).toHaveAttribute('aria-valuenow', dragged ?? '');
});

test('a topic that floods shows its rate in a narrow tree too', async ({ page }) => {
  const topics = topicsOf(page);
  const rate = (name: string) => topics.row(name).locator('.topic-rate');
  elsewhere.publish(`${own}/calm`, ['21.4']);
  elsewhere.publish(`${own}/noisy`, Array(300).fill('21.4'));
  await expect(rate('noisy')).toHaveText(/^\d+\/s$/);
  await expect(rate('noisy')).toBeVisible();
  await expect(rate('calm')).toBeHidden();
  // And its value stands again where it is quiet.
  await expect(rate('noisy')).toBeHidden();
});

test('the history of a topic is decoded as its rows are', async ({ page }) => {
  const topics = topicsOf(page);
  elsewhere.publish(`${own}/truck`, [encodeMessagePack({ spd: 80 }), encodeMessagePack({ spd: 81 })]);
  elsewhere.publish(`${own}/escaped`, ['{"unit":"\\u00b0C"}']);
  await topics.row('truck').click();
  await expect(topics.history).toHaveCount(2);
  await expect(topics.history.first()).toContainText('MessagePack{spd: 81}');
  await expect(topics.history.last()).toContainText('MessagePack{spd: 80}');
  await topics.row('escaped').click();
  await expect(topics.history).toContainText(['{"unit":"°C"}']);
});

test('a topic shows its value, its history and the latest change', async ({ page }) => {
  const topics = topicsOf(page);
  elsewhere.publish(`${own}/pump`, ['{"on":true,"litres":12.5}', '{"on":true,"litres":13}']);
  await showView(page, 'Topics');
  await topics.row('pump').click();
  await expect(topics.history).toHaveCount(2);
  await expect(topics.details.locator('del')).toHaveText('−   "litres": 12.5');
  await expect(topics.details.locator('ins')).toHaveText('+   "litres": 13');
  elsewhere.publish(`${own}/pump`, ['{"on":false,"litres":13}']);
  await expect(topics.history).toHaveCount(3);
  await expect(topics.details.locator('ins')).toHaveText('+   "on": false,');
  await topics.history.nth(1).getByRole('button').click();
  await expect(topics.details.locator('ins')).toHaveText('+   "litres": 13');
});

test('decoders apply to a topic’s value and to its changes', async ({ page }) => {
  const topics = topicsOf(page);
  const payloads = [12.5, 13].map((litres) => encodeMessagePack({ on: true, litres }));
  elsewhere.publish(`${own}/tank`, payloads);
  await showView(page, 'Topics');
  await topics.row('tank').click();
  const as = topics.details.getByRole('combobox', { name: 'Show payload as' });
  await expect(as.locator('option:checked')).toHaveText('Automatic: MessagePack');
  await expect(topics.details.getByRole('button', { name: 'All, 2 values' })).toBeVisible();
  await expect(topics.details.locator('del')).toHaveText('−   "litres": 12.5');
  await expect(topics.details.locator('ins')).toHaveText('+   "litres": 13');
  await as.selectOption('Base64');
  await expect(topics.details.locator('del')).not.toContainText('litres');
  await as.selectOption('');
  await expect(topics.details.locator('ins')).toHaveText('+   "litres": 13');
});

test('numbers of several topics share a chart with a zoomable time axis, which can be saved', async ({
  page,
}) => {
  const topics = topicsOf(page);
  elsewhere.publish(`${own}/temp`, ['20', '21', '22']);
  elsewhere.publish(`${own}/pump`, ['{"litres":1}', '{"litres":4}']);
  elsewhere.publish(`${own}/word`, ['warm']);
  await showView(page, 'Topics');
  const add = topics.details.getByRole('button', { name: 'Add to chart' });
  await topics.row('word').click();
  await add.click();
  await expect(topics.details.getByRole('combobox', { name: 'JSON path' })).toHaveAccessibleDescription(
    /not a number/,
  );
  await expect(topics.chart).toHaveCount(0);

  await topics.row('temp').click();
  await add.click();
  await topics.row('pump').click();
  await expect(topics.details.getByRole('combobox', { name: 'JSON path' })).toHaveValue('litres');
  await add.click();
  const image = topics.chart.getByRole('img');
  await expect(image).toHaveAccessibleName(
    `${own}/temp: 3 values, 20 to 22, last 22; ${own}/pump · litres: 2 values, 1 to 4, last 4`,
  );
  elsewhere.publish(`${own}/temp`, ['30']);
  await expect(image).toHaveAccessibleName(/4 values, 20 to 30/);

  const all = topics.chart.getByRole('button', { name: 'Reset zoom' });
  await expect(all).toBeDisabled();
  await topics.chart.getByRole('button', { name: 'Zoom in' }).click();
  await expect(all).toBeEnabled();
  await all.click();
  await expect(all).toBeDisabled();
  const box = await topics.chart.locator('.u-over').first().boundingBox();
  if (!box) throw new Error('no plot');
  await page.mouse.move(box.x + box.width * 0.2, box.y + 20);
  await page.mouse.down();
  await page.mouse.move(box.x + box.width * 0.7, box.y + 20, { steps: 5 });
  await page.mouse.up();
  await expect(all).toBeEnabled();

  const download = page.waitForEvent('download');
  await topics.chart.getByRole('button', { name: 'Save PNG' }).click();
  const file = readFileSync(await (await download).path());
  expect((await download).suggestedFilename()).toBe('mqttwasm-chart.png');
  expect(file.subarray(0, 8)).toEqual(Buffer.from('\x89PNG\r\n\x1a\n', 'latin1'));

  for (const line of [`${own}/temp`, `${own}/pump · litres`]) {
    await topics.chart.getByRole('button', { name: `Remove ${line} from the chart` }).click();
  }
  await expect(topics.chart).toHaveCount(0);
});

test('hostile topics and values are rendered as text in their own rows', async ({ page }) => {
  const topics = topicsOf(page);
  const markup = '<img src=x onerror=alert(1)>';
  elsewhere.publish(`${own}/${markup}`, [markup]);
  elsewhere.publish(`${own}/__proto__/constructor`, ['{"__proto__":{"x":1}}']);
  elsewhere.publish(`${own}/\u202etxt`, [`${'['.repeat(20_000)}${']'.repeat(20_000)}`]);
  // The largest that the embedded broker accepts.
  elsewhere.publish(`${own}/${'deep/'.repeat(120)}`, ['1']);
  elsewhere.publish(`${own}/${'long'.repeat(3900)}`, [new Uint8Array(900_000)]);
  elsewhere.publish(`${own}/after`, ['fine']);
  await showView(page, 'Topics');
  await expect(topics.total(own)).toHaveText('6');
  await topics.search.fill(`${own}/`);
  await topics.search.fill('');
  await topics.tree.focus();
  await page.keyboard.press('Home');
  await page.keyboard.press('ArrowLeft'); // it may have opened on its own while the tree was still small
  await expect(topics.row('after')).toHaveCount(0);
  await page.keyboard.press('ArrowRight');
  await expect(topics.row('after')).toHaveAccessibleName('after fine 1 message');
  for (const name of [markup, '__proto__', '\\\\u202etxt', 'longlong']) {
    const row = page.getByRole('treeitem', { name: new RegExp(`^${name.replace(/[()]/g, '\\$&')}`) });
    await row.click();
    await expect(topics.details).toBeVisible();
  }
  await topics.row('constructor').click();
  await topics.details.getByRole('button', { name: 'Add to chart' }).click();
  await expect(topics.chart.getByRole('img')).toHaveAccessibleName(/__proto__\.x: 1 values?, 1 to 1/);
  await expect(page.locator('img')).toHaveCount(0);
});

test('100,000 topics at 10,000 messages a second: few rows, a responsive page', async ({ page }) => {
  test.setTimeout(120_000);
  const topics = topicsOf(page);
  elsewhere.publish(chartedTopic(own), ['20']);
  await showView(page, 'Topics');
  await topics.row('level').click();
  await topics.details.getByRole('button', { name: 'Add to chart' }).click();
  await expect(topics.chart.getByRole('img')).toHaveAccessibleName(/1 values?/);

  const messages = 100_000;
  let flooding = true;
  const flooded = flood(server.tcpPort, {
    prefix: own,
    topics: messages,
    perSecond: 10_000,
    messages,
    goOn: () => flooding,
  });
  await topics.row('hall \\d+').first().click();
  await topics.tree.press('*');
  await expect(topics.row('sensor \\d+').first()).toBeVisible();
  // Not just a number: the page's own topic may contain it, and is listed first.
  await topics.search.pressSequentially('sensor 99');
  await expect(topics.row('sensor 99\\d*').first()).toBeVisible();
  // The flood continues until this is done, so an unresponsive page fails here.
  await parts.payload.fill('');
  await parts.payload.pressSequentially('typed meanwhile');
  await expect(parts.payload).toHaveValue('typed meanwhile');
  await parts.publish.click();
  await topics.search.fill('/hello');
  await expect(topics.row('hello')).toHaveAccessibleName('hello typed meanwhile 1 message');
  await expect(topics.chart.getByRole('img')).toHaveAccessibleName(/\d\d+ values/);
  flooding = false;
  const sent = await flooded;

  await topics.search.fill('');
  // The messages view does not update while hidden; show it to read what was dropped.
  await showView(page, 'Messages');
  const number = async (name: string) => Number((await parts.count(name).textContent())?.replaceAll(',', ''));
  // Plus the first one, for the chart, and the one typed.
  await expect.poll(async () => (await number('Received')) + (await number('Dropped'))).toBe(sent + 2);
  const received = await parts.count('Received').textContent();
  await showView(page, 'Topics');
  await expect(topics.total('mqttwasm')).toHaveText(received ?? '');
  expect(await page.getByRole('treeitem').count()).toBeLessThan(100);
});

test('parts that fail to load say so, and can be retried', async ({ page, complaints }) => {
  const topics = topicsOf(page);
  const failed = page.getByRole('alert').filter({ hasText: 'did not deliver this part' });
  const again = failed.getByRole('button', { name: 'Try again' });
  await page.route('**/assets/panel-*.js', (route) => route.abort());
  await page.reload();
  await expect(parts.status).toHaveText(/^connected/);
  // The tree, and the panel below the messages.
  await expect(failed).toHaveCount(2);
  elsewhere.publish(`${own}/level`, ['7']);
  await page.unroute('**/assets/panel-*.js');
  await again.first().click();
  await again.click();
  await topics.row('level').click();

  await page.route('**/assets/chart-*.js', (route) => route.abort());
  await topics.details.getByRole('button', { name: 'Add to chart' }).click();
  await expect(topics.chart.getByRole('alert')).toBeVisible();
  await page.unroute('**/assets/chart-*.js');
  await again.click();
  await expect(topics.chart.getByRole('img')).toHaveAccessibleName(/level: 1 value/);
  expect(new Set(complaints.splice(0))).toEqual(new Set(['Failed to load resource: net::ERR_FAILED']));
});
