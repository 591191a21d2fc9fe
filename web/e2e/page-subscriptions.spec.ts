import type { Locator, Page } from '@playwright/test';
import { violationsOf } from './support/axe';
import { startMosquitto } from './support/brokers';
import { expect, test } from './support/fixtures';
import { connectTo, inBothSchemes, openSettings, type Parts, partsOf, showView } from './support/page';

function formOf(page: Page) {
  const form = page.getByRole('form', { name: 'Subscribe' });
  return {
    form,
    more: form.getByRole('button', { name: 'More' }),
    field: (name: string) => form.getByRole('textbox', { name }),
    check: (name: string) => form.getByRole('checkbox', { name }),
    colour: (name: string) => form.getByRole('radio', { name }),
    retainHandling: form.getByRole('combobox', { name: 'Retain Handling' }),
  };
}

const colourOf = (row: Locator) =>
  row.locator('.filter-mark').evaluate((mark) => getComputedStyle(mark).backgroundColor);

const packet = (page: Page, name: string) =>
  page
    .getByRole('log', { name: 'Packets' })
    .locator('.row')
    .filter({ has: page.locator('.packet-name', { hasText: new RegExp(`[→←] ${name}$`) }) });

/** Simulates switching to another tab, or back. */
async function turn(page: Page, visibility: 'hidden' | 'visible'): Promise<void> {
  await page.evaluate((state) => {
    Object.defineProperty(document, 'visibilityState', { configurable: true, get: () => state });
    document.dispatchEvent(new Event('visibilitychange'));
  }, visibility);
}

test('the form keeps to its pane with the text spacing that people may need (WCAG 1.4.12)', async ({
  page,
  parts,
}) => {
  await page.setViewportSize({ width: 1024, height: 600 });
  await page.evaluate(() => {
    const sheet = new CSSStyleSheet();
    sheet.replaceSync('* { letter-spacing: 0.12em !important; word-spacing: 0.16em !important }');
    document.adoptedStyleSheets.push(sheet);
  });
  await expect(parts.subscribe).toBeVisible();
  expect(await page.locator('#subscribe').evaluate((pane) => pane.scrollWidth - pane.clientWidth)).toBe(0);
});

test('a message keeps the subscription that it came by', async ({ page, parts, own, elsewhere }) => {
  const base = own.replace('mqttwasm', 'by');
  const subscribe = async (filter: string) => {
    await parts.filter.fill(filter);
    await parts.subscribe.click();
    await expect(row(filter)).toContainText('QoS 0');
  };
  const row = (filter: string) =>
    parts.subscriptions.filter({ has: page.getByRole('button', { name: `Unsubscribe from ${filter}` }) });
  await subscribe(`${base}/#`);
  elsewhere.publish(`${base}/a`, ['first']);
  await parts.row(`${base}/a`, 'first').click();
  const by = page
    .locator('.facts-row, dl > div')
    .filter({ has: page.getByText('Subscribed by', { exact: true }) });
  await expect(by.getByRole('definition')).toHaveText(`${base}/#`);
  await subscribe(`${base}/a`);
  await page.getByRole('button', { name: `Unsubscribe from ${base}/#` }).click();
  await expect(row(`${base}/#`)).toHaveCount(0);
  elsewhere.publish(`${base}/a`, ['second']);
  await expect(parts.row(`${base}/a`, 'second')).toHaveCount(1);
  await expect(by.getByRole('definition')).toHaveText(`${base}/#`);
  await parts.row(`${base}/a`, 'second').click();
  await expect(by.getByRole('definition')).toHaveText(`${base}/a`);
});

