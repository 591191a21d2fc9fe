import { readdirSync, readFileSync } from 'node:fs';
import { chromium, expect, test } from '@playwright/test';
import { type Mosquitto, type Server, startMosquitto, startServer } from './support/brokers';
import { runExample } from './support/examples';

// The guides' examples, as they stand there, against a local broker of the same
// name: each prints the block that follows it, in which … is anything.

const folder = new URL('../docs/', import.meta.url);
const guides = readdirSync(folder).filter((name) => name.endsWith('.md'));

const examples = guides.flatMap((guide) => {
  const blocks = [...readFileSync(new URL(guide, folder), 'utf8').matchAll(/```(\w+)\n(.*?)```/gs)];
  return blocks.flatMap(([, language, code = ''], i) => {
    // What is about the package's other entry is run by that one's tests.
    if (language !== 'js' || code.includes("from 'mqttwasm/compat'")) return [];
    const [, next, printed = ''] = blocks[i + 1] ?? [];
    return [{ guide, number: i, code, printed: next === 'text' ? printed.trim().split('\n') : [] }];
  });
});

let server: Server;
let mosquitto: Mosquitto;

test.beforeAll(async () => {
  [server, mosquitto] = await Promise.all([startServer(), startMosquitto()]);
});
test.afterAll(() => Promise.all([server?.stop(), mosquitto?.stop()]));

test('every guide has examples, and every example says what it prints', () => {
  expect(examples.length).toBeGreaterThan(0);
  for (const { guide, printed } of examples) expect(printed, guide).not.toEqual([]);
});

for (const { guide, number, code, printed } of examples) {
  test(`${guide}, block ${number + 1}`, async ({ launchOptions }) => {
    const hosts = { 'broker.emqx.io:8083': mosquitto.mqtt };
    const output = await runExample(chromium, launchOptions, server.url, hosts, code);
    const pattern = (line: string) =>
      new RegExp(
        `^${line
          .split('…')
          .map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'))
          .join('.*')}$`,
      );
    for (const line of printed) expect(output).toContainEqual(expect.stringMatching(pattern(line)));
  });
}
