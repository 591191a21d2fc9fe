// A fleet of simulated devices: what it sends, what it measures, and that it ends.

import type { Page } from '@playwright/test';
import { violationsOf } from './support/axe';
import { startMosquitto } from './support/brokers';
import { expect, test } from './support/fixtures';
import { connectTo, inBothSchemes, laptopAndPhone, picture, showView } from './support/page';
import { answerTo, connack, type as kind, startScripted } from './support/scripted';
import { codeOf } from './support/scripts';

function fleetOf(page: Page) {
  const region = page.getByRole('region', { name: 'Fleet', exact: true });
  const figures = region.getByRole('region', { name: 'Figures of the fleet' });
  const field = (name: string) => region.getByRole('textbox', { name, exact: true });
  return {
    region,
    figures,
    field,
    start: region.getByRole('button', { name: 'Start', exact: true }),
    stop: region.getByRole('button', { name: 'Stop', exact: true }),
    storm: region.getByRole('button', { name: 'Reconnect storm' }),
    state: region.getByRole('status', { name: 'State of the fleet' }),
    qos: region.getByRole('combobox', { name: 'QoS', exact: true }),
    by: region.getByRole('combobox', { name: 'Messages by' }),
    figure: (name: string) =>
      figures
        .locator('dl > div')
        .filter({ has: page.getByText(name, { exact: true }) })
        .getByRole('definition'),
    /** The figures of one QoS, from Sent on. */
    async counts(qos: number): Promise<number[]> {
      const texts = await figures.locator(`dl[aria-label="QoS ${qos}"] dd`).allTextContents();
      return texts.map((text) => Number(text.replaceAll(',', '')));
    },
    problems: figures.getByRole('table', { name: 'Problems by reason' }).getByRole('row'),
    async fill(values: Record<string, string>): Promise<void> {
      for (const [name, value] of Object.entries(values)) await field(name).fill(value);
    },
  };
}

const patience = { timeout: 50_000 };

const numberIn = async (text: Promise<string | null>) => Number((await text)?.replace(/[^\d.]/g, ''));

/** Starts a fleet, and stops it once `messages` messages have arrived. */
async function runFleet(page: Page, settings: Record<string, string>, messages: number): Promise<void> {
  const fleet = fleetOf(page);
  await showView(page, 'Fleet');
  await fleet.fill({ 'Stop after, seconds': '', 'Connections a second': '100', ...settings });
  await fleet.start.click();
  await expect(fleet.figure('Connected')).toHaveText(`${settings.Devices} of ${settings.Devices}`, patience);
  await expect.poll(async () => (await fleet.counts(1))[3], patience).toBeGreaterThan(messages);
}

for (const qos of ['1 · at least once', '0, 1 and 2 in turn']) {
  test(`100 devices at 10 messages a second each lose nothing, QoS ${qos}`, async ({ page, parts: _ }) => {
    const fleet = fleetOf(page);
    await showView(page, 'Fleet');
    await fleet.qos.selectOption(qos);
    await runFleet(page, { Devices: '100', 'Messages a second, each': '10' }, 1000);
    await fleet.stop.click();
    await expect(fleet.state).toHaveText('Ended', patience);
    await expect(fleet.problems).toHaveCount(0);
    await expect(fleet.figure('Round trip, p50')).toHaveText(/^[\d.,]+ (ms|s)$/);
    await expect(fleet.figure('Round trip, p99')).toHaveText(/^[\d.,]+ (ms|s)$/);
    for (const level of qos.startsWith('1') ? [1] : [0, 1, 2]) {
      const [sent = 0, ...rest] = await fleet.counts(level);
      expect(sent).toBeGreaterThan(qos.startsWith('1') ? 1000 : 300);
      // A busy broker may drop messages at QoS 0, but only there.
      if (level > 0) expect([level, ...rest]).toEqual([level, sent, 0, sent, 0, 0, 0, 0]);
    }
    await expect(fleet.region.getByRole('region', { name: 'Charts of the fleet' })).toBeVisible();
  });
}

/** Replaces the script by typing. */
async function writeScript(page: Page, code: string): Promise<void> {
  await fleetOf(page).by.selectOption('Script');
  await codeOf(page).press('Control+a');
  await page.keyboard.insertText(code);
}

