import type { Locator } from '@playwright/test';
import { encode as encodeCbor } from 'cborg';
import { expect, test } from './support/fixtures';
import { laptopAndPhone, showView } from './support/page';

/** A red PNG of 5 by 5 pixels. */
const red = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAAAUAAAAFCAIAAAACDbGyAAAAEUlEQVR42mP4z8CAjBgo5AMA/XwY6DI3DH0AAAAASUVORK5CYII=',
  'base64',
);

/** Sparkplug B: one named metric, a double. */
function metric(name: string, value: number): Buffer {
  const number = Buffer.alloc(8);
  number.writeDoubleLE(value);
  const fields = [Buffer.from([0x0a, name.length]), Buffer.from(name), Buffer.from([0x20, 10, 0x69]), number];
  const bytes = Buffer.concat(fields);
  return Buffer.concat([Buffer.from([0x12, bytes.length]), bytes]);
}

const isCut = (part: Locator) => part.evaluate(({ scrollWidth, clientWidth }) => scrollWidth > clientWidth);

test('rows of the feed show decoded payloads in colour, and keep the end of a topic', async ({
  page,
  parts,
  own,
  elsewhere,
}) => {
  await parts.filter.fill('spBv1.0/#');
  await parts.subscribe.click();
  await expect(parts.subscriptions).toHaveCount(2);
  const long = `${own}/${'a-long-way-to-go/'.repeat(20)}soil-moisture`;
  elsewhere.publish(`${own}/json`, ['{"temperature": 20.8, "on": true, "unit": "C"}']);
  elsewhere.publish(`${own}/cbor`, [encodeCbor({ t: 7.2 })]);
  elsewhere.publish(`${own}/camera`, [red]);
  elsewhere.publish('spBv1.0/plant/NDATA/edge', [metric('Boiler/Temp', 72)]);
  elsewhere.publish(long, ['38']);

  await expect(parts.row(`${own}/cbor`, '{t: 7.2}')).toContainText('CBOR');
  await expect(parts.row('spBv1.0/plant/NDATA/edge', 'Boiler/Temp 72')).toContainText('NDATA');
  const json = parts.row(`${own}/json`, '{"temperature": 20.8, "on": true, "unit": "C"}');
  for (const [kind, texts] of Object.entries({
    key: ['"temperature"', '"on"', '"unit"'],
    number: ['20.8'],
    word: ['true'],
    string: ['"C"'],
  })) {
    await expect(json.locator(`.row-payload [data-kind=${kind}]`)).toHaveText(texts);
  }
  await expect(json.getByText(/QoS/)).toHaveCount(0);
  expect((await json.boundingBox())?.height).toBe(26);

  const picture = parts.row(`${own}/camera`, '5 × 5').locator('canvas');
  const pixel = () =>
    picture.evaluate((canvas) => {
      const copy = new OffscreenCanvas(1, 1).getContext('2d');
      copy?.drawImage(canvas as HTMLCanvasElement, -2, -2);
      return [...(copy?.getImageData(0, 0, 1, 1).data ?? [])];
    });
  await expect.poll(pixel).toEqual([255, 0, 0, 255]);

  const levels = parts.row(long, '38').locator('.row-topic > [data-kind]');
  await expect(levels.last()).toHaveText('/soil-moisture');
  expect([await isCut(levels.first()), await isCut(levels.last())]).toEqual([true, false]);

  // Matches are marked across coloured tokens.
  await page.getByRole('textbox', { name: 'Search messages' }).fill('8, "o');
  await expect(json.locator('mark')).toHaveText(['8', ', ', '"o']);
});

test('a row that is cut tells the size of its payload, once', async ({ page, parts, own, elsewhere }) => {
  const sizes = (row: string) =>
    parts.rows.filter({ hasText: row }).getByText(/\d B$/).filter({ visible: true });
  const event = JSON.stringify({ type: 'update', snapshot: 'x'.repeat(600) });
  elsewhere.publish(`${own}/event`, [event]);
  elsewhere.publish(`${own}/short`, ['{"type": "end"}']);
  for (const [width, height] of laptopAndPhone) {
    await page.setViewportSize({ width, height });
    await expect(sizes('/event')).toHaveText(`${event.length} B`);
    await expect(sizes('/short')).toHaveCount(width < 900 ? 1 : 0);
  }
});

test('rows of deep topics are told apart by the levels before the last', async ({
  page,
  parts,
  own,
  elsewhere,
}) => {
  const robot = `${own}/stuttgart/body-shop/line-03/cell-12/robot-kr210`;
  const axes = ['axis1', 'axis2'];
  for (const axis of axes) elsewhere.publish(`${robot}/${axis}/position`, ['28.838']);
  const isShown = (topic: Element, level: string) => {
    const walk = document.createTreeWalker(topic, NodeFilter.SHOW_TEXT);
    const range = document.createRange();
    while (walk.nextNode()) {
      const at = walk.currentNode.nodeValue?.indexOf(level) ?? -1;
      if (at < 0) continue;
      range.setStart(walk.currentNode, at);
      range.setEnd(walk.currentNode, at + level.length);
      const [text, head] = [range, topic.children[0] ?? topic].map((one) => one.getBoundingClientRect());
      return !!text && !!head && text.left >= head.left && text.right <= head.right + 0.5;
    }
    return false;
  };
  for (const [width, height] of laptopAndPhone) {
    await page.setViewportSize({ width, height });
    for (const axis of axes) {
      const topic = parts.row(`${robot}/${axis}/position`, '28.838').locator('.row-topic');
      expect(await topic.evaluate(isShown, axis), `${axis} at ${width}`).toBe(true);
    }
  }
});