test('messages of a paused subscription alone are skipped and counted; a reload keeps the pause', async ({
  page,
  parts,
  own,
  elsewhere,
}) => {
  const { more, field, colour } = formOf(page);
  const base = own.replace('mqttwasm', 'paused');
  await more.click();
  await field('Shown as').fill('Kitchen');
  await colour('Orange').check();
  await parts.filter.fill(`${base}/#`);
  await parts.subscribe.click();
  const row = (of: Parts) => of.subscriptions.filter({ hasText: 'Kitchen' });
  await expect(row(parts)).toContainText('QoS 0');
  const orange = await colourOf(row(parts));
  await parts.filter.fill(`${base}/loud`);
  await parts.subscribe.click();
  await expect(parts.subscriptions).toHaveCount(3);

  await page.getByRole('button', { name: `Pause ${base}/#` }).click();
  elsewhere.publish(`${base}/quiet`, ['1', '2']);
  elsewhere.publish(`${base}/loud`, ['3']);
  await expect(parts.row(`${base}/loud`, '3')).toHaveCount(1);
  await expect(row(parts)).toContainText('2 left out');
  await expect(parts.rows).toHaveCount(1);
  await showView(page, 'Topics');
  await expect(page.getByRole('treeitem', { name: /loud|paused/ }).first()).toBeVisible();
  await expect(page.getByRole('treeitem', { name: /quiet/ })).toHaveCount(0);
  await showView(page, 'Messages');

  await page.reload();
  const again = partsOf(page);
  await expect(again.status).toHaveText(/^connected/);
  await expect(row(again)).toContainText('0 left out');
  expect(await colourOf(row(again))).toBe(orange);
  await page.getByRole('button', { name: `Resume ${base}/#` }).click();
  elsewhere.publish(`${base}/quiet`, ['4']);
  await expect(again.row(`${base}/quiet`, '4')).toHaveCount(1);
  await expect(row(again)).toContainText('1 message');
});

test('changed options are sent to the broker; a changed name or colour is not', async ({
  page,
  parts,
  own,
}) => {
  const { more, field, check, colour, retainHandling } = formOf(page);
  const filter = own.replace('mqttwasm', 'options');
  await showView(page, 'Packets');
  await page.getByRole('checkbox', { name: 'Record packets' }).check();
  await more.click();
  await check('No Local').check();
  await check('Retain As Published').check();
  await retainHandling.selectOption('No retained messages');
  await field('Subscription Identifier').fill('268435456');
  await parts.filter.fill(filter);
  await parts.subscribe.click();
  await expect(field('Subscription Identifier')).toHaveAccessibleDescription(/268,?435,?455/);
  await field('Subscription Identifier').fill('77');
  await parts.subscribe.click();
  const row = parts.subscriptions.filter({ hasText: filter });
  await expect(row).toContainText('QoS 0');
  await packet(page, 'SUBSCRIBE').getByRole('button').click();
  const details = page.getByRole('region', { name: 'Packet details' });
  await expect(details).toContainText('Subscription Identifier (3.8.2.1.2)77');
  await expect(details).toContainText('QoS 0, No Local 1, Retain As Published 1, Retain Handling 2');

  await page.getByRole('button', { name: `Change ${filter}` }).click();
  await expect(check('No Local')).toBeChecked();
  await expect(retainHandling).toHaveValue('2');
  await expect(field('Subscription Identifier')).toHaveValue('77');
  await field('Shown as').fill('Mine');
  await colour('Pink').check();
  await parts.subscribe.click();
  await expect(parts.subscriptions.filter({ hasText: 'Mine' })).toHaveCount(1);
  await expect(packet(page, 'SUBSCRIBE')).toHaveCount(1);
});

test('a connection works without the page’s own topic, or subscribes to it at the QoS available', async ({
  page,
  parts,
}) => {
  const broker = await startMosquitto(undefined, ['max_qos 1']);
  try {
    await connectTo(parts, broker.mqtt);
    await expect(parts.status).toHaveText(`connected ${broker.mqtt}`);
    await expect(parts.subscriptions).toContainText('QoS 1');
    await openSettings(page, 'Options');
    await page.getByRole('checkbox', { name: 'Subscribe to a topic of the page’s own' }).uncheck();
    await connectTo(parts, broker.mqtt);
    await expect(parts.status).toHaveText(`connected ${broker.mqtt}`);
    await expect(parts.subscriptions).toHaveCount(0);
    await parts.disconnect.click();
    await expect(parts.status).toHaveText(/^disconnected/);
  } finally {
    await broker.stop();
  }
});

test('a message that the broker sends twice for overlapping filters is shown once', async ({
  parts,
  own,
}) => {
  const broker = await startMosquitto();
  try {
    await connectTo(parts, broker.mqtt);
    await expect(parts.status).toHaveText(`connected ${broker.mqtt}`);
    const base = own.replace('mqttwasm', 'twice');
    for (const filter of [`${base}/#`, `${base}/+`]) {
      await parts.filter.fill(filter);
      await parts.subscribe.click();
      await expect(parts.subscriptions.filter({ hasText: filter })).toContainText('QoS 0');
    }
    for (const payload of ['on', 'on', 'last']) {
      await parts.topic.fill(`${base}/lamp`);
      await parts.payload.fill(payload);
      await parts.publish.click();
    }
    await expect(parts.row(`${base}/lamp`, 'last')).toHaveCount(1);
    await expect(parts.row(`${base}/lamp`, 'on')).toHaveCount(2);
    for (const filter of [`${base}/#`, `${base}/+`])
      await expect(parts.subscriptions.filter({ hasText: filter })).toContainText('3 messages');
    expect(broker.output().match(/Sending PUBLISH to/g)).toHaveLength(6);
    await parts.disconnect.click();
    await expect(parts.status).toHaveText(/^disconnected/);
  } finally {
    await broker.stop();
  }
});