test('messages from a script: topic and payload are its own, none is lost, and a reload keeps the script', async ({
  page,
  parts,
  own,
}) => {
  const engine: string[] = [];
  page.on('request', (request) => {
    if (/emscripten|fleet-script/.test(request.url())) engine.push(request.url());
  });
  const fleet = fleetOf(page);
  await showView(page, 'Fleet');
  await fleet.fill({ 'Client ID': 'made-{{device}}' });
  await writeScript(
    page,
    `function message(device) {
  device.sum = (device.sum ?? 0) + device.n;
  return { topic: \`${own}/\${device.id}/sum\`, payload: { sum: device.sum, of: device.n } };
}`,
  );
  await fleet.fill({ 'Topic filter': `${own}/+/sum` });
  await page.reload();
  await expect(parts.status).toHaveText(/^connected/);
  await expect(fleet.by).toHaveValue('script');
  await expect(codeOf(page)).toContainText('device.sum');
  await expect(fleet.state).toHaveText('Not started');
  expect(engine).toEqual([]);

  await runFleet(page, { Devices: '3', 'Messages a second, each': '5' }, 15);
  expect(engine.filter((url) => url.endsWith('.wasm'))).toHaveLength(1);
  await fleet.stop.click();
  await expect(fleet.state).toHaveText('Ended', patience);
  await expect(fleet.problems).toHaveCount(0);
  const [sent = 0, ...rest] = await fleet.counts(1);
  expect([sent, ...rest]).toEqual([sent, sent, 0, sent, 0, 0, 0, 0]);
  await showView(page, 'Messages');
  // The feed may hold more messages than it has rows.
  await page.getByRole('textbox', { name: 'Search messages' }).fill('"of":3}');
  for (const device of [1, 2, 3]) {
    const row = parts.rows.filter({ hasText: `made-${device}/sum` }).filter({ hasText: '{"sum":6,"of":3}' });
    await expect(row).toHaveCount(1);
  }
});

for (const [what, code, why] of [
  ['throws', "if (device.n > 2) throw new Error('enough');", 'Stopped: Error: enough (line 2)'],
  ['hangs', 'while (device.n > 2);', 'Stopped: it took longer than 50 ms (line 2)'],
  ['returns no topic', 'if (device.n > 2) return 1;', 'message(device) must return { topic, payload }'],
] as const) {
  test(`a script that ${what} stops the fleet with an error, and messages sent before are counted`, async ({
    page,
    parts: _,
  }) => {
    const fleet = fleetOf(page);
    await showView(page, 'Fleet');
    await writeScript(
      page,
      `function message(device) {\n  ${code}\n  return { topic: 'made/x', payload: 1 };\n}`,
    );
    await fleet.fill({ Devices: '3', 'Messages a second, each': '10', 'Topic filter': 'made/#' });
    await fleet.start.click();
    await expect(fleet.region.getByRole('alert')).toContainText(why, patience);
    await expect(fleet.state).toHaveText('Failed', patience);
    const [sent = 0, ...rest] = await fleet.counts(1);
    expect(sent).toBeGreaterThan(1);
    expect(sent).toBeLessThan(7);
    expect([sent, ...rest]).toEqual([sent, sent, 0, sent, 0, 0, 0, 0]);
    await expect(fleet.start).toBeEnabled();
  });
}

test('a script with a syntax error connects no device, and the error names its line', async ({
  page,
  parts: _,
}) => {
  const fleet = fleetOf(page);
  await showView(page, 'Fleet');
  await writeScript(page, 'function message(device) {\n  return 1 +;\n}');
  await fleet.start.click();
  await expect(fleet.region.getByRole('alert')).toContainText(
    /Not started: SyntaxError: .* \(line 2\)/,
    patience,
  );
  await expect(fleet.state).toHaveText('Failed', patience);
  await expect(fleet.problems).toHaveCount(0);
});

test('measurements can be exported', async ({ page, parts: _ }) => {
  const fleet = fleetOf(page);
  await runFleet(page, { Devices: '3', 'Messages a second, each': '20' }, 20);
  await fleet.stop.click();
  await expect(fleet.state).toHaveText('Ended', patience);
  const file = async (format: string) => {
    const download = page.waitForEvent('download');
    await fleet.figures.getByRole('button', { name: `Export as ${format}` }).click();
    return (await (await download).createReadStream())
      .toArray()
      .then((chunks) => Buffer.concat(chunks).toString());
  };
  const { figures, form } = JSON.parse(await file('JSON'));
  const [sent] = await fleet.counts(1);
  expect(figures.byQoS[1]).toMatchObject({ sent, acknowledged: sent, received: sent, lost: 0 });
  expect(form.devices).toBe('3');
  expect(await file('CSV')).toMatch(
    /^at,connected,sent_per_s,received_per_s,p50_ms,p99_ms,lost\r\n20\d\d-.*,\d+,/,
  );
});

