/** Scripts: what they can do, what they can't, and that the page stays responsive. */

import type { Page } from '@playwright/test';
import { violationsOf } from './support/axe';
import { expect, test } from './support/fixtures';
import { inBothSchemes, laptopAndPhone, type Parts, picture, showView } from './support/page';
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

/** Replaces the script by typing. */
async function write(page: Page, code: string): Promise<void> {
  await codeOf(page).press('Control+a');
  await page.keyboard.insertText(code);
  await expect(codeOf(page)).toHaveText(code);
}

async function startExample(page: Page, name: string, script = name): Promise<void> {
  await page.getByRole('button', { name: 'New script' }).click();
  await page.getByRole('menuitem', { name, exact: true }).click();
  await start(page, script);
}

/** Checks that the page still publishes and receives. */
async function isAlive(page: Page, payload: string): Promise<void> {
  await parts.topic.fill(`${own}/alive`);
  await parts.payload.fill(payload);
  await parts.publish.click();
  await showView(page, 'Messages');
  // Other messages may scroll it out of view.
  const search = page.getByRole('textbox', { name: 'Search messages' });
  await search.fill(`${own}/alive`);
  await expect(parts.rows.filter({ hasText: payload }).first()).toBeVisible();
  await search.fill('');
  await showView(page, 'Scripts');
}

test('the engine is not fetched before a script runs', async ({ page }) => {
  const fetched: string[] = [];
  page.on('request', (request) => fetched.push(request.url()));
  await bring(page, 'one', 'const onMessage = () => {}');
  expect(fetched.filter((url) => /script\.worker|emscripten/.test(url))).toEqual([]);
  await start(page, 'one');
  expect(fetched.filter((url) => /emscripten-module.*\.wasm/.test(url))).toHaveLength(1);
});

test('example: auto-reply', async ({ page, server }) => {
  await startExample(page, 'Auto-reply');
  const answer = await page.evaluate(
    async ([url = '', topic = '']) => {
      const { connect } = (await import(
        /* @vite-ignore */ '/mqttwasm.js' as string
      )) as typeof import('../src/client');
      const client = await connect({ url });
      const message = await client.request(topic, 'hello', { timeout: 10_000 });
      await client.end();
      return message.json();
    },
    [server.mqtt, `${own}/ask`],
  );
  expect(answer).toEqual({ ok: true, number: 1 });
});

test('example: threshold alert', async ({ page, elsewhere }) => {
  await startExample(page, 'Threshold alert');
  elsewhere.publish(`${own}/t`, ['79', '99', '100', '10', '81']);
  await expect(logOf(page)).toContainText('81 is over 80');
  await expect(logOf(page).getByText('is over 80')).toHaveCount(2);
  await showView(page, 'Messages');
  await expect(parts.rows.filter({ has: page.getByText('99 is over 80', { exact: true }) })).toHaveCount(1);
  await expect(parts.row(`${own}/t`, '100').locator('.row-alert')).toHaveCount(0);
});

test('example: unit conversion, in row, tree, inspector and chart', async ({ page, elsewhere }) => {
  await startExample(page, 'Unit conversion');
  elsewhere.publish(`${own}/oven`, ['212']);
  await showView(page, 'Messages');
  const row = parts.rows.filter({ hasText: `${own}/oven` });
  await expect(row).toContainText('Unit conversion');
  await expect(row).toContainText('{fahrenheit: 212, celsius: 100}');
  const leaf = page.getByRole('treeitem', { name: /oven/ });
  await expect(leaf).toContainText('{fahrenheit: 212, celsius: 100}');

  await row.getByRole('button').click();
  const details = page.getByRole('region', { name: 'Message details' });
  await expect(details.getByRole('combobox', { name: 'Show payload as' })).toContainText('Automatic: Script');
  await expect(details.getByText('"celsius"')).toBeVisible();
  await details.getByRole('button', { name: /celsius/ }).click();
  const chart = page.getByRole('region', { name: 'Charts' }).getByRole('img');
  await expect(chart).toHaveAccessibleName(`${own}/oven · celsius: 1 values, 100 to 100, last 100`);
  elsewhere.publish(`${own}/oven`, ['32', '50']);
  await expect(chart).toHaveAccessibleName(/: 3 values, 0 to 100, last 10$/);
  // The raw bytes are still available.
  await details.getByRole('combobox', { name: 'Show payload as' }).selectOption('Hex');
  await expect(details.getByText('32 31 32')).toBeVisible();
});

