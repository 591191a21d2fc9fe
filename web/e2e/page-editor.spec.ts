/**
 * The payload editor, completion and history in the form, saved messages in collections, and the command
 * palette.
 */

import { readFileSync } from 'node:fs';
import type { Locator, Page } from '@playwright/test';
import { violationsOf } from './support/axe';
import { expect, test } from './support/fixtures';
import { drawerButton, laptopAndPhone, type Parts, showView } from './support/page';

let parts: Parts;
let own: string;

test.beforeEach(async ({ parts: theParts, own: theOwn }) => {
  parts = theParts;
  own = theOwn;
});

const tool = (page: Page, name: string) => page.getByRole('button', { name, exact: true });
const palette = (page: Page) => page.getByRole('dialog', { name: /^Find a command/ });
const editorOf = (page: Page) => page.locator('#publish .cm-content');
const selectionOf = (area: Locator) =>
  area.evaluate((field: HTMLTextAreaElement) => [field.selectionStart, field.selectionEnd]);

test('the editor takes the textarea’s text, caret and height, and gives them back', async ({ page }) => {
  const scripts: string[] = [];
  page.on('request', (request) => {
    if (/\/editor-[^/]*\.js$/.test(request.url())) scripts.push(request.url());
  });
  await parts.payload.fill('{"a": [1, "b"]}');
  await parts.payload.press('Home');
  await parts.payload.press('ArrowRight');
  const height = (await parts.payload.boundingBox())?.height;
  expect(scripts).toEqual([]);

  await tool(page, 'Editor').click();
  await expect(editorOf(page)).toBeFocused();
  await expect(parts.payload).toHaveAttribute('contenteditable', 'true');
  await expect(parts.payload).toHaveText('{"a": [1, "b"]}');
  expect((await page.locator('[data-editor]').boundingBox())?.height).toBe(height);
  // JSON is highlighted in the page's colours, by a style sheet that the content security policy allows.
  const colour = (text: string) =>
    editorOf(page)
      .getByText(text, { exact: true })
      .evaluate((element) => getComputedStyle(element).color);
  await expect.poll(() => colour('"a"')).not.toBe(await colour('"b"'));
  await page.keyboard.type('"n": 0, ');
  await expect(parts.payload).toHaveText('{"n": 0, "a": [1, "b"]}');
  await parts.payload.fill('{"x":{{n}},"y":[2]}');
  await tool(page, 'Format').click();
  await expect(page.locator('#publish .cm-line')).toHaveText([
    '{',
    '  "x": {{n}},',
    '  "y": [',
    '    2',
    '  ]',
    '}',
  ]);
  expect(await violationsOf(page, { within: '#publish' })).toEqual([]);
  await page.keyboard.press('Control+Enter');
  await expect(parts.rows.filter({ hasText: `${own}/hello` })).toContainText('"x": 0');

  await tool(page, 'Editor').click();
  await expect(parts.payload).toHaveValue('{\n  "x": {{n}},\n  "y": [\n    2\n  ]\n}');
  await expect(parts.payload).toBeFocused();
});

test('the editor, once chosen, loads again when the payload field is first used', async ({ page }) => {
  await tool(page, 'Editor').click();
  await expect(editorOf(page)).toBeFocused();
  await page.reload();
  await expect(parts.status).toHaveText(/^connected/);
  await parts.payload.fill('kept');
  await expect(editorOf(page)).toBeFocused();
  await expect(parts.payload).toHaveText('kept');
  await page.getByRole('button', { name: 'Insert {{uuid}}' }).click();
  await expect(parts.payload).toHaveText('kept{{uuid}}');
  await page.keyboard.press('Control+z');
  await expect(parts.payload).toHaveText('kept');
});

test('a placeholder is inserted at the caret, and can be undone', async ({ page }) => {
  await parts.payload.fill('ab');
  await parts.payload.press('ArrowLeft');
  await page.getByRole('button', { name: 'Insert {{n}}' }).click();
  await expect(parts.payload).toHaveValue('a{{n}}b');
  expect(await selectionOf(parts.payload)).toEqual([6, 6]);
  await page.keyboard.press('Control+z');
  await expect(parts.payload).toHaveValue('ab');
});