test('drop-outs, wills and a reconnect storm at mosquitto; no client is left afterwards', async ({
  page,
  parts,
}) => {
  const mosquitto = await startMosquitto();
  const fleet = fleetOf(page);
  await connectTo(parts, mosquitto.mqtt);
  await expect(parts.status).toHaveText(/^connected/);
  await showView(page, 'Fleet');
  await fleet.fill({
    'Drop-outs a minute, each': '20',
    'Away for, seconds': '0.2',
    'Will topic': 'gone/{{device}}',
    'Client ID': 'device-{{device 2}}',
  });
  await fleet.fill({ Devices: '20', 'Messages a second, each': '5', 'Stop after, seconds': '' });
  await fleet.start.click();
  await expect.poll(() => numberIn(fleet.figure('Drop-outs').textContent()), patience).toBeGreaterThan(10);
  await fleet.storm.click();
  await expect(fleet.figure('Back from the last storm')).toHaveText(/^\d+ in [\d.,]+ (ms|s)$/, patience);
  await expect(fleet.figure('Reconnect storms')).toHaveText('1');
  await fleet.stop.click();
  await expect(fleet.state).toHaveText('Ended', patience);

  const [, acknowledged = 0, , received = 0, , lost, duplicates] = await fleet.counts(1);
  expect([lost, duplicates]).toEqual([0, 0]);
  expect(received).toBeGreaterThanOrEqual(acknowledged);
  // The broker publishes a will for each broken connection, and only for those.
  const log = mosquitto.output();
  const broken = log.match(/Client device-\d+ closed its connection/g) ?? [];
  expect(broken.length).toBeGreaterThan(10);
  await expect(fleet.figure('Wills received')).toHaveText(String(broken.length));
  const last = (id: string) => log.match(new RegExp(`(as|Client) ${id}\\b.*`, 'g'))?.at(-1);
  for (let n = 0; n <= 20; n++) {
    expect(last(`device-${String(n).padStart(2, '0')}`)).toMatch(/disconnected|closed its connection/);
  }
  await mosquitto.stop();
});

for (const [how, leave] of [
  [
    'its connection is closed',
    (page: Page) =>
      page
        .getByRole('button', { name: /^Close 127/ })
        .first()
        .click(),
  ],
  ['the page is left', (page: Page) => page.goto('about:blank').then(() => {})],
] as const) {
  test(`no client is left when ${how}`, async ({ page, parts }) => {
    const mosquitto = await startMosquitto();
    await connectTo(parts, mosquitto.mqtt);
    await expect(parts.status).toHaveText(/^connected/);
    await showView(page, 'Fleet');
    await fleetOf(page).fill({ 'Client ID': 'device-{{device}}' });
    await runFleet(page, { Devices: '5', 'Messages a second, each': '5' }, 5);
    await page.getByRole('button', { name: 'Another broker' }).click();
    await leave(page);
    const gone = () =>
      new Set(mosquitto.output().match(/device-[0-5] (disconnected|closed its connection)/g)).size;
    await expect.poll(gone, patience).toBe(6);
    await mosquitto.stop();
  });
}

test('refusals are counted by reason, and a fleet that is refused stops', async ({ page, parts }) => {
  const broker = await startScripted(async (connection) => {
    const { body } = await connection.expect(kind.connect);
    const number = Number(/device-(\d+)/.exec(body.toString('latin1'))?.[1] ?? 0);
    if (number > 0) {
      connection.send(connack(number <= 3 ? 0x86 : 0x8a));
      return connection.close();
    }
    connection.send(connack());
    for (;;) {
      const answer = answerTo(await connection.next());
      if (answer) connection.send(answer);
    }
  });
  const fleet = fleetOf(page);
  await connectTo(parts, broker.url);
  await expect(parts.status).toHaveText(/^connected/);
  await showView(page, 'Fleet');
  await fleet.fill({ Devices: '7', 'Client ID': 'device-{{device}}' });
  await fleet.start.click();
  await expect(fleet.state).toHaveText('Ended', patience);
  await expect(fleet.figure('Refused')).toHaveText('7');
  await expect(fleet.problems).toHaveText([
    /ProblemReasonTimes/,
    /^RefusedThe broker refused the user name or password · 0x863$/,
    /^RefusedThe broker has banned this client · 0x8A4$/,
  ]);
  await broker.stop();
});

