/**
 * The page under load: the tree and the feed are on screen, or a topic with its chart as well, and a user
 * types while a flood arrives. BENCH_SECONDS and BENCH_RUNS set the duration and the number of runs;
 * BENCH_ONLY selects scenarios by part of their names.
 */

import { loadavg } from 'node:os';
import { type Browser, expect, test } from '@playwright/test';
import { startServer } from '../../e2e/support/brokers';
import { chartedTopic, flood } from '../../e2e/support/flood';
import { openConnected, showView } from '../../e2e/support/page';
import { openPublisher } from '../../e2e/support/publisher';
import { installProbe, measure, memoryOf } from './probe';
import { type Run, report } from './report';

const perSecond = 10_000;
const seconds = Number(process.env.BENCH_SECONDS ?? 10);
const runs = Number(process.env.BENCH_RUNS ?? 3);

interface Scenario {
  name: string;
  view: 'feed' | 'topics';
  topics: number;
  messages: number;
  runs: number;
}

const scenarios: Scenario[] = [
  { name: 'the feed', view: 'feed', topics: 1000, messages: perSecond * seconds, runs },
  ...[1, 1000, 100_000].map(
    (topics): Scenario => ({
      name: `${topics.toLocaleString('en')} topics`,
      view: 'topics',
      topics,
      messages: perSecond * seconds,
      runs,
    }),
  ),
  { name: 'a million messages', view: 'topics', topics: 100_000, messages: 1_000_000, runs: 1 },
];

async function run(browser: Browser, { view, topics, messages }: Scenario): Promise<Run> {
  const server = await startServer(['-default-broker', 'mqtt']);
  const publisher = await openPublisher(server.mqtt);
  const page = await browser.newPage();
  await installProbe(page);
  const parts = await openConnected(page, server.url);
  const prefix = (await parts.topic.inputValue()).replace(/\/hello$/, '');
  publisher.publish(chartedTopic(prefix), ['20']);
  const devTools = await page.context().newCDPSession(page);
  const before = await memoryOf(devTools);
  if (view === 'topics') await openChart();

  const done = await measure(browser, page);
  let flooding = true;
  const flooded = flood(server.tcpPort, { prefix, topics, perSecond, messages }).finally(() => {
    flooding = false;
  });
  await parts.payload.fill('');
  if (view === 'topics' && topics > 1) await openAll();
  await parts.payload.focus();
  for (let n = 0; flooding; n++) {
    await page.keyboard.press(String.fromCharCode(97 + (n % 26)));
    await page.waitForTimeout(100); // a quick typist
    if (n % 50 === 49) await parts.payload.fill('');
  }
  await flooded;
  const number = async (name: string) => Number((await parts.count(name).textContent())?.replaceAll(',', ''));
  const arrived = async () => (await number('Received')) + (await number('Dropped'));
  await expect.poll(arrived, { timeout: 60_000 }).toBe(messages + 1);
  const sample = await done();
  const result = {
    ...sample,
    received: await number('Received'),
    dropped: await number('Dropped'),
    load: loadavg()[0] ?? 0,
    ...(await memoryOf(devTools)),
    before,
    cleared: await cleared(),
  };
  await page.close();
  publisher.close();
  await server.stop();
  return result;

  async function cleared() {
    await showView(page, 'Topics');
    await page.getByRole('button', { name: 'Clear tree' }).click();
    await showView(page, 'Messages');
    await page.getByRole('button', { name: 'Clear', exact: true }).click();
    await expect(parts.count('In memory')).toHaveText('0');
    return memoryOf(devTools);
  }

  async function openChart(): Promise<void> {
    await page.getByRole('treeitem', { name: /level/ }).click();
    await page.getByRole('button', { name: 'Add to chart' }).click();
    await expect(page.getByRole('region', { name: 'Chart' }).getByRole('img')).toBeVisible();
  }

  /** Expands every level of the tree. */
  async function openAll(): Promise<void> {
    await page.getByRole('treeitem', { name: /hall/ }).first().click();
    await page.getByRole('tree').press('*');
    await expect(page.getByRole('treeitem', { name: /sensor/ }).first()).toBeVisible();
  }
}

test('the page under load', async ({ browser }) => {
  const all: Record<string, Run[]> = {};
  for (const scenario of scenarios.filter(({ name }) => name.includes(process.env.BENCH_ONLY ?? ''))) {
    const results: Run[] = [];
    for (let n = 0; n < scenario.runs; n++) results.push(await run(browser, scenario));
    all[scenario.name] = results;
  }
  report('console', { chromium: browser.version(), perSecond, seconds }, all);
});