test('example: binary decoder', async ({ page, elsewhere }) => {
  await startExample(page, 'Binary decoder');
  const bytes = Buffer.alloc(8);
  bytes.writeUInt16BE(3, 0);
  bytes.writeFloatBE(21.5, 2);
  bytes.writeUInt16BE(513, 6);
  elsewhere.publish(`${own}/sensor`, [bytes, new Uint8Array([0xff])]);
  await showView(page, 'Messages');
  const rows = parts.rows.filter({ hasText: `${own}/sensor` });
  await expect(rows.first()).toContainText('{on: true, error: true, temperature: 21.5, counter: 513}');
  await expect(rows.last()).toContainText('ff');
});

const hostile = [
  [
    'loops',
    'function onMessage() {\n  let n = 0;\n  for (;;) {\n    n++;\n  }\n}',
    /longer than 50 ms \(line 3\)/,
  ],
  [
    'hangs',
    'const onMessage = () => {\n  new Array(4e9).fill.call({ length: 2 ** 53 - 1 }, 0);\n};',
    /Stopped: /,
  ],
  [
    'allocates',
    'const all = [];\nfunction onMessage() { for (;;) all.push(new Uint8Array(1e6)); }',
    /Stopped: /,
  ],
  ['recurses', 'function onMessage() {\n  onMessage();\n}', /call stack.*\(line 2\)/],
  ['parses', 'const onMessage = () => eval("(".repeat(1e5))', /Stopped: /],
  ['throws', 'function onMessage() {\n\n  throw new Error("no such valve");\n}', /no such valve \(line 3\)/],
  ['breaks', 'function onMessage( {', /Not started: .*\(line 1\)/],
] as const;

for (const [name, code, words] of hostile) {
  test(`a script that ${name} harms nothing else`, async ({ page, elsewhere }) => {
    await bring(
      page,
      'other',
      'const onMessage = () => { state.n = (state.n ?? 0) + 1; log("n", state.n); };',
      `${own}/other`,
    );
    await start(page, 'other');
    await bring(page, name, code);
    await switchOf(page, name).click();
    if (name !== 'breaks') {
      await expect(scriptsOf(page).filter({ hasText: name })).toContainText('0 messages');
      elsewhere.publish(`${own}/${name}`, ['x']);
    }
    await expect(logOf(page)).toContainText(words);
    const goesOn = name === 'recurses' || name === 'throws';
    await expect(switchOf(page, name)).toBeChecked({ checked: goesOn });
    if (!goesOn) await expect(scriptsOf(page).filter({ hasText: name })).toContainText(/Stopped|Not started/);
    await expect(switchOf(page, 'other')).toBeChecked();
    await expect(scriptsOf(page).filter({ hasText: 'other' })).toContainText(/\d message/);
    elsewhere.publish(`${own}/other`, ['x']);
    await expect(logOf(page)).toContainText('n 1');
    await isAlive(page, name);
  });
}

test('a script that floods is rate-limited, with a notice', async ({ page, elsewhere }) => {
  await bring(
    page,
    'floods',
    `setInterval(() => { for (let n = 0; n < 30; n++) publish('${own}/flood', n); }, 50);`,
  );
  await start(page, 'floods');
  await expect(logOf(page)).toContainText(/Left out, over the limit for one second: [\d,]+ publishes/);
  await isAlive(page, 'flood');
  await switchOf(page, 'floods').uncheck();
  // Messages arriving faster than the script handles them are skipped and counted.
  await bring(
    page,
    'slow',
    'function onMessage() { const end = Date.now() + 20; while (Date.now() < end); }',
  );
  await start(page, 'slow');
  elsewhere.publish(
    `${own}/slow`,
    Array.from({ length: 3000 }, (_, n) => String(n)),
  );
  await expect(scriptsOf(page).filter({ hasText: 'slow' })).toContainText('left out: too many at once');
  await isAlive(page, 'slow');
});