test('a topic is copied in one piece, from a row, from the tree and from a subscription', async ({
  page,
  parts,
  own,
  elsewhere,
}) => {
  const copied = (row: Locator) =>
    row.evaluate((element) => {
      getSelection()?.selectAllChildren(element);
      // biome-ignore lint/performance/useDomNodeTextContent: as it is laid out
      return [(element as HTMLElement).innerText, String(getSelection())];
    });
  const topics = [
    `${own}/copied`,
    `${own}/${'a-long-way-to-go/'.repeat(20)}end`,
    `${own}/温室/北边的一个很长很长的名字`,
  ];
  for (const topic of topics) {
    elsewhere.publish(topic, ['1']);
    for (const text of await copied(parts.row(topic, '1'))) expect(text).toContain(topic);
    await parts.filter.fill(`${topic}/#`);
    await parts.subscribe.click();
    const subscription = parts.subscriptions.filter({ hasText: `${topic}/#` });
    for (const text of await copied(subscription)) expect(text).toContain(`${topic}/#`);
  }
  await showView(page, 'Topics');
  await page.getByRole('treeitem').first().click();
  await page.keyboard.press('*');
  const name = page.getByRole('treeitem', { name: /a-long-way/ }).locator('.topic-name');
  for (const text of await copied(name)) expect(text).toMatch(/^…\/(a-long-way-to-go\/)+end$/);
});

test('rows of the tree: levels in one, values in a column, a pulse, a branch that opens at a click', async ({
  page,
  parts,
  own,
  elsewhere,
}) => {
  const plant = own.replace('mqttwasm', 'plant');
  const row = (name: string) => page.getByRole('treeitem', { name: new RegExp(`^${name}( |$)`) });
  await parts.qos.selectOption('1');
  await parts.retain.check();
  await parts.topic.fill(`${plant}/bridge/state`);
  await parts.payload.fill('online');
  await parts.publish.click();
  await expect(parts.results.filter({ hasText: 'Acknowledged' })).toHaveCount(1);
  await parts.filter.fill(`${plant}/#`);
  await parts.subscribe.click();
  await showView(page, 'Topics');
  await expect(row(`${plant}/bridge/state`)).toHaveAccessibleName(/ online retained 1 message$/);

  // With Retain As Published, live messages carry the RETAIN flag too.
  await parts.topic.fill(`${plant}/mode`);
  await parts.payload.fill('auto');
  await parts.publish.click();
  await expect(row('mode')).toHaveAccessibleName(/ auto retained 1 message$/);

  elsewhere.publish(`${plant}/boiler`, [encodeCbor({ t: 7.2 })]);
  await expect(row('boiler')).toHaveAccessibleName('boiler CBOR {t: 7.2} 1 message');
  // The broker keeps its retained message: one without the RETAIN flag does not change it.
  elsewhere.publish(`${plant}/bridge/state`, ['offline']);
  const state = row('bridge/state');
  await expect(state).toHaveAccessibleName('bridge/state offline retained 2 messages');
  await expect(state).toHaveAttribute('aria-level', '2');
  const left = async (one: Locator) => (await one.locator('.topic-payload').boundingBox())?.x;
  const indented = state.locator('.topic-name');
  expect((await indented.boundingBox())?.x).toBeGreaterThan(
    (await row(plant).locator('.topic-name').boundingBox())?.x ?? 0,
  );
  expect(await left(state)).toBe((await row(plant).locator('.topic-below').boundingBox())?.x);

  const pulse = () => state.evaluate((one) => getComputedStyle(one, '::after').animationName);
  await expect.poll(pulse).toMatch(/topic-pulse/);
  const before = await pulse();
  elsewhere.publish(`${plant}/bridge/state`, ['online']);
  await expect.poll(pulse).not.toBe(before);
  await page.emulateMedia({ reducedMotion: 'reduce' });
  expect(await pulse()).toBe('none');

  await row(plant).click();
  await expect(row(plant)).toHaveAttribute('aria-expanded', 'false');
  await expect(state).toHaveCount(0);
  await row(plant).click();
  await expect(row(plant)).toHaveAttribute('aria-expanded', 'true');
  await state.click();
  await expect(state).toHaveAttribute('aria-selected', 'true');

  await parts.topic.fill(`${plant}/bridge/state`);
  await parts.payload.fill('');
  await parts.publish.click();
  await expect(state).toHaveAccessibleName('bridge/state empty 4 messages');
});
