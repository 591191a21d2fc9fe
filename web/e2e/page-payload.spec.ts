import { readFile } from 'node:fs/promises';
import { deflateSync } from 'node:zlib';
import { encode as encodeMessagePack } from '@msgpack/msgpack';
import type { Page } from '@playwright/test';
import { encode as encodeCbor } from 'cborg';
import protobuf from 'protobufjs';
import { violationsOf } from './support/axe';
import { expect, test } from './support/fixtures';
import type { Parts } from './support/page';
import { openRow } from './support/page';
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

// Content security policy violations count as errors.
let opened = 0;
test.beforeEach(() => {
  opened = 0;
});

async function show(page: Page, topic: string, payload: string | Uint8Array) {
  elsewhere.publish(topic, [payload]);
  await openRow(page, ++opened).click();
  const details = page.getByRole('region', { name: 'Message details' });
  return {
    details,
    as: details.getByRole('combobox', { name: 'Show payload as' }),
    text: details.locator('pre'),
  };
}

test('JSON keeps its numbers, folds, and works by keyboard', async ({ page }) => {
  const { details, as, text } = await show(
    page,
    `${own}/json`,
    '{"n":12345678901234567890.10,"list":[1,2],"e":{}}',
  );
  await expect(as).toHaveValue('');
  await expect(as.locator('option:checked')).toHaveText('Automatic: JSON');
  await expect
    .poll(() => text.textContent())
    .toBe('{\n  "n": 12345678901234567890.10,\n  "list": [\n    1,\n    2\n  ],\n  "e": {}\n}\n');

  const all = details.getByRole('button', { name: 'All, 3 values' });
  const list = details.getByRole('button', { name: '"list", 2 values' });
  await all.focus();
  await page.keyboard.press('ArrowDown');
  await expect(list).toBeFocused();
  await page.keyboard.press('ArrowLeft');
  await expect(list).toHaveAttribute('aria-expanded', 'false');
  await expect(text).toHaveText('{ "n": 12345678901234567890.10, "list": [ 2 values ], "e": {} }');
  await page.keyboard.press('Enter');
  await expect(list).toHaveAttribute('aria-expanded', 'true');
  await page.keyboard.press('ArrowUp');
  await expect(all).toBeFocused();
});

test('what is told beside a value is not cut within a date', async ({ page }) => {
  await page.setViewportSize({ width: 1366, height: 657 });
  const now = Date.now();
  const names = Array.from({ length: 24 }, (_, n) => `${'a'.repeat(n)}_timestamp`);
  const { text } = await show(
    page,
    `${own}/times`,
    JSON.stringify(Object.fromEntries(names.map((name) => [name, now]))),
  );
  const notes = text.getByText(new Date(now).toISOString());
  await expect(notes).toHaveCount(names.length);
  const lines = await notes.evaluateAll((all) =>
    all.map((note) => note.getClientRects().length + Math.round(note.getBoundingClientRect().height / 20)),
  );
  expect(new Set(lines).size).toBe(1);
});

test('a few bytes show the numbers they could be, in either order', async ({ page }) => {
  const float = Buffer.alloc(4);
  float.writeFloatBE(13.1);
  const { details } = await show(page, `${own}/flow`, float);
  await expect(details.getByText('uint32 1095866778, float 13.1', { exact: true })).toBeVisible();
  await expect(details.getByText('Big-endian', { exact: true })).toBeVisible();
  expect(await violationsOf(page)).toEqual([]);
});

test('a payload in Base64 is told with what it stands for', async ({ page }) => {
  const { details, text } = await show(page, `${own}/up`, 'eyJ0cyI6MX0=');
  await expect(text).toHaveText('eyJ0cyI6MX0=');
  await expect(details.getByText('Base64: {"ts":1}', { exact: true })).toBeVisible();
});

test('a compressed payload is shown and copied unpacked', async ({ page, context }) => {
  await context.grantPermissions(['clipboard-read', 'clipboard-write']);
  const { details, text } = await show(page, `${own}/map`, deflateSync('{"__class":"ValetudoMap"}'));
  await expect(text).toHaveText('{ "__class": "ValetudoMap" }');
  await expect(details.getByText('zlib: unpacked, 25 B', { exact: true })).toBeVisible();
  await details.getByRole('button', { name: 'Copy payload' }).click();
  await expect
    .poll(() => page.evaluate(() => navigator.clipboard.readText()))
    .toBe('{"__class":"ValetudoMap"}');
});

