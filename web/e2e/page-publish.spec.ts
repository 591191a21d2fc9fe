import { readFileSync } from 'node:fs';
import type { Page } from '@playwright/test';
import { violationsOf } from './support/axe';
import { type Server, startServer } from './support/brokers';
import { expect, test } from './support/fixtures';
import { openSettings, type Parts, partsOf } from './support/page';

let server: Server;
let parts: Parts;
let own: string;

test.beforeEach(async ({ server: theServer, parts: theParts, own: theOwn }) => {
  server = theServer;
  parts = theParts;
  own = theOwn;
});

const tool = (page: Page, name: string) =>
  page.getByRole('button', { name: new RegExp(`^${name}( ?[\\d,]+)?$`) });

test('templates are filled in, and unknown ones are reported', async ({ page }) => {
  await parts.topic.fill(`${own}/{{n}}`);
  await parts.payload.fill('{{random 5 5}} {{uuid}} {{what}}');
  await expect(parts.payload).toHaveAccessibleDescription(/Unknown, and sent as written: \{\{what\}\}/);
  await parts.publish.click();
  const row = parts.rows.filter({ hasText: `${own}/0` });
  await expect(row).toContainText(/5 [0-9a-f-]{36} \{\{what\}\}/);
  await page.getByRole('button', { name: 'Insert {{now}}' }).click();
  await expect(parts.payload).toHaveValue(/\{\{now\}\}$/);
});

test('repeats as often as requested, then is ready again', async ({ page }) => {
  await parts.repeat.check();
  await page.getByRole('spinbutton', { name: 'Seconds between messages' }).fill('0.1');
  await page.getByRole('spinbutton', { name: /How many times/ }).fill('3');
  await parts.publish.click();
  await expect(parts.row(`${own}/hello`, 'messages: 2')).toHaveCount(1);
  await expect(parts.publish).toBeVisible();
  await expect(parts.rows).toHaveCount(3);
});

test('JSON is published as Protobuf with the user’s .proto, which decodes it too', async ({ page }) => {
  const source =
    'syntax = "proto3"; package lab; message Reading { string name = 1; repeated sint32 values = 2; } message Other {}';
  const group = page.getByRole('group', { name: 'Message properties' });
  const format = page.getByRole('region', { name: 'Publish' }).getByRole('combobox', { name: /^Payload/ });
  await format.selectOption('Protobuf');
  // With the message type, which is chosen there; there is only one format control.
  await expect(group).toBeVisible();
  await expect(format).toHaveCount(1);
  await parts.payload.fill('{"name":"probe {{n}}","values":[-1,300]}');
  await parts.publish.click();
  await expect(parts.payload).toHaveAccessibleDescription(/load the \.proto files that define it/);

  const files = group.locator('input[type=file]');
  await files.setInputFiles({ name: 'bad.proto', mimeType: 'text/plain', buffer: Buffer.from('message {') });
  await expect(group.getByRole('alert')).toHaveText(/^bad\.proto: illegal type name/);
  await files.setInputFiles({ name: 'lab.proto', mimeType: 'text/plain', buffer: Buffer.from(source) });
  await group.getByRole('combobox', { name: 'Message type' }).selectOption('lab.Reading');
  expect(await violationsOf(page, { recommended: true })).toEqual([]);

  // Errors are shown while typing, and at the field on publishing.
  await parts.payload.fill('{"values":["a"]}');
  await expect(parts.payload).toHaveAccessibleDescription(/values\[0\]: "a" is not a whole number/);
  await parts.publish.click();
  await expect(parts.results.first()).toContainText('values[0]: "a" is not a whole number');
  await expect(parts.rows).toHaveCount(0);

  await parts.payload.fill('{"name":"probe {{n}}","values":[-1,300]}');
  await parts.publish.click();
  await expect(parts.rows).toHaveCount(1);
  await page.getByRole('button', { name: 'Details of message 1', exact: true }).click();
  const details = page.getByRole('region', { name: 'Message details' });
  await details.getByRole('combobox', { name: 'Show payload as' }).selectOption('Protobuf');
  await details.getByRole('combobox', { name: 'Message type' }).selectOption('lab.Reading');
  await expect(details.locator('pre')).toHaveText('{ "name": "probe 0", "values": [ -1, 300 ] }');
});

