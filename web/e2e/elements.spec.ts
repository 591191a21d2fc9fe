import { startMosquitto } from './support/brokers';
import { part, publish, record, test, topicOf } from './support/elements';
import { expect } from './support/fixtures';

// The elements on a plain page, with messages from a broker, under a strict content security policy.

test('a value is picked, formatted in the language of the page, and reported by an event', async ({
  page,
  open,
}) => {
  const topic = topicOf();
  await open(
    `<mqtt-connection url="/mqtt">
      <mqtt-value id="t" topic="${topic}" path="sensors[0].t" label="Luft" unit="°C" digits="1"></mqtt-value>
      <mqtt-value id="whole" topic="${topic}" format="text"></mqtt-value>
    </mqtt-connection>`,
    'de',
  );
  const changes = await record(page, 'mqtt-change');
  await expect(page.locator('#t')).toHaveText(/Luft\s*—$/);
  await publish(page, topic, '{"sensors":[{"t":1234.56}]}');
  await expect(page.locator('#t')).toHaveText(/Luft\s*1\.234,6\s*°C$/);
  await expect(page.locator('#whole')).toHaveText('{"sensors":[{"t":1234.56}]}');
  expect(await changes()).toContainEqual({ from: 'mqtt-value', topic, value: 1234.56 });
  // Properties reflect to attributes.
  await page.evaluate(() => {
    const element = document.querySelector('mqtt-value');
    if (!element) return;
    element.digits = 0;
    element.unit = 'K';
    element.formatter = undefined;
  });
  await expect(page.locator('#t')).toHaveText(/1\.235\s*K$/);
  expect(await page.locator('#t').getAttribute('digits')).toBe('0');
  await page.evaluate(() => {
    const element = document.querySelector('mqtt-value');
    if (element) element.formatter = (value, from) => `${value} at ${from.length}`;
    if (element) element.unit = '';
  });
  await expect(page.locator('#t')).toHaveText(new RegExp(`1234.56 at ${topic.length}$`));
});

test('messages are rendered as plain text, whatever they look like, and bounded', async ({
  page,
  open,
  elsewhere,
}) => {
  const topic = topicOf();
  await open(`<mqtt-connection url="/mqtt">
    <mqtt-value id="any" topic="${topic}/#"></mqtt-value>
    <mqtt-value id="inherited" topic="${topic}/#" path="constructor.name"></mqtt-value>
    <mqtt-feed topic="${topic}/#" limit="3"></mqtt-feed>
    <mqtt-chart topic="${topic}/#"></mqtt-chart></mqtt-connection>`);
  await expect
    .poll(() => page.evaluate(() => document.querySelector('mqtt-connection')?.state))
    .toBe('connected');
  const rows = part(page, 'mqtt-feed', 'row');
  const html = '<img src=x onerror="document.title=1"><script>document.title=1</script>';
  await publish(page, `${topic}/<b>bold`, html);
  await expect(part(page, 'mqtt-feed', 'payload')).toHaveText(html);
  await expect(part(page, 'mqtt-feed', 'topic')).toHaveText('<b>bold');
  await expect(part(page, '#any', 'value')).toHaveText(html);
  await publish(page, `${topic}/long`, 'x'.repeat(200_000));
  await expect(rows.nth(1)).toHaveText(/x{500}…$/);
  const shown = await part(page, '#any', 'value').textContent();
  expect(shown).toBe(`${'x'.repeat(1000)}…`);
  await publish(page, `${topic}/larger`, `"${'y'.repeat(300_000)}"`);
  await expect(rows.nth(2)).toHaveText(/300002 B$/);
  elsewhere.publish(`${topic}/binary`, [new Uint8Array([0xff, 0x00, 0x7f])]);
  await expect(rows.nth(2)).toHaveText(/ff 00 7f \(3 B\)$/);
  for (const payload of ['{"__proto__":{"name":"no"}}', '[[[[', '1e999', 'NaN', '{"constructor":1}']) {
    await publish(page, `${topic}/odd`, payload);
  }
  await expect(rows.nth(2)).toHaveText(/"constructor":1/);
  await expect(part(page, '#inherited', 'value')).toHaveText('—');
  await expect(rows).toHaveCount(3);
  await expect(part(page, 'mqtt-chart', 'empty')).toHaveText('No numbers yet');
  await expect(page).toHaveTitle('Elements');
});

