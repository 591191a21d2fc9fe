/**
 * The page while its fleet loads the embedded broker with 100 devices or more, each sending 10 messages a
 * second or more, and a user types. BENCH_SECONDS and BENCH_RUNS set the duration and the number of runs;
 * BENCH_ONLY selects scenarios by part of their names.
 */

import { loadavg } from 'node:os';
import { type Browser, expect, test } from '@playwright/test';
import { startServer } from '../../e2e/support/brokers';
import { openConnected, showView } from '../../e2e/support/page';
import { installProbe, measure, memoryOf } from './probe';
import { type Run, report } from './report';

const seconds = Number(process.env.BENCH_SECONDS ?? 10);
const runs = Number(process.env.BENCH_RUNS ?? 3);

const scenarios = [
  { name: '100 devices, 10/s', devices: 100, rate: 10 },
  { name: '200 devices, 10/s', devices: 200, rate: 10 },
];

interface FleetRun extends Run {
  /** As the page shows them. */
  figures: Record<string, string>;
}

async function run(browser: Browser, devices: number, rate: number): Promise<FleetRun> {
  const server = await startServer(['-default-broker', 'mqtt']);
  const page = await browser.newPage();
  await installProbe(page);
  const parts = await openConnected(page, server.url);
  await showView(page, 'Fleet');
  const fleet = page.getByRole('region', { name: 'Fleet', exact: true });
  const fill = (name: string, value: number | '') =>
    fleet.getByRole('textbox', { name, exact: true }).fill(String(value));
  await fill('Devices', devices);
  await fill('Messages a second, each', rate);
  await fill('Stop after, seconds', '');
  await fill('Connections a second', 100);
  const figures = async () => {
    const texts = await fleet
      .locator('dl > div')
      .evaluateAll((facts) =>
        facts.map((fact) => [fact.querySelector('dt')?.textContent, fact.querySelector('dd')?.textContent]),
      );
    return Object.fromEntries(texts) as Record<string, string>;
  };
  const number = async (name: string) => Number((await figures())[name]?.replaceAll(',', '') ?? 0);

  const done = await measure(browser, page);
  await fleet.getByRole('button', { name: 'Start', exact: true }).click();
  await expect.poll(async () => (await figures()).Connected, { timeout: 0 }).toBe(`${devices} of ${devices}`);
  await parts.payload.fill('');
  for (let n = 0; n < 10 * seconds; n++) {
    await page.keyboard.press(String.fromCharCode(97 + (n % 26)));
    await page.waitForTimeout(100); // a quick typist
  }
  const shown = await figures();
  await fleet.getByRole('button', { name: 'Stop', exact: true }).click();
  await expect(fleet.getByRole('status')).toHaveText('Ended', { timeout: 60_000 });
  const sample = await done();
  const result = {
    ...sample,
    received: await number('Received'),
    dropped: await number('Lost'),
    load: loadavg()[0] ?? 0,
    ...(await memoryOf(await page.context().newCDPSession(page))),
    figures: shown,
  };
  await page.close();
  await server.stop();
  return result;
}

test('the page while a fleet runs', async ({ browser }) => {
  const all: Record<string, FleetRun[]> = {};
  for (const { name, devices, rate } of scenarios) {
    if (!name.includes(process.env.BENCH_ONLY ?? '')) continue;
    const results: FleetRun[] = [];
    for (let n = 0; n < runs; n++) results.push(await run(browser, devices, rate));
    all[name] = results;
  }
  report('fleet', { chromium: browser.version(), seconds }, all);
  for (const [name, results] of Object.entries(all)) {
    console.log(name, results[0]?.figures);
  }
});