test('a broker that also refuses the subscriber is reported at once', async ({ page, parts }) => {
  const broker = await startScripted(async (connection) => {
    await connection.expect(kind.connect);
    connection.send(connack(0x87));
    connection.close();
  });
  await connectTo(parts, broker.url);
  await expect(parts.notice).toBeVisible();
  await showView(page, 'Fleet');
  const fleet = fleetOf(page);
  await fleet.start.click();
  await expect(fleet.region.getByRole('alert')).toContainText('does not allow this client to connect');
  await expect(fleet.state).toHaveText('Failed');
  await expect(fleet.start).toBeEnabled();
  await broker.stop();
});

test('a public broker gets ten devices at most, and only after the user agrees', async ({ page, parts }) => {
  const fleet = fleetOf(page);
  await parts.disconnect.click();
  await parts.url.fill('ws://broker.emqx.io:8083/mqtt');
  await showView(page, 'Fleet');
  await fleet.fill({ Devices: '11' });
  await fleet.start.click();
  await expect(fleet.region.getByRole('alert')).toHaveText(
    'At most 10 at a public broker, which others use too',
  );
  await fleet.fill({ Devices: '10' });
  await expect(fleet.region.getByRole('alert')).toHaveCount(0);
  await fleet.start.click();
  const dialog = page.getByRole('dialog', { name: 'Load a broker on the internet?' });
  await expect(dialog).toContainText('10 clients connect to ws://broker.emqx.io:8083/mqtt');
  await dialog.getByRole('button', { name: 'Cancel' }).click();
  await expect(dialog).toHaveCount(0);
  await expect(fleet.state).toHaveText('Not started');
});

test('a reload keeps the form', async ({ page, parts }) => {
  const fleet = fleetOf(page);
  await showView(page, 'Fleet');
  await fleet.fill({ Devices: '42', Topic: 'mine/{{device}}' });
  await page.reload();
  await expect(parts.status).toHaveText(/^connected/);
  await expect(fleet.field('Devices')).toHaveValue('42');
  await expect(fleet.field('Topic')).toHaveValue('mine/{{device}}');
});

test('a duplicated tab uses client IDs of its own, even after a reload', async ({ page, parts: _ }) => {
  const fleet = fleetOf(page);
  await showView(page, 'Fleet');
  await fleet.fill({ Devices: '3' });
  const own = await fleet.field('Client ID').inputValue();
  await page.reload();
  await expect(fleet.field('Client ID')).toHaveValue(own);
  // sessionStorage is copied to a page opened by another one.
  const [copy] = await Promise.all([
    page.waitForEvent('popup'),
    page.evaluate(() => void open(location.href)),
  ]);
  const there = fleetOf(copy);
  await showView(copy, 'Fleet');
  await expect(there.field('Client ID')).toHaveValue(/^fleet-/);
  await expect(there.field('Client ID')).not.toHaveValue(own);
  await copy.reload();
  await expect(there.field('Client ID')).toHaveValue(/^fleet-/);
  await expect(there.field('Client ID')).not.toHaveValue(own);
});

for (const [width, height] of laptopAndPhone) {
  test(`at ${width} by ${height} every control can be reached, and there are no axe violations`, async ({
    page,
    parts: _,
  }) => {
    await page.setViewportSize({ width, height });
    const fleet = fleetOf(page);
    await showView(page, 'Fleet');
    await inBothSchemes(page, async (scheme) => {
      expect(await violationsOf(page, { scheme })).toEqual([]);
      await picture(page, `fleet-${width}-${scheme}-form`);
    });
    await writeScript(
      page,
      "const message = (device) => ({ topic: 'fleet/' + device.id, payload: device.n });",
    );
    await inBothSchemes(page, async (scheme) => {
      expect(await violationsOf(page, { scheme })).toEqual([]);
      await picture(page, `fleet-${width}-${scheme}-script`);
    });
    const script = { 'Topic filter': 'fleet/+', Devices: '3', 'Messages a second, each': '20' };
    await runFleet(page, script, 50);
    await expect(fleet.region.locator('canvas')).toHaveCount(4);
    await inBothSchemes(page, async (scheme) => {
      expect(await violationsOf(page, { scheme })).toEqual([]);
      await picture(page, `fleet-${width}-${scheme}`);
    });
    const [scrollWidth, clientWidth] = await page
      .locator('.fleet .view-body')
      .evaluate((body) => [body.scrollWidth, body.clientWidth] as const);
    expect(scrollWidth).toBeLessThanOrEqual(clientWidth);
    await fleet.stop.click();
    await expect(fleet.state).toHaveText('Ended', patience);
  });
}
