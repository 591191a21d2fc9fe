import { readFileSync } from 'node:fs';
import { type Browser, expect, test } from '@playwright/test';
import { type Mosquitto, type Server, startMosquitto, startServer } from './support/brokers';
import { openBrowser, runExample } from './support/examples';

// The README's examples, as they stand there, with its broker's name on a local one.

const readme = readFileSync(new URL('../../README.md', import.meta.url), 'utf8');
const examples = [...readme.matchAll(/```js\n(.*?)```/gs)].map((match) => match[1] ?? '');

const printed = [
  [/^connected as mqttwasm_/, /^mqttwasm\/readme\/hello messages: 0$/, /^the broker answered 0$/],
];

let server: Server;
let mosquitto: Mosquitto;
let browser: Browser;

test.beforeAll(async ({ launchOptions }) => {
  [server, mosquitto] = await Promise.all([startServer(), startMosquitto()]);
  browser = await openBrowser(launchOptions, { 'broker.emqx.io:8083': mosquitto.mqtt });
});
test.afterAll(async () => {
  await browser?.close();
  await Promise.all([server?.stop(), mosquitto?.stop()]);
});

test('there is an expectation for each example', () => {
  expect(examples).toHaveLength(printed.length);
});

for (const [i, lines] of printed.entries()) {
  test(`example ${i + 1} runs and prints what it says`, async () => {
    const output = await runExample(browser, server.url, examples[i] ?? '');
    for (const line of lines) expect(output).toContainEqual(expect.stringMatching(line));
  });
}