test('JSON errors give line and column, and JSON can be formatted', async ({ page }) => {
  await page.getByRole('combobox', { name: 'Payload format' }).selectOption('JSON');
  await parts.payload.fill('{\n"a": }');
  await expect(parts.payload).toHaveAccessibleDescription(/not JSON: line 2, column 6/);
  await parts.payload.fill('{"a":1.0}');
  await tool(page, 'Format').click();
  await expect(parts.payload).toHaveValue('{\n  "a": 1.0\n}');
  // Text that only looks like JSON is reported when formatting it fails.
  await page.getByRole('combobox', { name: 'Payload format' }).selectOption('Text');
  await parts.payload.fill('{"a"');
  await expect(parts.payload).not.toHaveAccessibleDescription(/not JSON/);
  await tool(page, 'Format').click();
  await expect(parts.payload).toHaveAccessibleDescription(/not JSON: line 1, column 5/);
  await expect(parts.payload).toHaveValue('{"a"');
});

test('arrow keys bring back earlier payloads, and the unsent draft', async () => {
  for (const text of ['one', 'two', 'three\nlines']) {
    await parts.payload.fill(text);
    await parts.payload.press('Control+Enter');
  }
  await expect(parts.rows).toHaveCount(3);
  await parts.topic.fill(`${own}/other`);
  await parts.payload.fill('');
  await parts.payload.press('ArrowUp');
  await expect(parts.payload).toHaveValue('three\nlines');
  await parts.payload.press('Alt+ArrowUp');
  await expect(parts.payload).toHaveValue('two');
  await parts.payload.press('ArrowUp');
  await expect(parts.payload).toHaveValue('one');
  for (const text of ['two', 'three\nlines', '']) {
    await parts.payload.press('Alt+ArrowDown');
    await expect(parts.payload).toHaveValue(text);
  }
  await expect(parts.topic).toHaveValue(`${own}/other`);
  // In an edited payload the arrow keys move the caret.
  await parts.payload.fill('mine');
  await parts.payload.press('ArrowUp');
  await expect(parts.payload).toHaveValue('mine');
  await parts.payload.press('Alt+ArrowUp');
  await expect(parts.payload).toHaveValue('three\nlines');
});

test('topics seen are offered as completions, and Enter publishes when none is chosen', async ({
  page,
  elsewhere,
}) => {
  elsewhere.publish(`${own}/kitchen/climate`, ['1']);
  elsewhere.publish(`${own}/kitchen/light`, ['1']);
  await expect(parts.rows).toHaveCount(2);
  const list = page.getByRole('listbox', { name: 'Topics seen so far' });
  await parts.topic.focus();
  await parts.topic.fill('');
  await parts.topic.pressSequentially('kit clim');
  await expect(list.getByRole('option')).toHaveText([`${own}/kitchen/climate`]);
  expect(await violationsOf(page)).toEqual([]);
  await parts.topic.press('ArrowDown');
  await expect(list.getByRole('option', { selected: true })).toHaveCount(1);
  await parts.topic.press('Enter');
  await expect(parts.topic).toHaveValue(`${own}/kitchen/climate`);
  await expect(list).toBeHidden();
  await expect(parts.rows).toHaveCount(2);
  await parts.topic.press('Enter');
  await expect(parts.rows).toHaveCount(3);

  await parts.topic.fill('kitchen');
  await list.getByRole('option', { name: `${own}/kitchen/light` }).click();
  await expect(parts.topic).toHaveValue(`${own}/kitchen/light`);
  await expect(parts.topic).toBeFocused();
  await parts.topic.fill('kitchen');
  await expect(list).toBeVisible();
  await parts.topic.press('Escape');
  await expect(list).toBeHidden();
  await expect(parts.topic).toHaveValue('kitchen');
});

