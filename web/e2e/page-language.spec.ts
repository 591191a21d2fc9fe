import { mkdirSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, type Page, test } from '@playwright/test';
import { violationsOf } from './support/axe';
import { type Server, startServer } from './support/brokers';
import { complaintsOf, openConnected } from './support/page';

// Screenshots for people to look at; no test compares them.
const pictures = fileURLToPath(new URL('../test-results/screenshots/', import.meta.url));

let server: Server;

test.beforeAll(async () => {
  mkdirSync(pictures, { recursive: true });
  server = await startServer(['-default-broker', 'mqtt']);
});

test.afterAll(() => server.stop());

const status = (page: Page) => page.getByRole('status', { name: '连接', exact: true });
const publish = (page: Page) => page.getByRole('form', { name: '发布', exact: true });
const outcomes = (page: Page) => page.getByRole('list', { name: '结果', exact: true }).getByRole('listitem');
const rows = (page: Page) => page.getByRole('log').locator('.row');

async function openInChinese(page: Page): Promise<void> {
  await page.goto(server.url);
  await expect(status(page)).toHaveText(/^已连接/);
}

test.describe('a Chinese browser', () => {
  test.use({ locale: 'zh-CN' });

  test('gets the page in Chinese: connect, publish, and see it arrive', async ({ page }) => {
    const complaints = await complaintsOf(page);
    await openInChinese(page);
    await expect(page.locator('html')).toHaveAttribute('lang', 'zh-CN');

    await page.getByRole('button', { name: '断开', exact: true }).click();
    await expect(status(page)).toHaveText(/^已断开/);
    await page.getByRole('button', { name: '连接', exact: true }).click();
    await expect(status(page)).toHaveText(/^已连接/);

    await publish(page).getByRole('textbox', { name: '载荷' }).fill('你好');
    await publish(page).getByRole('button', { name: '发布', exact: true }).click();
    await expect(outcomes(page)).toHaveText(/已发送/);
    await expect(rows(page)).toHaveText(/你好/);
    await expect(page.getByRole('list', { name: '订阅', exact: true }).getByRole('listitem')).toContainText(
      '1 条消息',
    );
    expect(complaints).toEqual([]);
  });

  test('gets the brokers’ names in Chinese, except names from the deployment', async ({ page }, info) => {
    await openInChinese(page);
    const options = page.getByRole('combobox', { name: 'Broker', exact: true }).getByRole('option');
    await expect(options.filter({ hasText: '本服务器' })).toHaveCount(1);
    await expect(options.filter({ hasText: 'EMQX 公共 Broker' })).toHaveCount(1);

    const file = info.outputPath('brokers.json');
    writeFileSync(file, '[{"name": "EMQX public broker", "url": "ws://127.0.0.1:9/mqtt"}]');
    const deployed = await startServer(['-brokers', file]);
    try {
      await page.goto(deployed.url);
      await expect(options).toHaveText(['EMQX public broker', '本服务器', '自定义']);
    } finally {
      await deployed.stop();
    }
  });

  test('gets English when chosen, also after a reload, and text already shown is translated', async ({
    page,
  }) => {
    await openInChinese(page);
    await page.getByRole('textbox', { name: 'Broker 地址' }).fill('ws://127.0.0.1:9/mqtt');
    await page.getByRole('button', { name: '断开', exact: true }).click();
    await page.getByRole('button', { name: '连接', exact: true }).click();
    await expect(page.getByRole('alert')).toContainText('127.0.0.1:9 无响应。');

    await page.getByRole('combobox', { name: '语言' }).selectOption('English');
    await expect(page.getByRole('alert')).toContainText('Nothing answers at 127.0.0.1:9.');
    await expect(page.locator('html')).toHaveAttribute('lang', 'en');
    await expect(page.getByRole('status', { name: 'Connection' })).toHaveText(/^disconnected/);

    await page.reload();
    // The address is unchanged and is tried again.
    await expect(page.getByRole('alert')).toContainText('Nothing answers at 127.0.0.1:9.');
    await expect(page.getByRole('combobox', { name: 'Language' })).toHaveValue('en');
    await expect(page.locator('html')).toHaveAttribute('lang', 'en');
  });

  test('gets the page in English when the server lacks the dictionary', async ({ page }) => {
    await page.route('**/assets/zh-*.js', (route) => route.abort());
    await openConnected(page, server.url);
    await expect(page.locator('html')).toHaveAttribute('lang', 'en');
  });
});