test('JSON is published as Sparkplug B', async ({ page }) => {
  await page.getByRole('combobox', { name: 'Payload format' }).selectOption('Sparkplug B');
  await parts.payload.fill('{"metrics":[{"name":"t","datatype":"Int8","int_value":-1}],"seq":{{n}}}');
  await parts.publish.click();
  await page.getByRole('button', { name: 'Details of message 1', exact: true }).click();
  const details = page.getByRole('region', { name: 'Message details' });
  await details.getByRole('combobox', { name: 'Show payload as' }).selectOption('Sparkplug B');
  await expect(details.locator('pre')).toHaveText(
    '{ "metrics": [ { "name": "t", "datatype": Int8, 1 "int_value": -1 } ], "seq": 0 }',
  );
});

test('every property arrives, with pairs in order', async ({ page }) => {
  await tool(page, 'Properties').click();
  const group = page.getByRole('group', { name: 'Message properties' });
  await group.getByRole('textbox', { name: 'Content type' }).fill('application/json');
  await group.getByRole('textbox', { name: 'Response topic' }).fill('answers/here');
  await group.getByRole('textbox', { name: 'Correlation data' }).fill('c-1');
  for (const [index, [name, value]] of [
    ['b', 'one'],
    ['a', 'two'],
    ['b', 'one'],
  ].entries()) {
    await group.getByRole('button', { name: 'Add a pair' }).click();
    await group.getByRole('textbox', { name: `Name ${index + 1}` }).fill(name ?? '');
    await group.getByRole('textbox', { name: `Value ${index + 1}` }).fill(value ?? '');
  }
  await group.getByRole('button', { name: 'Move pair 2 up' }).click();
  await parts.payload.fill('{"a": }');
  await expect(parts.payload).toHaveAccessibleDescription(/The payload is not JSON/);
  await parts.payload.fill('{"a": 1}');
  await expect(parts.payload).not.toHaveAccessibleDescription(/not JSON/);
  await parts.publish.click();
  await page.getByRole('button', { name: 'Details of message 1' }).click();
  const details = page.getByRole('region', { name: 'Message details' });
  await expect(details).toContainText('application/json');
  await expect(details).toContainText('answers/here');
  await expect(details).toContainText(/a.*two.*b.*one.*b.*one/s);

  await group.getByRole('textbox', { name: 'Topic alias' }).fill('x');
  await parts.publish.click();
  await expect(group.getByRole('textbox', { name: 'Topic alias' })).toHaveAccessibleDescription(
    /whole number/,
  );
  expect(await violationsOf(page, { recommended: true })).toEqual([]);
});

test('sent and saved messages fill the form again', async ({ page }) => {
  await parts.topic.fill(`${own}/first`);
  await parts.payload.fill('one');
  await parts.publish.click();
  await expect(parts.row(`${own}/first`, 'one')).toHaveCount(1);
  await parts.payload.fill('other');
  await tool(page, 'Sent').click();
  await page.getByRole('list', { name: 'Sent messages' }).getByRole('button').first().click();
  await expect(parts.payload).toHaveValue('one');

  await tool(page, 'Saved').click();
  await page.getByRole('textbox', { name: 'Save this message as' }).fill('<b>mine</b>');
  await page.getByRole('button', { name: 'Save', exact: true }).click();
  await page.reload();
  await expect(parts.status).toHaveText(/^connected/);
  await tool(page, 'Saved').click();
  await page.getByRole('button', { name: /^Load into form <b>mine<\/b>/ }).click();
  await expect(parts.topic).toHaveValue(`${own}/first`);
  expect(await violationsOf(page, { recommended: true })).toEqual([]);
  await page.getByRole('button', { name: 'Delete <b>mine</b>' }).click();
  await expect(page.getByText('Nothing saved yet')).toBeVisible();
});