test('messages are saved in collections, and move to another browser in a file', async ({ page }) => {
  const read = (buffer: string) =>
    page.getByLabel('Import messages').setInputFiles({
      name: 'm.json',
      mimeType: 'application/json',
      buffer: Buffer.from(buffer),
    });
  await parts.payload.fill('ON');
  await tool(page, 'Saved').click();
  const form = page.getByRole('form', { name: 'Save this message' });
  await form.getByRole('textbox', { name: 'Save this message as' }).fill('on');
  await form.getByRole('textbox', { name: 'Collection' }).fill('Lamp');
  await form.getByRole('button', { name: 'Save' }).click();
  const lamp = page.getByRole('region', { name: 'Lamp' });
  await expect(lamp.getByRole('listitem')).toHaveCount(1);

  const downloading = page.waitForEvent('download');
  await lamp.getByRole('button', { name: 'Export Lamp' }).click();
  const download = await downloading;
  expect(download.suggestedFilename()).toBe('mqttwasm-messages-Lamp.json');
  const file = readFileSync(await download.path(), 'utf8');
  await read(file.replace('"payload": "ON"', '"payload": 5'));
  await expect(form.getByRole('alert')).toHaveText(
    'messages[0].message.payload must be text. Nothing was imported.',
  );
  await read(file.replace('"payload": "ON"', '"payload": "OFF"'));
  await expect(page.getByText('1 message imported.')).toBeVisible();
  await expect(form.getByRole('alert')).toHaveCount(0);
  await lamp.getByRole('button', { name: 'Load into form on (2)' }).click();
  await expect(parts.payload).toHaveValue('OFF');
  expect(await violationsOf(page, { within: '#publish' })).toEqual([]);
});

for (const [width, height] of laptopAndPhone) {
  test(`many saved messages scroll in one list, and the form that one fills comes into view, ${width}x${height}`, async ({
    page,
  }) => {
    await page.setViewportSize({ width, height });
    await showView(page, 'Publish');
    await tool(page, 'Saved').click();
    const names = Array.from({ length: 24 }, (_, n) => ({ name: `reading ${n}`, collection: `C${n % 3}` }));
    const messages = names.map((one) => ({ ...one, message: { topic: `saved/${one.name}`, payload: 'x' } }));
    await page.getByLabel('Import messages').setInputFiles({
      name: 'm.json',
      mimeType: 'application/json',
      buffer: Buffer.from(JSON.stringify({ format: 'mqttwasm messages', version: 1, messages })),
    });
    await expect(page.getByText('24 messages imported.')).toBeVisible();
    const last = page
      .getByRole('region', { name: 'C2' })
      .getByRole('button', { name: 'Load into form reading 23' });
    const scrolling = await last.evaluate((button) => {
      const found: string[] = [];
      for (let at = button.parentElement; at; at = at.parentElement) {
        if (at.scrollHeight > at.clientHeight && /auto|scroll/.test(getComputedStyle(at).overflowY))
          found.push(at.id);
      }
      return found;
    });
    expect(scrolling).toEqual(['publish']);
    await last.click();
    await expect(parts.topic).toHaveValue('saved/reading 23');
    await expect(parts.topic).toBeInViewport({ ratio: 1 });
  });
}