test('messages already shown follow a change of language', async ({ page }) => {
  const parts = await openConnected(page, server.url);
  await parts.publish.click();
  await expect(parts.results).toHaveText(/Sent/);
  await page.getByRole('button', { name: 'Record', exact: true }).click();
  await page.getByLabel('Import a recording').setInputFiles({
    name: 'none.ndjson',
    mimeType: 'text/plain',
    buffer: Buffer.from('nonsense'),
  });
  const problem = page.getByRole('alert').filter({ hasText: 'no line of the file is a message' });
  await expect(problem).toBeVisible();
  await page.getByRole('button', { name: 'Saved', exact: true }).click();
  await page.getByRole('form', { name: 'Save this message' }).getByRole('button', { name: 'Save' }).click();
  await expect(page.getByText('A name to find it by')).toBeVisible();

  await page.getByRole('combobox', { name: 'Language' }).selectOption('中文');
  await expect(outcomes(page)).toHaveText(/已发送/);
  await expect(page.getByText(/^未导入，或未全部导入：文件中没有任何一行/)).toBeVisible();
  await expect(page.getByText('A name to find it by')).toHaveCount(0);
});

test('errors already shown follow a change of language', async ({ page }) => {
  const parts = await openConnected(page, server.url);
  const file = (text: string) => ({ name: 'file.json', mimeType: 'text/plain', buffer: Buffer.from(text) });
  const language = page.locator('.language select');
  const button = (name: string) => page.getByRole('button', { name, exact: true });
  const shown: [english: RegExp, chinese: RegExp][] = [];
  /** Records both texts once the error is shown in the first language. */
  async function shows(english: RegExp, chinese: RegExp): Promise<void> {
    await expect(page.getByText(english)).toBeVisible();
    shown.push([english, chinese]);
  }
  async function followsBoth(): Promise<void> {
    for (const [wanted, at, other] of [
      ['zh', 1, 0],
      ['en', 0, 1],
    ] as const) {
      await language.selectOption(wanted);
      for (const words of shown) {
        await expect(page.getByText(words[at])).toBeVisible();
        await expect(page.getByText(words[other])).toHaveCount(0);
      }
    }
    shown.length = 0;
  }

  await parts.publish.click();
  await page.getByRole('textbox', { name: 'Search messages' }).fill('(');
  await button('Regular expression').click();
  await shows(/^Not a regular expression: /, /^不是正则表达式：/);
  await parts.repeat.check();
  await page.getByRole('spinbutton', { name: 'Seconds between messages' }).fill('0');
  await parts.publish.click();
  await shows(/^Between 0\.1 and /, /^0\.1 到 /);
  await button('Saved').click();
  await page.getByLabel('Import messages').setInputFiles(file('{}'));
  await shows(/^The file holds no messages that this page exported/, /^文件中没有由此页面导出的消息/);
  await button('Record').click();
  await page.getByLabel('Import a recording').setInputFiles(file('nonsense\n'));
  await followsBoth();

  await page.getByRole('textbox', { name: 'Search messages' }).fill('');
  await page.getByRole('treeitem').filter({ hasText: 'hello' }).click();
  const details = page.getByRole('region', { name: 'Topic details' });
  await details.getByRole('combobox', { name: 'JSON path' }).fill('a[');
  await details.getByRole('button', { name: 'Add to chart' }).click();
  await shows(/^Not a path: /, /^不是路径/);
  await details.getByRole('combobox', { name: 'Show payload as' }).selectOption('Protobuf');
  await details.locator('input[type=file]').setInputFiles(file('syntax = "proto3";'));
  await shows(/^no message type is defined/, /未定义任何消息类型/);
  await details.getByRole('textbox', { name: 'Applies to' }).fill('elsewhere/#');
  await details.getByRole('textbox', { name: 'Applies to' }).press('Enter');
  await shows(/^It does not select this topic/, /它不匹配此主题/);
  await followsBoth();
});

test('an English browser fetches no dictionary until Chinese is chosen', async ({ page }) => {
  const fetched: string[] = [];
  page.on('request', (request) => fetched.push(new URL(request.url()).pathname));
  await openConnected(page, server.url);
  const dictionaries = () => fetched.filter((path) => /\/zh-/.test(path)).length;
  expect(dictionaries()).toBe(0);
  const choice = page.getByRole('combobox', { name: 'Language' });
  await expect(choice.locator('option')).toHaveText(['English', '中文']);
  await expect(choice.locator('option').last()).toHaveAttribute('lang', 'zh-CN');
  await choice.focus();
  await page.keyboard.press('ArrowDown');
  await expect(status(page)).toHaveText(/^已连接/);
  expect(dictionaries()).toBe(1);
});

test('a dictionary that fails to load is reported, and the choice is reverted', async ({ page }) => {
  await page.route('**/assets/zh-*.js', (route) => route.abort());
  await openConnected(page, server.url);
  const choice = page.getByRole('combobox', { name: 'Language' });
  await choice.selectOption('中文');
  await expect(page.getByRole('alert').filter({ hasText: 'did not deliver this language' })).toBeVisible();
  await expect(choice).toHaveValue('en');
  expect(await violationsOf(page)).toEqual([]);
});