test('a file is published as the payload, and one that is too large is refused', async ({ page }) => {
  await page.getByLabel('File as payload').setInputFiles({
    name: 'a.bin',
    mimeType: 'application/x-thing',
    buffer: Buffer.from([0, 0xff, 0x80]),
  });
  await expect(page.getByText('a.bin')).toBeVisible();
  await parts.publish.click();
  await expect(parts.row(`${own}/hello`, '00 ff 80')).toHaveCount(1);
  await page.getByRole('button', { name: 'Remove a.bin' }).click();
  await expect(parts.payload).toBeVisible();

  // Dropped on the panel, as if dragged from the desktop.
  const drop = (bytes: number) =>
    page.locator('#publish').evaluate((panel, size) => {
      const dataTransfer = new DataTransfer();
      dataTransfer.items.add(new File([new Uint8Array(size)], 'dropped.bin'));
      panel.dispatchEvent(new DragEvent('drop', { dataTransfer, bubbles: true, cancelable: true }));
    }, bytes);
  await drop(20_000_000);
  await expect(parts.payload).toHaveAccessibleDescription(/dropped\.bin.*takes packets of at most/);
  await drop(10);
  await expect(page.getByText('dropped.bin')).toBeVisible();
});

/** Another page, which responds to the form's requests with these bytes, or with a text by default. */
async function openResponder(page: Page, bytes?: number[]): Promise<Page> {
  const other = await page.context().newPage();
  await other.goto(server.url);
  await other.evaluate(
    async ([url, topic, bytes]) => {
      const { connect } = (await import(`${location.origin}/mqttwasm.js`)) as typeof import('../src/client');
      const client = await connect(url);
      await client.respond(topic, (request) =>
        bytes ? Uint8Array.from(bytes) : `answer to ${request.text()}`,
      );
    },
    [server.mqtt, `${own}-ask`, bytes] as const,
  );
  await parts.topic.fill(`${own}-ask`);
  return other;
}

test('a response can be decoded', async ({ page }) => {
  // {"a":1} in CBOR.
  const other = await openResponder(page, [0xa1, 0x61, 0x61, 1]);
  await page.getByRole('button', { name: 'Request' }).click();
  const answer = page.getByRole('region', { name: 'Answer' });
  await expect(answer.locator('option:checked')).toHaveText('Automatic: CBOR');
  await expect(answer.locator('pre')).toHaveText('{ "a": 1 }');
  await other.close();
});

test('a request shows its response', async ({ page }) => {
  const other = await openResponder(page);
  await parts.payload.fill('a question');
  await page.getByRole('button', { name: 'Request' }).click();
  const answer = page.getByRole('region', { name: 'Answer' });
  await expect(answer).toContainText('answer to a question');
  // Request and response are in the feed too.
  await expect(parts.rows.filter({ hasText: 'answer to a question' })).toHaveCount(1);
  await page.getByRole('button', { name: /^Filter/ }).click();
  await page.getByRole('combobox', { name: 'Direction' }).selectOption('sent');
  await expect(parts.rows.filter({ hasText: 'a question' })).toHaveCount(1);
  await answer.getByRole('button', { name: 'Close' }).click();
  await expect(answer).toHaveCount(0);
  await other.close();
});

test('the granted QoS is shown', async ({ page }) => {
  await openSettings(page, 'Session');
  const connection = page.getByRole('region', { name: 'Broker settings' });
  await expect(connection.locator('.session-facts')).toContainText(/Maximum QoS.*2/s);
  await expect(connection.locator('.session-facts')).toContainText(/Client ID.*mqttwasm_/s);
});