test('$SYS is subscribed only while it is shown', async ({ page, parts }) => {
  const broker = await startMosquitto(undefined, ['sys_interval 1']);
  /** mosquitto's log of SUBSCRIBE and UNSUBSCRIBE for $SYS, once it has this many entries. */
  const told = async (calls: string) => {
    const all = () => broker.output().match(/Received (UN)?SUBSCRIBE[^\n]*\n[^\n]*\$SYS\/#/g) ?? [];
    await expect
      .poll(() =>
        all()
          .map((call) => (call.includes('UNSUB') ? '-' : '+'))
          .join(''),
      )
      .toBe(calls);
  };
  try {
    await connectTo(parts, broker.mqtt);
    await expect(parts.status).toHaveText(`connected ${broker.mqtt}`);
    await turn(page, 'hidden');
    await showView(page, 'Broker');
    await parts.publish.click();
    await broker.printed(/Received PUBLISH/);
    await told('');
    await turn(page, 'visible');
    const figures = page.getByRole('list', { name: 'Figures' }).getByRole('listitem');
    await expect(figures.filter({ hasText: 'Clients connected' })).toContainText(/\d/);
    await told('+');
    await turn(page, 'hidden');
    await told('+-');
    await turn(page, 'visible');
    await told('+-+');
    await expect(figures.filter({ hasText: 'Clients connected' })).toContainText(/\d/);
    await showView(page, 'Messages');
    await told('+-+-');
    await parts.disconnect.click();
    await expect(parts.status).toHaveText(/^disconnected/);
  } finally {
    await broker.stop();
  }
});

for (const width of [260, 340]) {
  test(`at ${width} pixels a subscription is one line that keeps its last level`, async ({ page, parts }) => {
    const { more, colour } = formOf(page);
    await page.evaluate((pixels) => {
      const panel = document.querySelector<HTMLElement>('#subscribe');
      if (panel) Object.assign(panel.style, { width: `${pixels}px`, position: 'relative', zIndex: '9' });
    }, width);
    await parts.filter.fill('a/long/way/to/some/where/in/the/garden/temperature');
    await parts.subscribe.click();
    await expect(parts.subscriptions).toHaveCount(2);
    for (const row of await parts.subscriptions.all()) {
      const { height } = (await row.boundingBox()) ?? { height: 0 };
      expect(height).toBeGreaterThanOrEqual(28);
      expect(height).toBeLessThanOrEqual(32);
    }
    const last = parts.subscriptions.locator('.subscription-level').filter({ hasText: '/temperature' });
    expect(await last.evaluate((level) => level.scrollWidth - level.clientWidth)).toBeLessThanOrEqual(0);
    await more.click();
    await expect(colour('Automatic')).toBeChecked();
    expect(await page.locator('#subscribe').evaluate((panel) => panel.scrollWidth <= panel.clientWidth)).toBe(
      true,
    );
    const go = await Promise.all(
      [parts.subscribe, more].map(async (button) => (await button.boundingBox())?.y),
    );
    expect(Math.abs((go[0] ?? 0) - (go[1] ?? 99))).toBeLessThan(4);
    await inBothSchemes(page, async (scheme) => {
      expect(await violationsOf(page, { within: '#subscribe', scheme })).toEqual([]);
    });
  });
}

test.describe('by touch', () => {
  test.use({ hasTouch: true, isMobile: true, viewport: { width: 390, height: 844 } });

  test('each control of a subscription is large enough for a finger', async ({ page, parts }) => {
    await showView(page, 'Topics');
    for (const button of await parts.subscriptions.getByRole('button').all()) {
      const { height } = (await button.boundingBox()) ?? { height: 0 };
      expect(height).toBeGreaterThanOrEqual(44);
    }
    await parts.subscriptions.getByRole('button', { name: /^Pause/ }).tap();
    await expect(parts.subscriptions.getByRole('button', { name: /^Resume/ })).toBeVisible();
    await showView(page, 'Publish');
    await parts.publish.tap();
    await showView(page, 'Topics');
    await expect(parts.subscriptions).toContainText('1 left out');
    expect(await violationsOf(page, { within: '#subscribe' })).toEqual([]);
  });
});