test('a key that is longer than a line begins beside its fold', async ({ page }) => {
  await page.setViewportSize({ width: 1366, height: 657 });
  const key = 'nsu=http://example.com/UA/Machines/;s=Machine.Spindle.Speed';
  const { details, text } = await show(
    page,
    `${own}/key`,
    JSON.stringify({ Payload: { [key]: { Value: 1 } } }),
  );
  const fold = await details.getByRole('button', { name: `${key}", 1 value` }).boundingBox();
  const shown = await text.getByText(key).evaluate((element) => element.getClientRects()[0]?.top ?? 0);
  expect(Math.abs(shown - (fold?.y ?? 0))).toBeLessThan(12);
});

test('the format chosen for a topic holds as long as the page is open', async ({ page }) => {
  const topic = `${own}/wanted`;
  const first = await show(page, topic, '{"a":1}');
  await first.as.selectOption('Base64');
  await expect(first.text).toHaveText('eyJhIjoxfQ==');
  const second = await show(page, topic, '{"a":2}');
  await expect(second.text).toHaveText('eyJhIjoyfQ==');
  const other = await show(page, `${own}/other`, '{"a":3}');
  await expect(other.text).toHaveText('{ "a": 3 }');
  const third = await show(page, topic, '{"a":4}');
  await third.as.selectOption({ index: 0 });
  await expect(third.text).toHaveText('{ "a": 4 }');
});

test('CBOR and MessagePack are recognised, and their decoders are loaded on demand', async ({ page }) => {
  const loaded: string[] = [];
  page.on('request', (request) => loaded.push(request.url()));
  const value = { id: 2 ** 63, list: [true, null, 'é'], bytes: Uint8Array.of(0, 255) };

  const cbor = await show(page, `${own}/cbor`, encodeCbor(value));
  await expect(cbor.as.locator('option:checked')).toHaveText('Automatic: CBOR');
  await expect(cbor.text).toContainText('"bytes": h\'00ff\'');
  expect(loaded.some((url) => url.includes('/cbor-'))).toBe(true);
  expect(loaded.some((url) => url.includes('/msgpack-'))).toBe(false);

  const messagePack = await show(page, `${own}/msgpack`, encodeMessagePack({ ...value, id: 1 }));
  await expect(messagePack.as.locator('option:checked')).toHaveText('Automatic: MessagePack');
  await expect(messagePack.text).toContainText('"list": [ true, null, "é" ]');
});

test('Protobuf with the user’s .proto, without generated code', async ({ page }) => {
  const source =
    'syntax = "proto3"; package lab; message Reading { string name = 1; repeated sint32 values = 2; } message Other {}';
  const type = protobuf.parse(source).root.lookupType('lab.Reading');
  const topic = `${own}/protobuf`;
  const { details, as, text } = await show(
    page,
    topic,
    type.encode({ name: 'probe', values: [-1, 300] }).finish(),
  );
  await as.selectOption('Protobuf');
  await expect(text).toContainText('1: "probe",  field, bytes');

  const files = details.locator('input[type=file]');
  await files.setInputFiles({ name: 'bad.proto', mimeType: 'text/plain', buffer: Buffer.from('message {') });
  await expect(details.getByRole('alert')).toHaveText(/^bad\.proto: illegal type name/);
  await files.setInputFiles({ name: 'lab.proto', mimeType: 'text/plain', buffer: Buffer.from(source) });
  await details.getByRole('combobox', { name: 'Message type' }).selectOption('lab.Reading');
  await expect(text).toHaveText('{ "name": "probe", "values": [ -1, 300 ] }');

  const next = await show(page, topic, type.encode({ name: 'again' }).finish());
  await expect(next.text).toHaveText('{ "name": "again" }');
});

test('Sparkplug B by its topic', async ({ page }) => {
  await parts.filter.fill('spBv1.0/#');
  await parts.subscribe.click();
  await expect(parts.subscriptions.filter({ hasText: 'spBv1.0/#' })).toContainText(/QoS \d/);
  // One metric: name "t", datatype Int8, int_value 0xff.
  const metric = [0x0a, 1, 0x74, 0x20, 1, 0x50, 0xff, 1];
  const { text } = await show(
    page,
    'spBv1.0/group/NDATA/node',
    Uint8Array.from([0x12, metric.length, ...metric, 0x18, 7]),
  );
  await expect(text).toHaveText(
    '{ "metrics": [ { "name": "t", "datatype": Int8, 1 "int_value": -1 } ], "seq": 7 }',
  );
});