test('profiles are saved without the password, and exported without either credential', async ({ page }) => {
  await openSettings(page, 'Options');
  await page.getByRole('textbox', { name: 'User name' }).fill('me');
  await page.getByRole('textbox', { name: 'Password' }).fill('hunter2');
  await page.getByText('Last will').click();
  await page.getByRole('textbox', { name: 'Will topic' }).fill('gone/+');
  expect(await violationsOf(page, { recommended: true })).toEqual([]);
  await parts.disconnect.click();
  await parts.connect.click();
  await expect(page.getByRole('textbox', { name: 'Will topic' })).toHaveAccessibleDescription(/wildcard/);
  await page.getByRole('textbox', { name: 'Will topic' }).fill('gone');

  await openSettings(page, 'Profiles');
  await page.getByRole('textbox', { name: 'Save the settings as' }).fill('home');
  await page.getByRole('button', { name: 'Save', exact: true }).click();
  await expect(page.getByRole('button', { name: /^Use home ws:/ })).toBeVisible();
  expect(await page.evaluate(() => JSON.stringify(localStorage))).not.toContain('hunter2');
  const downloading = page.waitForEvent('download');
  await page.getByRole('region', { name: 'Broker settings' }).getByRole('button', { name: 'Export' }).click();
  const exported = readFileSync(await (await downloading).path(), 'utf8');
  expect(exported).not.toMatch(/hunter2|"me"/);
  await page.getByLabel('Import profiles').setInputFiles({
    name: 'p.json',
    mimeType: 'application/json',
    buffer: Buffer.from(exported),
  });
  await expect(page.getByRole('button', { name: /^Use home \(2\) ws:/ })).toBeVisible();
  expect(await violationsOf(page, { recommended: true })).toEqual([]);
});

test('a link fills the forms, and asks before connecting to an unknown broker', async ({ page }) => {
  await parts.payload.fill('shared');
  await openSettings(page, 'Share');
  const link = await page.getByRole('textbox', { name: 'Link to this' }).inputValue();
  const known = await page.context().newPage();
  const there = partsOf(known);
  await known.goto(link);
  await expect(there.status).toHaveText(`connected ${server.mqtt}`);
  await expect(there.payload).toHaveValue('shared');
  await expect(there.subscriptions.filter({ hasText: `${own}/#` })).toContainText('QoS 2');

  await known.goto(link.replace(/broker=[^&]*/, 'broker=ws%3A%2F%2Felsewhere.example%2Fmqtt'));
  await expect(there.notice).toContainText('asks for ws://elsewhere.example/mqtt');
  await expect(there.status).toHaveText(/^disconnected/);
  await expect(there.url).toHaveValue('ws://elsewhere.example/mqtt');
  await known.close();
});

test('code for the current settings, in four languages', async ({ page }) => {
  await parts.payload.fill('say "hi" \'there\'');
  await openSettings(page, 'Code');
  const code = page.getByRole('region', { name: 'Code', exact: true });
  await expect(code).toContainText('say \\"hi\\" \'there\'');
  for (const [label, words] of [
    ['Go (paho.golang)', 'autopaho.NewConnection'],
    ['Python (paho-mqtt)', 'mqtt.Client('],
    ['mosquitto_pub and mosquitto_sub', 'mosquitto_pub'],
  ] as const) {
    await page.locator('.snippets').getByRole('combobox', { name: 'Language' }).selectOption(label);
    await expect(code).toContainText(words);
  }
  expect(await violationsOf(page, { recommended: true })).toEqual([]);
});

test('counts down to the next attempt, and connects at once on request', async ({ page, complaints }) => {
  const second = await startServer(['-allow-origin', server.url]);
  await parts.disconnect.click();
  await parts.url.fill(second.mqtt);
  await parts.connect.click();
  await expect(parts.status).toHaveText(/^connected/);
  await second.stop();
  await expect(page.getByRole('timer')).toHaveText(/Next attempt in \d+ s/);
  await page.getByRole('button', { name: 'Try now' }).click();
  await expect(parts.status).toHaveText(/reconnecting, attempt \d/);
  await parts.disconnect.click();
  const others = complaints
    .splice(0)
    .filter((text) => !/^(WebSocket connection to|Failed to load)/.test(text));
  expect(others).toEqual([]);
});