test('a flood leaves the newest rows and points, and no more', async ({ page, open, elsewhere }) => {
  const topic = topicOf();
  await open(`<mqtt-connection url="/mqtt">
    <mqtt-feed topic="${topic}" limit="50"></mqtt-feed>
    <mqtt-chart topic="${topic}" points="100"></mqtt-chart>
    <mqtt-value topic="${topic}"></mqtt-value></mqtt-connection>`);
  await publish(page, topic, '-1');
  await expect(part(page, 'mqtt-value', 'value')).toHaveText('-1');
  for (let first = 0; first < 10_000; first += 500) {
    elsewhere.publish(
      topic,
      Array.from({ length: 500 }, (_, n) => `${first + n}`),
    );
    await expect(part(page, 'mqtt-value', 'value')).toHaveText((first + 499).toLocaleString('en'));
  }
  await expect(part(page, 'mqtt-feed', 'row').last()).toContainText('9999');
  await expect(part(page, 'mqtt-feed', 'row')).toHaveCount(50);
  await expect(page.getByRole('img', { name: /now 9,999, lowest 9,900, highest 9,999/ })).toBeVisible();
  const line = (await part(page, 'mqtt-chart', 'line').getAttribute('d')) ?? '';
  expect(line.split('L')).toHaveLength(100);
  // The feed follows new messages unless the user has scrolled up.
  const log = page.getByRole('log');
  const fromEnd = () => log.evaluate((node) => node.scrollHeight - node.scrollTop - node.clientHeight);
  await expect.poll(fromEnd).toBeLessThan(5);
  await log.focus();
  await page.keyboard.press('Home');
  await expect.poll(() => log.evaluate((node) => node.scrollTop)).toBe(0);
  await publish(page, topic, '10000');
  await expect(part(page, 'mqtt-feed', 'row').last()).toContainText('10000');
  expect(await fromEnd()).toBeGreaterThan(5);
});

test('a flood raises at most one event per frame', async ({ page, open, elsewhere }) => {
  const topic = topicOf();
  await open(`<mqtt-connection url="/mqtt"><mqtt-value topic="${topic}"></mqtt-value></mqtt-connection>`);
  await publish(page, topic, '-1');
  await expect(part(page, 'mqtt-value', 'value')).toHaveText('-1');
  await page.evaluate(() => {
    const told: number[] = [];
    Reflect.set(window, 'told', told);
    let frame = 0;
    const next = (): void => {
      frame++;
      requestAnimationFrame(next);
    };
    requestAnimationFrame(next);
    document.addEventListener('mqtt-change', () => told.push(frame));
  });
  elsewhere.publish(
    topic,
    Array.from({ length: 5000 }, (_, n) => `${n}`),
  );
  await expect(part(page, 'mqtt-value', 'value')).toHaveText('4,999');
  const told = await page.evaluate(() => Reflect.get(window, 'told') as number[]);
  expect(told.length).toBeGreaterThan(0);
  expect(told.length).toBeLessThan(1000);
  expect(new Set(told).size).toBe(told.length);
});

