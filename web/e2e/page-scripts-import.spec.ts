/** Scripts that come from files, profiles and links, and are switched off until their code was seen. */

import { readFile, truncate, writeFile } from 'node:fs/promises';
import type { Page, Request } from '@playwright/test';
import { expect, test } from './support/fixtures';
import { openSettings, type Parts, partsOf, showView } from './support/page';
import { bringScript, codeOf, logOf, scriptsOf, start, switchOf } from './support/scripts';

let parts: Parts;
let own: string;

test.beforeEach(async ({ page, parts: theParts, own: theOwn }) => {
  parts = theParts;
  own = theOwn;
  await showView(page, 'Scripts');
});

const bring = (page: Page, name: string, code: string, filter = `${own}/${name}`) =>
  bringScript(page, { name, code, filter });

test('an imported script runs only after a click that shows its code', async ({ page }) => {
  const text = ['first', 'second']
    .map(
      (name) =>
        `// mqttwasm script\n// Name: ${name}\n// Topic filter: ${own}/#\nsetTimeout(() => log('${name} ran'), 10);\n`,
    )
    .join('');
  await page
    .getByLabel('Import scripts')
    .setInputFiles({ name: 'x.js', mimeType: 'text/javascript', buffer: Buffer.from(text) });
  await expect(page.getByRole('status', { name: 'Scripts' })).toHaveText('2 scripts imported, switched off.');
  await switchOf(page, 'second').click();
  await expect(switchOf(page, 'second')).not.toBeChecked();
  await expect(codeOf(page)).toContainText('second ran');
  await expect(page.getByRole('status', { name: 'Scripts' })).toContainText('Read its code');
  await expect(logOf(page)).not.toContainText('ran');
  await switchOf(page, 'second').click();
  await expect(logOf(page)).toContainText('second ran');
  await expect(logOf(page)).not.toContainText('first ran');
});

test('a profile switches its scripts on and off', async ({ page, server }) => {
  await bring(page, 'mine', 'setTimeout(() => log("mine ran"), 10);');
  await switchOf(page, 'mine').check();
  await expect(logOf(page)).toContainText('mine ran');
  await openSettings(page, 'Profiles');
  await page.getByRole('textbox', { name: 'Save the settings as' }).fill('with');
  await page.getByRole('button', { name: 'Save', exact: true }).click();
  await expect(page.getByRole('list', { name: 'Profiles' })).toContainText('with');
  // A newly opened page starts without the profile.
  await page.goto('about:blank');
  await page.goto(server.url);
  await expect(parts.status).toHaveText(/^connected/);
  await showView(page, 'Scripts');
  await expect(switchOf(page, 'mine')).not.toBeChecked();
  await openSettings(page, 'Profiles');
  await page.getByRole('button', { name: /^Use with/ }).click();
  await expect(switchOf(page, 'mine')).toBeChecked();
  await expect(logOf(page)).toContainText('mine ran');
});

const opensEngine = (request: Request) => request.url().includes('script.worker');

/** A new visit with the same browser storage. */
async function openAnew(page: Page, url: string): Promise<void> {
  await page.goto('about:blank');
  await page.goto(url);
  await expect(parts.status).toHaveText(/^connected/);
}

async function bringProfiles(page: Page, text: string): Promise<void> {
  await openSettings(page, 'Profiles');
  await page
    .getByLabel('Import profiles')
    .setInputFiles({ name: 'p.json', mimeType: 'application/json', buffer: Buffer.from(text) });
}

