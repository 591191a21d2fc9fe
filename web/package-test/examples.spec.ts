import { cpSync, mkdirSync } from 'node:fs';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, type Page, test } from '@playwright/test';
import { type Mosquitto, startMosquitto } from '../e2e/support/brokers';
import { createProject, policy, run, serveFolder } from './support';

// The examples, copied, built and run as a user would.

let broker: Mosquitto;
test.beforeAll(async () => {
  broker = await startMosquitto();
});
test.afterAll(() => broker?.stop());

/** Builds the example if necessary, and opens it. */
async function open(
  page: Page,
  name: string,
  built = 'dist',
  policed = policy,
): Promise<{ address: string; stop(): Promise<void> }> {
  const project = await createProject(`example-${name}`, `examples/${name}`);
  if (built) await run('npm', ['run', 'build'], project);
  const { url, stop } = await serveFolder(join(project, built), { 'Content-Security-Policy': policed });
  const address = `${url}?broker=${encodeURIComponent(broker.mqtt)}`;
  await page.goto(address);
  return { address, stop };
}

for (const name of ['react', 'vue', 'svelte', 'plain']) {
  test(`${name}: connects, publishes, and shows what arrives`, async ({ page }) => {
    const { stop } = await open(page, name, name === 'plain' ? '' : 'dist');
    await expect(page.getByRole('status')).toHaveText('connected');
    await page.getByRole('button', { name: 'Publish' }).click();
    await page.getByRole('button', { name: 'Publish' }).click();
    await expect(page.getByRole('listitem')).toHaveText(['message 0', 'message 1']);
    await expect(page.locator('mqtt-value')).toHaveText(/Newest\s*message 1$/);
    await broker.stop();
    await expect(page.getByRole('status')).toHaveText('reconnecting');
    await expect(page.locator('mqtt-value')).toHaveText(/message 1\s*not current$/);
    broker = await startMosquitto();
    await stop();
  });
}

test("elements: the gallery shows its devices' messages", async ({ page }) => {
  const { stop } = await open(page, 'elements', '', `${policy}; style-src 'self'`);
  await expect(page.getByRole('status').first()).toHaveText('connected');
  await expect(page.locator('mqtt-value').first()).toHaveText(/Air\s*\d\d\.\d\s*°C$/);
  await expect(page.getByRole('img', { name: /^Water in the tanks: \w+ now \d/ })).toBeVisible();
  await page.getByRole('switch', { name: 'Fan' }).click();
  await expect(page.getByRole('switch', { name: 'Fan' })).toBeChecked();
  await expect(page.getByRole('log')).toContainText('fan/set');
  await stop();
});

test('tabs: one connection, and every tab shows what one publishes', async ({ page, context }) => {
  const { address, stop } = await open(page, 'tabs');
  await expect(page.getByRole('status')).toHaveText(/^connected as ./);
  const other = await context.newPage();
  await other.goto(address);
  await expect(other.getByRole('button')).toBeEnabled();
  const status = (await page.getByRole('status').textContent()) ?? '';
  await expect(other.getByRole('status')).toHaveText(status);
  await page.getByRole('button', { name: 'Measure' }).click();
  for (const tab of [page, other]) {
    await expect(tab.getByRole('row')).toHaveText([
      /^SensorValue$/,
      /^inside2\d\.\d\d$/,
      /^outside2\d\.\d\d$/,
    ]);
  }
  const connections = broker
    .output()
    .split('\n')
    .filter((line) => line.includes('New client connected'));
  const clientId = status.replace('connected as ', '');
  expect(connections.filter((line) => line.includes(clientId))).toHaveLength(1);
  await stop();
});

test('go-wasm: a program without JavaScript of its own prints the messages it receives', async ({ page }) => {
  const root = fileURLToPath(new URL('../..', import.meta.url));
  const folder = join(root, 'web/package-test/work/example-go-wasm');
  mkdirSync(folder, { recursive: true });
  for (const file of [
    'examples/go-wasm/index.html',
    'examples/go-wasm/main.js',
    'src/worker/generated/wasm_exec.js',
  ]) {
    cpSync(join(root, 'web', file), join(folder, basename(file)));
  }
  const target = ['GOOS=js', 'GOARCH=wasm', 'go', 'build', '-o', join(folder, 'hello.wasm')];
  await run('env', [...target, './web/examples/go-wasm'], root);
  const site = await serveFolder(folder);
  const printed: string[] = [];
  const done = page.waitForEvent('console', (message) => {
    if (message.type() === 'log') printed.push(message.text());
    return printed.length === 3;
  });
  await page.goto(`${site.url}?broker=${encodeURIComponent(broker.mqtt)}`);
  await done;
  expect(printed).toEqual(['message 0', 'message 1', 'message 2']);
  await site.stop();
});