test('a chart has a line for each topic of its filter, eight at most', async ({ page, open }) => {
  const scripts: string[] = [];
  page.on('request', (request) => scripts.push(request.url()));
  const drawing = () => scripts.filter((url) => /\/draw-[^/]*\.js$/.test(url)).length;
  const topic = topicOf();
  await open(`<mqtt-connection url="/mqtt"><mqtt-status></mqtt-status></mqtt-connection>`);
  await expect(page.getByRole('status')).toHaveText('connected');
  expect(drawing()).toBe(0);
  await page.evaluate((name) => {
    const chart = document.createElement('mqtt-chart');
    Object.assign(chart, { topic: `${name}/+/t`, path: 'v', label: 'Rooms', unit: 'K', min: 0, max: 20 });
    document.querySelector('mqtt-connection')?.append(chart);
  }, topic);
  for (let n = 0; n < 10; n++) await publish(page, `${topic}/room${n}/t`, `{"v":"${n}.5"}`);
  await publish(page, `${topic}/room1/t`, '{"v":3}');
  await expect(part(page, 'mqtt-chart', 'line')).toHaveCount(8);
  await expect(part(page, 'mqtt-chart', 'series').nth(1)).toHaveText('room1/t 3 K');
  await expect(part(page, 'mqtt-chart', 'stale')).toHaveText('more topics than can be drawn');
  await expect(
    page.getByRole('img', { name: /^Rooms: .*; room1\/t now 3 K, lowest 1.5 K, highest 3 K;/ }),
  ).toBeVisible();
  await expect(
    part(page, 'mqtt-chart', 'picture')
      .locator('text')
      .getByText(/^(0|20)$/),
  ).toHaveText(['0', '20']);
  // An invalid axis is ignored, and everything else is still drawn.
  const line = part(page, 'mqtt-chart', 'line').first();
  const oddities = [
    { min: 5, max: -5 },
    { min: 0, max: 'x' },
    { min: 1e308, max: '1e309' },
    { points: -1, seconds: 0 },
  ];
  for (const odd of oddities) {
    await page.evaluate(async (attributes) => {
      Object.assign(document.querySelector('mqtt-chart') ?? {}, attributes);
      for (let n = 0; n < 2; n++) await new Promise((resolve) => requestAnimationFrame(resolve));
    }, odd);
    await expect(line).toHaveAttribute('d', /^M[\d.]+ [\d.]+(L[\d.]+ [\d.]+)*$/);
  }
  expect(drawing()).toBe(1);
});

test('the labels of a chart of large numbers tell them apart', async ({ page, open }) => {
  const topic = topicOf();
  await open(`<mqtt-connection url="/mqtt"><mqtt-status></mqtt-status>
    <mqtt-chart topic="${topic}" label="Energy"></mqtt-chart></mqtt-connection>`);
  await expect(page.getByRole('status')).toHaveText('connected');
  const labels = part(page, 'mqtt-chart', 'picture').locator('text[text-anchor=end][dominant-baseline]');
  for (const [low, high, expected] of [
    [1_100_000, 1_400_000, ['1.1M', '1.2M', '1.3M', '1.4M']],
    [123_456_789_000, 123_456_790_500, ['123.456789B', '123.4567895B', '123.45679B', '123.4567905B']],
  ] as const) {
    await page.locator('mqtt-chart').evaluate((chart) => chart.setAttribute('points', '2'));
    await publish(page, topic, String(low));
    await publish(page, topic, String(high));
    await expect(labels).toHaveText([...expected]);
  }
});

test('buttons and forms publish, by keyboard too, and report the result', async ({ page, open }) => {
  const broker = await startMosquitto(); // reports No matching subscribers
  const topic = topicOf();
  await open(`<mqtt-connection url="${broker.mqtt}">
    <mqtt-feed topic="${topic}/#"></mqtt-feed>
    <mqtt-publish id="b" topic="${topic}/b" payload="go" qos="1"><b>Start</b></mqtt-publish>
    <mqtt-publish id="f" type="form" qos="1" label="Anything"></mqtt-publish></mqtt-connection>`);
  const told = await record(page, 'mqtt-publish');
  const failed = await record(page, 'mqtt-error');
  await page.getByRole('button', { name: 'Start' }).focus();
  await page.keyboard.press('Enter');
  await expect(page.locator('#b').getByRole('status')).toHaveText('Published');
  await expect(part(page, 'mqtt-feed', 'row')).toHaveText([/b\s*go$/]);
  const form = page.locator('#f');
  await form.getByRole('textbox', { name: 'Topic' }).fill(`${topic}/typed`);
  await form.getByRole('textbox', { name: 'Payload' }).fill('hello');
  await page.keyboard.press('Enter');
  await expect(part(page, 'mqtt-feed', 'row')).toHaveText([/go$/, /typed\s*hello$/]);
  await form.getByRole('textbox', { name: 'Topic' }).fill('nobody/reads/this');
  await page.keyboard.press('Enter');
  await expect(form.getByRole('status')).toHaveText('Published; nobody is subscribed to it');
  await form.getByRole('textbox', { name: 'Topic' }).fill('a/#');
  await form.getByRole('button', { name: 'Publish' }).click();
  await expect(form.getByRole('status')).toHaveText(/must not contain the wildcards/);
  await expect(part(page, '#f', 'failed')).toBeVisible();
  expect(await told()).toMatchObject([
    { topic: `${topic}/b` },
    { topic: `${topic}/typed` },
    { topic: 'nobody/reads/this' },
  ]);
  expect(await failed()).toEqual([{ from: 'mqtt-publish', code: 'bad-option', field: 'topic' }]);
  await broker.stop();
});