test('exported profiles include their scripts, which run only after a click that shows them, and are not duplicated', async ({
  page,
  server,
}) => {
  const code = `setTimeout(() => log("mine ran"), 10);`;
  await bring(page, 'mine', code, 'a/+');
  await switchOf(page, 'mine').check();
  await openSettings(page, 'Profiles');
  await page.getByRole('textbox', { name: 'Save the settings as' }).fill('with');
  await page.getByRole('button', { name: 'Save', exact: true }).click();
  const profiles = page.getByRole('list', { name: 'Profiles' }).getByRole('listitem');
  const told = page.getByRole('status', { name: 'Profiles' });
  await expect(profiles).toContainText(['1 script']);
  const download = page.waitForEvent('download');
  await page.locator('.profile-files').getByRole('button', { name: 'Export' }).click();
  const file = await (await download).path();
  await expect(told).toHaveText('Exported with 1 script.');
  const text = await readFile(file, 'utf8');
  expect(JSON.parse(text)).toMatchObject({
    profiles: [{ name: 'with', scripts: ['mine'] }],
    scripts: [{ name: 'mine', filter: 'a/+', rate: 100, code }],
  });

  // As in another user's browser.
  await page.evaluate(() => localStorage.clear());
  await openAnew(page, server.url);
  const engines: string[] = [];
  page.on('request', (request) => opensEngine(request) && engines.push(request.url()));
  await bringProfiles(page, text);
  await expect(told).toHaveText(/^1 imported\. 1 script came along, switched off: read its code/);
  await page.getByRole('button', { name: /^Use with/ }).click();
  await showView(page, 'Scripts');
  await expect(scriptsOf(page)).toContainText(['imported: look at it before you switch it on']);
  await expect(switchOf(page, 'mine')).not.toBeChecked();
  await switchOf(page, 'mine').click();
  await expect(codeOf(page)).toHaveText(code);
  await expect(codeOf(page)).toBeInViewport({ ratio: 0.5 });
  await expect(page.getByRole('status', { name: 'Scripts' })).toContainText('Read its code');
  await expect(switchOf(page, 'mine')).not.toBeChecked();
  expect(engines).toEqual([]);
  await switchOf(page, 'mine').click();
  await expect(logOf(page)).toContainText('mine ran');

  // Import again: the script exists already, and the second profile must not switch it on.
  await openAnew(page, server.url);
  await bringProfiles(page, text);
  await expect(told).toHaveText('1 imported. 1 script is here already.');
  await page.getByRole('button', { name: 'Use with (2)' }).click();
  await showView(page, 'Scripts');
  await expect(scriptsOf(page)).toHaveCount(1);
  await expect(switchOf(page, 'mine')).not.toBeChecked();
  await openSettings(page, 'Profiles');
  await page.getByRole('button', { name: /^Use with(?! \(2)/ }).click();
  await expect(switchOf(page, 'mine')).toBeChecked();
  await expect(logOf(page)).toContainText('mine ran');
});

test('a shared link contains no script, and switches none on', async ({ page }) => {
  await bring(page, 'doubler', 'const onMessage = (message) => Number(message.text()) * 2', `${own}/#`);
  await start(page, 'doubler');
  await openSettings(page, 'Share');
  const link = await page.getByRole('textbox', { name: 'Link to this' }).inputValue();
  expect(decodeURIComponent(link)).not.toMatch(/doubler|onMessage/);
  const other = await page.context().newPage();
  await other.goto(link);
  await expect(partsOf(other).status).toHaveText(/^connected/);
  await showView(other, 'Scripts');
  await expect(switchOf(other, 'doubler')).not.toBeChecked();
  await other.close();
});

test('a file of profiles with an invalid script is refused as a whole, with a message', async ({ page }) => {
  const profiles = [{ name: 'sly', settings: { url: 'ws://127.0.0.1:1/' }, scripts: ['x'] }];
  const good = { name: 'x', filter: '#', code: 'publish("x")' };
  const scripts = [good, { ...good, code: { toString: 1 } }];
  await bringProfiles(page, JSON.stringify({ format: 'mqttwasm profiles', version: 1, profiles, scripts }));
  const settings = page.locator('.profiles');
  await expect(settings).toContainText('Script 2 in the file: “code” is missing or not text');
  await expect(settings).toContainText('No profiles yet');
  await expect(scriptsOf(page)).toHaveCount(0);
});

test('a file that is too large is refused without being read as a whole', async ({ page }, info) => {
  // More than a string can hold; it takes no room on the disk.
  const path = info.outputPath('large.txt');
  await writeFile(path, '');
  await truncate(path, 600 * 2 ** 20);
  const tooLarge = page.getByText('The file is larger than any that this page exports');
  await page.getByLabel('Import scripts').setInputFiles(path);
  await expect(tooLarge).toBeVisible();
  await openSettings(page, 'Profiles');
  await page.getByLabel('Import profiles').setInputFiles(path);
  await expect(page.locator('.profiles').getByText(/^The file is larger/)).toBeVisible();
});

test('of several files the first that holds no script is told, and those before it are there', async ({
  page,
}) => {
  const file = (name: string, code: string) => ({
    name: `${name}.js`,
    mimeType: 'text/javascript',
    buffer: Buffer.from(code),
  });
  const files = [file('good', 'log(1)'), file('bad', ''), file('later', 'log(2)')];
  await page.getByLabel('Import scripts').setInputFiles(files);
  await expect(page.getByRole('alert').filter({ hasText: '“bad” is empty' })).toBeVisible();
  await expect(page.getByRole('status', { name: 'Scripts' })).toHaveText('1 script imported, switched off.');
});
