import { readFileSync } from 'node:fs';
import { type Browser, expect, test } from '@playwright/test';
import { type Mosquitto, type Server, startMosquitto, startServer } from './support/brokers';
import { openBrowser, runExample } from './support/examples';
import { serveScram } from './support/scram';
import { type ScriptedBroker, startScripted } from './support/scripted';

// The README's examples, as they stand there, with its brokers' names on local ones.

const readme = readFileSync(new URL('../../README.md', import.meta.url), 'utf8');
const examples = [...readme.matchAll(/```js\n(.*?)```/gs)].map((match) => match[1] ?? '');

const printed = [
  [/^connected as mqttwasm_/, /^mqttwasm\/readme\/hello messages: 0$/, /^the broker answered 0$/],
  [/^mqttwasm\/counter messages: 0$/, /^mqttwasm\/counter messages: 1$/, /^mqttwasm\/counter messages: 2$/],
  [/^bad-option topic topic: .*wildcard/, /^connection closed undefined$/],
  [/^connected$/, /^ended as asked$/],
  [/^connecting$/, /^connected$/, /^mqttwasm\/early first$/],
  [/^stored$/, /^delivered$/],
  [/^1 \+ 2 = 3$/],
  [/^all tabs are mqttwasm_/],
  [/^authenticated by SCRAM-SHA-256$/],
];

let server: Server;
let mosquitto: Mosquitto;
let scram: ScriptedBroker;
let browser: Browser;

test.beforeAll(async ({ launchOptions }) => {
  [server, mosquitto, scram] = await Promise.all([
    startServer(),
    startMosquitto(),
    startScripted(serveScram('pencil')),
  ]);
  const hosts = { 'broker.emqx.io:8083': mosquitto.mqtt, 'mqtt.example.com': scram.url };
  browser = await openBrowser(launchOptions, hosts);
});
test.afterAll(async () => {
  await browser?.close();
  await Promise.all([server?.stop(), mosquitto?.stop(), scram?.stop()]);
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