test('a switch shows its device’s state, or what was published if it has no device', async ({
  page,
  open,
}) => {
  const topic = topicOf();
  await open(`<mqtt-connection url="/mqtt">
    <mqtt-feed topic="${topic}/+/set"></mqtt-feed>
    <mqtt-publish type="switch" topic="${topic}/a/set" state-topic="${topic}/a" path="state" on-payload="1" off-payload="0" label="Reports"></mqtt-publish>
    <mqtt-publish type="switch" topic="${topic}/b/set" qos="1" label="Silent"></mqtt-publish></mqtt-connection>`);
  const reports = page.getByRole('switch', { name: 'Reports' });
  const silent = page.getByRole('switch', { name: 'Silent' });
  await reports.click();
  await expect(part(page, 'mqtt-feed', 'row')).toHaveText([/a\/set\s*1$/]);
  await expect(page.locator('mqtt-publish').first().getByRole('status')).toHaveText('Published');
  await expect(reports).not.toBeChecked();
  await publish(page, `${topic}/a`, '{"state":1}');
  await expect(reports).toBeChecked();
  await publish(page, `${topic}/a`, '{"state":"half"}');
  await reports.focus();
  await page.keyboard.press('Space');
  await expect(part(page, 'mqtt-feed', 'row')).toHaveText([/1$/, /a\/set\s*0$/]);
  await publish(page, `${topic}/a`, '{"state":"0"}');
  await expect(reports).not.toBeChecked();
  await silent.click();
  await expect(silent).toBeChecked();
  await silent.click();
  await expect(silent).not.toBeChecked();
  await expect(part(page, 'mqtt-feed', 'row')).toHaveText([/1$/, /0$/, /b\/set\s*ON$/, /b\/set\s*OFF$/]);
});

test('misconfigured elements and refusals by the broker are reported and shown', async ({ page, open }) => {
  await open(`<mqtt-connection url="/mqtt" id="here"></mqtt-connection><main></main>`);
  const errors = await record(page, 'mqtt-error');
  await page.evaluate(() => {
    const main = document.querySelector('main');
    const value = (attributes: object) =>
      main?.append(Object.assign(document.createElement('mqtt-value'), attributes));
    value({ topic: 'a/#/b' });
    value({ topic: 'a', path: 'a..b' });
    value({ topic: 'a', qos: 3 });
    value({ topic: 'a', connection: 'there' });
  });
  const shown = page.locator('main [part=error]');
  await expect(shown).toHaveText([
    /# must be the last level/,
    /^path: not understood from "\.\.b" on/,
    /qos/,
    /no <mqtt-connection id="there">/,
  ]);
  const fields = async () => (await errors()).map((error) => (error as { field: string }).field).sort();
  await expect.poll(fields).toEqual(['connection', 'filter', 'path', 'qos']);
  // Once corrected, the elements show no trace of the errors.
  await page.evaluate(() => {
    const mended = { topic: 'a', path: 'b', qos: 1, connection: 'here' };
    for (const element of document.querySelectorAll('mqtt-value')) Object.assign(element, mended);
  });
  await expect(shown).toHaveText(['', '', '', '']);
  await publish(page, 'a', '{"b":5}');
  await expect(page.locator('main [part=value]')).toHaveText(['5', '5', '5', '5']);
});

test('properties set before the elements loaded are applied', async ({ page, open }) => {
  const topic = topicOf();
  await open('');
  await page.evaluate(async (name) => {
    const connection = document.createElementNS('http://www.w3.org/1999/xhtml', 'mqtt-early');
    document.body.append(connection);
    // Like a page that creates its elements before their script has loaded.
    class Early extends (customElements.get('mqtt-value') as typeof HTMLElement) {}
    Object.assign(connection, { topic: name, staleAfter: 60 });
    customElements.define('mqtt-early', Early);
    const link = Object.assign(document.createElement('mqtt-connection'), { url: '/mqtt' });
    document.body.append(link);
  }, topic);
  await publish(page, topic, 'early');
  await expect(page.locator('mqtt-early')).toHaveText('early');
  expect(await page.locator('mqtt-early').getAttribute('stale-after')).toBe('60');
});