test('a script has no access to the page, the network or storage', async ({ page, elsewhere }) => {
  const asked: string[] = [];
  await bring(
    page,
    'spy',
    `function onMessage(message) {
      const roots = [publish, alert, log, message, message.payload, message.text, state, console, globalThis];
      const found = [];
      for (const root of roots) {
        for (const make of [root.constructor, Object.getPrototypeOf(root)?.constructor, root.constructor.constructor]) {
          let realm;
          try { realm = make('return globalThis')(); } catch {}
          if (realm && realm !== globalThis) found.push('another realm');
        }
      }
      for (const name of ['window', 'document', 'self', 'postMessage', 'fetch', 'XMLHttpRequest', 'WebSocket',
        'indexedDB', 'caches', 'localStorage', 'importScripts', 'navigator', 'location', 'WebAssembly'])
        if (name in globalThis) found.push(name);
      Object.prototype.polluted = Array.prototype.polluted = 'yes';
      import('/mqttwasm.js').catch(() => log('import refused'));
      log('found:', found);
    }`,
  );
  await start(page, 'spy');
  page.on('request', (request) => asked.push(request.url()));
  elsewhere.publish(`${own}/spy`, ['x']);
  await expect(logOf(page)).toContainText('found: []');
  await expect(logOf(page)).toContainText('import refused');
  expect(asked).toEqual([]);
  expect(await page.evaluate(() => 'polluted' in {} || 'polluted' in [])).toBe(false);
  await isAlive(page, 'spy');
});

test('a script is written, tested on a message of the feed, run, changed and saved', async ({
  page,
  elsewhere,
}) => {
  elsewhere.publish(`${own}/seen`, ['41']);
  await showView(page, 'Messages');
  await expect(parts.row(`${own}/seen`, '41')).toBeVisible();
  await showView(page, 'Scripts');
  await page.getByRole('button', { name: 'New script' }).click();
  await page.getByRole('menuitem', { name: 'Empty script' }).click();
  await write(
    page,
    `function onMessage(message) { publish('${own}/out', 'x'); return Number(message.text()) + 1; }`,
  );
  const trial = page.getByRole('region', { name: 'Dry run' });
  await trial.getByRole('button', { name: 'Newest messages' }).click();
  await trial.getByRole('button', { name: 'Dry run' }).click();
  await expect(trial).toContainText('42');
  await expect(trial).toContainText(`would publish to ${own}/out: x`);

  await page.getByRole('textbox', { name: 'Name' }).fill('Plus one');
  await page.getByRole('textbox', { name: 'Topic filter' }).last().fill(`${own}/seen`);
  await start(page, 'Plus one');
  elsewhere.publish(`${own}/seen`, ['1']);
  await showView(page, 'Messages');
  await expect(parts.rows.filter({ hasText: 'Plus one' })).toContainText('2');
  await expect(parts.rows.filter({ hasText: `${own}/out` }).first()).toBeVisible();
  await showView(page, 'Scripts');
  await write(page, 'const onMessage = () => "changed";');
  await page.getByRole('button', { name: 'Restart with the changes' }).click();
  await expect(scriptsOf(page)).toContainText('0 messages');

  // After a reload it runs again without opening the scripts view.
  await showView(page, 'Messages');
  await page.reload();
  await expect(parts.status).toHaveText(/^connected/);
  await expect(async () => {
    elsewhere.publish(`${own}/seen`, ['1']);
    await expect(parts.rows.filter({ hasText: '"changed"' }).first()).toBeVisible({ timeout: 1000 });
  }).toPass();
});

test('a script that is opened or begun below a long list is shown', async ({ page }) => {
  await page.setViewportSize({ width: 1366, height: 657 });
  const text = Array.from(
    { length: 15 },
    (_, n) => `// mqttwasm script\n// Name: s${n + 10}\n\nlog('this is s${n + 10}');\n`,
  ).join('');
  await page
    .getByLabel('Import scripts')
    .setInputFiles({ name: 'x.js', mimeType: 'text/javascript', buffer: Buffer.from(text) });
  await expect(scriptsOf(page)).toHaveCount(15);
  await page.getByRole('button', { name: /^s12/ }).click();
  await expect(codeOf(page)).toContainText('this is s12');
  await expect(codeOf(page)).toBeInViewport({ ratio: 0.5 });
  await page.locator('.scripts-body').evaluate((body) => body.scrollTo(0, 0));
  await page.getByRole('button', { name: 'New script' }).click();
  await page.getByRole('menuitem', { name: 'Auto-reply' }).click();
  await expect(codeOf(page)).toContainText('reply(');
  await expect(codeOf(page)).toBeInViewport({ ratio: 0.5 });
});