test('Sparkplug B: an alias gets its name from the BIRTH', async ({ page }) => {
  await parts.filter.fill('spBv1.0/#');
  await parts.subscribe.click();
  await expect(parts.subscriptions.filter({ hasText: 'spBv1.0/#' })).toContainText(/QoS \d/);
  // One metric with alias 7: name "t" and datatype Int8 in the BIRTH, int_value 0xff in the DATA.
  const birth = [0x0a, 1, 0x74, 0x10, 7, 0x20, 1];
  const data = Uint8Array.from([0x12, 5, 0x10, 7, 0x50, 0xff, 1]);
  const early = await show(page, 'spBv1.0/group/DDATA/node/device', data);
  await expect(early.text).toHaveText('{ "metrics": [ { "alias": 7,  no BIRTH seen "int_value": 255 } ] }');
  await show(page, 'spBv1.0/group/DBIRTH/node/device', Uint8Array.from([0x12, birth.length, ...birth]));
  const later = await show(page, 'spBv1.0/group/DDATA/node/device', data);
  await expect(later.text).toHaveText('{ "metrics": [ { "alias": 7,  "t" by its BIRTH "int_value": -1 } ] }');
});

test('images are rendered, an SVG only on request and without running scripts', async ({ page }) => {
  const requests: string[] = [];
  page.on('request', (request) => requests.push(request.url()));
  const svg =
    '<svg xmlns="http://www.w3.org/2000/svg" width="40" height="20" onload="alert(1)">' +
    '<script>alert(2)</script><style>@import url(http://evil.example/x.css);</style><rect width="40" height="20"/></svg>';
  const { details } = await show(page, `${own}/svg`, svg);
  const picture = details.getByRole('img', { name: 'The payload as a picture, SVG' });
  await expect(details.locator('pre')).toContainText('<script>alert(2)</script>');
  await expect(picture).toHaveCount(0);
  await details.getByRole('button', { name: 'Show picture' }).click();
  await expect.poll(() => picture.evaluate((img: HTMLImageElement) => img.naturalWidth)).toBe(40);
  expect(requests.filter((url) => url.includes('evil'))).toEqual([]);

  const png = Buffer.from(
    'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==',
    'base64',
  );
  const good = await show(page, `${own}/png`, png);
  await expect(good.details).toContainText('PNG, 1 × 1 pixels');
  const broken = await show(page, `${own}/png`, png.subarray(0, 40));
  await expect(broken.details).toContainText('Not Image: the browser cannot draw it');
  await expect(broken.text).toContainText('89 50 4e 47');
});

test('a broken payload is shown as bytes, with the reason', async ({ page }) => {
  const { details, as, text } = await show(page, `${own}/broken`, '{"a":');
  await as.selectOption('JSON');
  await expect(details).toContainText('Not JSON: line 1, column 6: expected a value, found the end');
  await expect(text).toContainText('7b 22 61 22 3a');
});

test('the raw bytes are copied and saved', async ({ page, context }) => {
  await context.grantPermissions(['clipboard-read', 'clipboard-write']);
  const raw = '{ "a" : 1.0 }';
  const { details } = await show(page, `${own}/état 1`, raw);
  await details.getByRole('button', { name: 'Copy payload' }).click();
  await expect(details).toContainText('Copied');
  expect(await page.evaluate(() => navigator.clipboard.readText())).toBe(raw);
  const downloading = page.waitForEvent('download');
  await details.getByRole('button', { name: 'Save payload' }).click();
  const download = await downloading;
  expect(download.suggestedFilename()).toBe('état_1.json');
  expect(await readFile(await download.path(), 'utf8')).toBe(raw);
});

test('hostile payloads stay within their row', async ({ page }) => {
  const deep = await show(page, `${own}/deep`, '['.repeat(100_000));
  await expect(deep.as.locator('option:checked')).toHaveText('Automatic: Text');
  await deep.as.selectOption('JSON');
  await expect(deep.details).toContainText('Not JSON: nested deeper than 200 levels');

  const own_ = await show(page, `${own}/proto`, '{"__proto__":{"polluted":1},"<b>":"<i>\\u202e"}');
  await expect(own_.text).toHaveText('{ "__proto__": { "polluted": 1 }, "<b>": "<i>\\u202e" }');
  expect(await page.evaluate(() => 'polluted' in {})).toBe(false);

  const many = await show(page, `${own}/many`, `[${'1,'.repeat(100_000)}1]`);
  await expect(many.text.locator('.payload-line')).toHaveCount(500);
  await many.details.getByRole('button', { name: /^Show more, over 19,500 lines left/ }).click();
  await expect(many.text.locator('.payload-line')).toHaveCount(2000);
});

test('no axe violations', async ({ page }) => {
  for (const payload of ['{"a":[1,"x",null,{"b":true}]}', '{"a":', Uint8Array.of(0, 255)]) {
    const { as, text } = await show(page, `${own}/axe`, payload);
    await as.selectOption('JSON');
    await expect(text).toBeVisible();
    expect(await violationsOf(page, { within: '[aria-label="Message details"]' })).toEqual([]);
  }
});