test('a thousand elements added and removed leave nothing behind', async ({ page, open }) => {
  const broker = await startMosquitto();
  const topic = topicOf();
  await open(`<mqtt-connection url="${broker.mqtt}"><mqtt-status></mqtt-status></mqtt-connection>`);
  await expect(page.getByRole('status')).toHaveText('connected');
  const cdp = await page.context().newCDPSession(page);
  /** Listeners on the document, where leaked elements would leave theirs. */
  const listeners = async (): Promise<number> => {
    const { result } = await cdp.send('Runtime.evaluate', { expression: 'document' });
    const found = await cdp.send('DOMDebugger.getEventListeners', { objectId: result.objectId ?? '' });
    return found.listeners.length;
  };
  const alive = async (tag: string): Promise<number> => {
    await cdp.send('HeapProfiler.collectGarbage');
    const { result } = await cdp.send('Runtime.evaluate', {
      expression: `customElements.get('${tag}').prototype`,
    });
    const { objects } = await cdp.send('Runtime.queryObjects', { prototypeObjectId: result.objectId ?? '' });
    const count = await cdp.send('Runtime.callFunctionOn', {
      objectId: objects.objectId ?? '',
      functionDeclaration: 'function () { return this.length }',
      returnByValue: true,
    });
    await cdp.send('Runtime.releaseObject', { objectId: objects.objectId ?? '' });
    return count.result.value;
  };
  const before = await listeners();
  const tags = ['value', 'feed', 'chart', 'publish', 'status'].map((name) => `mqtt-${name}`);
  await page.evaluate(
    async ([names, name]) => {
      const home = document.querySelector('mqtt-connection');
      const frame = () => new Promise((resolve) => requestAnimationFrame(resolve));
      for (let n = 0; n < 1000; n++) {
        const all = names.map((tag) => {
          const topics = { topic: `${name}/${n % 7}`, stateTopic: `${name}/state`, type: 'switch' };
          return Object.assign(
            document.createElement(tag),
            tag === 'mqtt-publish' ? topics : { topic: topics.topic, staleAfter: 9, seconds: 9 },
          );
        });
        home?.append(...all);
        // Remove elements at each stage: at once, after subscribing, after drawing.
        if (n % 3 === 1) await null;
        if (n % 50 === 0) await frame();
        for (const element of all) element.remove();
      }
      await frame();
    },
    [tags, topic] as const,
  );
  // The ping goes out after all of those packets.
  await page.evaluate(() => document.querySelector('mqtt-connection')?.client?.ping());
  expect(
    await page.evaluate(() => Reflect.get(document.querySelector('mqtt-connection') ?? {}, 'hub').size()),
  ).toBe(0);
  const sent = (what: string) => broker.output().match(new RegExp(`Received ${what} from`, 'g'))?.length ?? 0;
  await expect.poll(() => sent('UNSUBSCRIBE')).toBeGreaterThan(0);
  // An element added afterwards works, and is the only one left.
  await page.evaluate((name) => {
    const last = Object.assign(document.createElement('mqtt-value'), { topic: name });
    document.querySelector('mqtt-connection')?.append(last);
  }, topic);
  await publish(page, topic, 'last');
  await expect(page.locator('mqtt-value')).toHaveText('last');
  expect(await listeners()).toBe(before + 1);
  await expect.poll(() => alive('mqtt-value')).toBe(1);
  for (const tag of ['mqtt-feed', 'mqtt-chart', 'mqtt-publish']) await expect.poll(() => alive(tag)).toBe(0);
  // Only one subscription is left at the broker: a message to another topic has no subscriber.
  const code = await page.evaluate(async (name) => {
    const { client } = document.querySelector('mqtt-connection') ?? {};
    return (await client?.publish(`${name}/3`, 'x', { qos: 1 }))?.reasonCode;
  }, topic);
  expect(code).toBe(16);
  await broker.stop();
});
