import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { type Browser, expect, test } from '@playwright/test';
import { type Mosquitto, type Server, startMosquitto, startServer } from './support/brokers';
import { openBrowser, runExample } from './support/examples';
import { serveScram } from './support/scram';
import { type ScriptedBroker, startScripted } from './support/scripted';

// Runs the guides' examples verbatim against a local broker under the documented name. Each prints the block
// that follows it, in which … matches anything.

const folder = new URL('../docs/', import.meta.url);
// The API reference is generated from the source.
const documents = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter(
  (name) => name.endsWith('.md') && !name.startsWith('api/'),
);
// The Chinese guides have the same examples as the English ones.
const chinese = documents.filter((name) => name.endsWith('.zh.md'));
const guides = documents.filter((name) => !chinese.includes(name));
const readme = new URL('../../README.md', import.meta.url);

const examples = guides.flatMap((guide) => {
  const blocks = [...readFileSync(new URL(guide, folder), 'utf8').matchAll(/```(\w+)\n(.*?)```/gs)];
  return blocks.flatMap(([, language, code = ''], i) => {
    // Examples for `mqttwasm/compat` are run by its own tests.
    if (language !== 'js' || code.includes("from 'mqttwasm/compat'")) return [];
    const [, next, printed = ''] = blocks[i + 1] ?? [];
    return [{ guide, number: i, code, printed: next === 'text' ? printed.trim().split('\n') : [] }];
  });
});

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

test('every guide has examples, and every example says what it prints', () => {
  expect(examples.length).toBeGreaterThan(0);
  for (const { guide, printed } of examples) expect(printed, guide).not.toEqual([]);
});

for (const { guide, number, code, printed } of examples) {
  test(`${guide}, block ${number + 1}`, async () => {
    const output = await runExample(browser, server.url, code);
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

/** A document's fenced code blocks, and the lines outside them. */
function parts(document: URL) {
  const text = readFileSync(document, 'utf8');
  const fenced = /^```.*?^```$/gms;
  return { blocks: text.match(fenced) ?? [], lines: text.replaceAll(fenced, '').split('\n') };
}

const headings = (document: URL) => parts(document).lines.filter((line) => /^#+ /.test(line));

/** The number of rows in each table of a document. */
function tables(document: URL): number[] {
  const rows = parts(document).lines.map((line) => (line.startsWith('|') ? '|' : ' '));
  return (rows.join('').match(/\|+/g) ?? []).map((table) => table.length);
}

/** The anchors of a document's headings, as GitHub derives them. */
function anchors(document: URL): string[] {
  const words = headings(document).map((line) => line.replace(/^#+ /, '').toLowerCase());
  return words.map((line) => line.replaceAll(/[^\p{L}\p{M}\p{N}_ -]/gu, '').replaceAll(' ', '-'));
}

test('there is a Chinese README, and a Chinese version of each guide', () => {
  expect(chinese).toEqual(
    expect.arrayContaining([
      ...['README.zh.md', 'console.zh.md', 'library.zh.md', 'server.zh.md'],
      ...['scripts.zh.md', 'fleet.zh.md', 'elements.zh.md', 'brokers/README.zh.md'],
    ]),
  );
});

for (const name of chinese) {
  test(`${name} has the same code, headings and tables as the English version`, () => {
    const translated = new URL(name, folder);
    const english = name === 'README.zh.md' ? readme : new URL(name.replace('.zh', ''), folder);
    expect(parts(translated).blocks).toEqual(parts(english).blocks);
    const levels = (document: URL) => headings(document).map((line) => line.indexOf(' '));
    expect(levels(english)).not.toEqual([]);
    expect(levels(translated)).toEqual(levels(english));
    expect(tables(translated)).toEqual(tables(english));
  });
}

test('every link in the README and the guides leads to an existing file and heading', () => {
  const links = [readme, ...documents.map((name) => new URL(name, folder))].flatMap((document) => {
    const found = parts(document).lines.flatMap((line) => [...line.matchAll(/\]\(([^)\s]+)\)/g)]);
    return found.map(([, link = '']) => ({ document, link }));
  });
  const relative = links.filter(({ link }) => !/^\w+:/.test(link));
  expect(relative).not.toEqual([]);
  for (const { document, link } of relative) {
    const target = new URL(link, document);
    const anchor = decodeURIComponent(target.hash.slice(1));
    target.hash = '';
    const where = `${link} in ${document.pathname}`;
    expect(existsSync(target), where).toBe(true);
    if (anchor) expect(anchors(target), where).toContain(anchor);
  }
});