test('the palette finds commands, topics and profiles', async ({ page, server, elsewhere }) => {
  elsewhere.publish(`${own}/deep/down/here`, ['1']);
  await expect(parts.rows).toHaveCount(1);
  await page.evaluate(
    (url) =>
      localStorage.setItem('mqttwasm.profiles', JSON.stringify([{ name: 'Plant B', settings: { url } }])),
    `${server.mqtt}?plant`,
  );
  const input = palette(page).getByRole('combobox');
  const options = palette(page).getByRole('option');

  // Opened from within a field, the palette returns the focus to it.
  await parts.payload.focus();
  await page.keyboard.press('Control+k');
  await expect(input).toBeFocused();
  await expect(options.first()).toContainText('Plant B');
  expect(await violationsOf(page)).toEqual([]);
  await page.keyboard.press('Control+k');
  await expect(palette(page)).toBeHidden();
  await expect(parts.payload).toBeFocused();

  await page.keyboard.press('Control+k');
  await input.fill('shpack');
  await expect(options.first()).toHaveText(/^Show packets.*K$/);
  await page.keyboard.press('Enter');
  await expect(palette(page)).toBeHidden();
  await expect(page.getByRole('group', { name: 'Packets' })).toBeFocused();
  await expect(drawerButton(page, 'Packets')).toHaveAttribute('aria-expanded', 'true');

  await page.keyboard.press('Control+k');
  await input.fill('down here');
  await expect(options.first()).toContainText(`${own}/deep/down/here`);
  await options.first().click();
  await expect(page.getByRole('treeitem', { selected: true })).toContainText('here');
  await expect(page.getByRole('treeitem', { selected: true })).toBeInViewport();

  await page.keyboard.press('Control+k');
  await input.fill('no such thing at all');
  await expect(palette(page).getByRole('status')).toHaveText('Nothing matches.');
  await input.fill('plant');
  await page.keyboard.press('Enter');
  // The query string is only in the form, not in the status.
  await expect(parts.status).toHaveAttribute('data-edited', 'false');
  await expect(parts.url).toHaveValue(`${server.mqtt}?plant`);
  await expect(parts.status).toHaveText(`connected ${server.mqtt}`);
});

test('keys typed before the palette has loaded reach it', async ({ page, elsewhere }) => {
  elsewhere.publish(`${own}/x`, ['1']);
  await expect(parts.rows).toHaveCount(1);
  let deliver = () => {};
  const asked = new Promise<void>((resolve) => {
    void page.route('**/assets/palette-*.js', async (route) => {
      resolve();
      await new Promise<void>((go) => {
        deliver = go;
      });
      await route.continue();
    });
  });
  await parts.payload.fill('mine');
  await page.keyboard.press('Control+k');
  await asked;
  await page.keyboard.type('Xp');
  await page.keyboard.press('Backspace');
  await page.keyboard.press('Enter');
  deliver();
  await expect(palette(page).getByRole('combobox')).toHaveValue('X');
  await expect(parts.payload).toHaveValue('mine');
  await page.keyboard.press('Escape');
  await expect(parts.rows).toHaveCount(1);
});

test('the first tab stop skips to the messages, and each view has a key', async ({ page }) => {
  await page.reload();
  await expect(parts.status).toHaveText(/^connected/);
  await showView(page, 'Topics');
  await page.evaluate(() => (document.activeElement as HTMLElement).blur());
  for (const [key, name] of [
    ['j', 'Scripts'],
    ['f', 'Fleet'],
    ['m', 'Messages'],
  ] as const) {
    await page.keyboard.press(key);
    await expect(page.getByRole('tab', { name })).toHaveAttribute('aria-selected', 'true');
    await expect(page.getByRole('tab', { name })).toBeFocused();
  }
  for (const [key, name] of [
    ['b', 'Broker'],
    ['k', 'Packets'],
  ] as const) {
    await page.keyboard.press(key);
    await expect(drawerButton(page, name)).toHaveAttribute('aria-expanded', 'true');
    await expect(page.getByRole('group', { name })).toBeFocused();
  }
  await page.keyboard.press('t');
  await expect(page.getByRole('tree')).toBeFocused();
  await page.evaluate(() => (document.activeElement as HTMLElement).blur());
  await page.keyboard.press('s');
  await expect(parts.filter).toBeFocused();
  const skip = page.getByRole('link', { name: 'Skip to messages' });
  await page.evaluate(() => document.querySelector<HTMLElement>('a, button, input')?.focus());
  await expect(skip).toBeFocused();
  await expect(skip).toBeInViewport();
  await page.keyboard.press('Enter');
  await expect(parts.log).toBeVisible();
  await page.keyboard.press('Tab');
  expect(await page.evaluate(() => document.activeElement?.closest('#messages') !== null)).toBe(true);
  await page.getByRole('button', { name: 'Keyboard shortcuts' }).click();
  await expect(page.getByRole('dialog', { name: 'Keyboard shortcuts' })).toContainText('Show packets');
});