test('the hint that there are no scripts is above the log, in a low window too', async ({ page }) => {
  await page.setViewportSize({ width: 1366, height: 500 });
  const advice = await page.getByText('A script decodes, answers or watches messages.').boundingBox();
  const log = await logOf(page).boundingBox();
  expect((advice?.y ?? 0) + (advice?.height ?? 0)).toBeLessThan(log?.y ?? 0);
});

test('a switch whose code is out of view shows the code first', async ({ page }) => {
  await page.setViewportSize({ width: 1366, height: 657 });
  const text = Array.from(
    { length: 15 },
    (_, n) => `// mqttwasm script\n// Name: s${n + 10}\n\nsetTimeout(() => log('s${n + 10} ran'), 10);\n`,
  ).join('');
  await page
    .getByLabel('Import scripts')
    .setInputFiles({ name: 'x.js', mimeType: 'text/javascript', buffer: Buffer.from(text) });
  await expect(scriptsOf(page)).toHaveCount(15);
  await switchOf(page, 's10').click();
  await expect(codeOf(page)).toContainText('s10 ran');
  await expect(codeOf(page)).toBeInViewport({ ratio: 0.5 });
  // This script is open, but scrolled out of view.
  await page.locator('.scripts-body').evaluate((body) => body.scrollTo(0, 0));
  await expect(codeOf(page)).not.toBeInViewport();
  await switchOf(page, 's10').click();
  await expect(switchOf(page, 's10')).not.toBeChecked();
  await expect(codeOf(page)).toBeInViewport({ ratio: 0.5 });
  await page.getByRole('button', { name: 'I have read it: switch it on' }).click();
  await expect(switchOf(page, 's10')).toBeChecked();
  await expect(logOf(page)).toContainText('s10 ran');
  await expect(page.getByRole('button', { name: /^I have read it/ })).toHaveCount(0);
});

test('state survives a reload, and ends when its script is switched off', async ({ page }) => {
  await bring(page, 'counts', 'state.n ??= 0;\nsetInterval(() => log("n", ++state.n), 100);');
  await start(page, 'counts');
  const lines = logOf(page).getByRole('paragraph');
  await expect(lines.filter({ hasText: /n 40$/ })).toHaveCount(1);
  await page.reload();
  await expect(parts.status).toHaveText(/^connected/);
  await showView(page, 'Scripts');
  await expect(lines.filter({ hasText: /n \d+$/ }).first()).toBeVisible();
  const first = (await lines.last().textContent()) ?? '';
  expect(Number(/n (\d+)$/.exec(first)?.[1])).toBeGreaterThan(10);
  await switchOf(page, 'counts').uncheck();
  await switchOf(page, 'counts').check();
  await expect(lines.filter({ hasText: /n 1$/ })).toHaveCount(1);
});

test('no axe violations, on a phone too', async ({ page }) => {
  await startExample(page, 'Unit conversion');
  await bring(page, 'A script whose code does not even begin', 'function (');
  await switchOf(page, 'A script whose code does not even begin').click();
  await expect(logOf(page)).toContainText('Not started');
  await expect(codeOf(page)).toBeVisible();
  for (const [width, height] of laptopAndPhone) {
    await page.setViewportSize({ width, height });
    await showView(page, 'Scripts');
    await inBothSchemes(page, async (scheme) => {
      await picture(page, `scripts-${width}-${scheme}`);
      expect(await violationsOf(page, { within: '.scripts', scheme })).toEqual([]);
    });
    expect(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth)).toBe(true);
  }
});

test('the editor completes the names available to scripts', async ({ page }) => {
  await page.getByRole('button', { name: 'New script' }).click();
  await page.getByRole('menuitem', { name: 'Empty script' }).click();
  await codeOf(page).press('Control+a');
  await page.keyboard.type('onMessage = (message) => publ');
  await page.getByRole('option', { name: /^publish/ }).click();
  await page.keyboard.type('(message.to');
  await page.getByRole('option', { name: /^topic/ }).click();
  await expect(codeOf(page)).toHaveText('onMessage = (message) => publish(message.topic');
});
