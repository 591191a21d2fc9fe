// Charting numbers: from wherever they are shown, with the history that is kept, and on a scale that suits
// them.

import { encode as encodeMessagePack } from '@msgpack/msgpack';
import type { Page } from '@playwright/test';
import { encode as encodeCbor } from 'cborg';
import { violationsOf } from './support/axe';
import { expect, test } from './support/fixtures';
import { inBothSchemes, openRow, showView } from './support/page';

function chartOf(page: Page) {
  const details = page.getByRole('region', { name: 'Message details' });
  const charts = page.getByRole('region', { name: 'Charts' });
  return {
    details,
    charts,
    said: charts.getByRole('img'),
    plots: charts.locator('canvas'),
    range: charts.getByRole('group', { name: 'Time range' }),
    open: (number: number) => openRow(page, number).click(),
    pin: (path: string) => details.getByRole('button', { name: `Chart ${path}:` }),
  };
}

test('a nested value is charted with 2 clicks from a row, with its history', async ({
  page,
  parts,
  elsewhere,
  own,
}) => {
  const chart = chartOf(page);
  const topic = `${own}/pump`;
  elsewhere.publish(
    topic,
    Array.from({ length: 60 }, (_, n) => `{"pump":{"litres":${n},"on":true},"name":"P"}`),
  );
  await expect(parts.rows.first()).toBeVisible();
  await expect(parts.count('Received')).toHaveText('60');
  await page.evaluate(() => {
    document.documentElement.dataset.clicks = '0';
    addEventListener('click', () => {
      const { dataset } = document.documentElement;
      dataset.clicks = String(Number(dataset.clicks) + 1);
    });
  });
  await chart.open(60);
  await chart.pin('pump.litres').click();
  await expect(chart.details.getByText('On the chart', { exact: true })).toBeVisible();
  await expect(page.locator('html')).toHaveAttribute('data-clicks', '2');
  await showView(page, 'Topics');
  // More than a topic's history keeps.
  await expect(chart.said).toHaveAccessibleName(`${topic} · pump.litres: 60 values, 0 to 59, last 59`);
  elsewhere.publish(topic, ['{"pump":{"litres":-1}}']);
  await expect(chart.said).toHaveAccessibleName(/61 values, -1 to 59, last -1/);
});

test('two values from deep in one message are told apart by the ends of their paths', async ({
  page,
  parts,
  elsewhere,
  own,
}) => {
  await page.setViewportSize({ width: 1440, height: 900 });
  const chart = chartOf(page);
  const paths = ['Temperature', 'Pressure'].map((name) => `Messages[0].Payload.Spindle.${name}.Value`);
  elsewhere.publish(`${own}/data/WriterGroup1`, [
    '{"Messages":[{"Payload":{"Spindle":{"Temperature":{"Value":21},"Pressure":{"Value":4}}}}]}',
  ]);
  await expect(parts.rows).toHaveCount(1);
  await chart.open(1);
  for (const path of paths) await chart.pin(path).click();
  for (const path of paths) {
    const line = chart.charts.getByRole('listitem').filter({ hasText: path });
    const shown = await line.locator('.chart-name').evaluate((name, text) => {
      const walk = document.createTreeWalker(name, NodeFilter.SHOW_TEXT);
      const range = document.createRange();
      const { left, right } = name.getBoundingClientRect();
      while (walk.nextNode()) {
        const at = walk.currentNode.nodeValue?.indexOf(text) ?? -1;
        if (at < 0) continue;
        range.setStart(walk.currentNode, at);
        range.setEnd(walk.currentNode, at + text.length);
        const box = range.getBoundingClientRect();
        return box.left >= left && box.right <= right + 0.5;
      }
      return undefined;
    }, path.split('.').slice(-2).join('.'));
    expect(shown, path).toBe(true);
    await expect(line.locator('.chart-name')).toContainText('WriterGroup1 · ');
  }
});

test('values in binary formats chart like JSON; lines of the same name share a plot, and can be removed', async ({
  page,
  parts,
  elsewhere,
  own,
}) => {
  const chart = chartOf(page);
  const formats: [name: string, encode: (value: unknown) => string | Uint8Array][] = [
    ['json', JSON.stringify],
    ['cbor', encodeCbor],
    ['msgpack', encodeMessagePack],
  ];
  for (const [name, encode] of formats) {
    for (const n of [1, 2]) {
      elsewhere.publish(`${own}/${name}`, [
        encode({ kind: name, temperature: 20 + n, pressure: 101_000 + n }),
      ]);
    }
  }
  elsewhere.publish(`${own}/level`, ['7.5']);
  await expect(parts.rows).toHaveCount(7);
  for (const number of [2, 4, 6]) {
    await chart.open(number);
    await chart.pin('temperature').click();
    await expect(chart.details.getByText('On the chart', { exact: true })).toBeVisible();
  }
  await chart.pin('temperature').click();
  await expect(chart.details.getByText('Already on the chart')).toBeVisible();
  // By keyboard: arrow keys move between numbers.
  await chart.pin('temperature').press('ArrowDown');
  await expect(chart.pin('pressure')).toBeFocused();
  await page.keyboard.press('Enter');
  await expect(chart.details.getByText('On the chart', { exact: true })).toBeVisible();
  await chart.open(7);
  await chart.pin('value').click();

  await showView(page, 'Topics');
  const temperatures = ['json', 'cbor', 'msgpack'].map((name) => `${own}/${name} · temperature`);
  for (const line of temperatures) {
    await expect(chart.said).toHaveAccessibleName(new RegExp(`${line}: 2 values, 21 to 22, last 22`));
  }
  await expect(chart.said).toHaveAccessibleName(/msgpack · pressure: 2 values, 101,001 to 101,002/);
  await expect(chart.plots).toHaveCount(3);
  await expect(chart.charts.getByRole('list', { name: 'temperature' }).getByRole('listitem')).toHaveCount(3);
  elsewhere.publish(`${own}/cbor`, [encodeCbor({ temperature: 30.25 })]);
  await expect(chart.said).toHaveAccessibleName(/cbor · temperature: 3 values, 21 to 30.25, last 30.25/);

  await inBothSchemes(page, async (scheme) => {
    expect(await violationsOf(page, { within: '.charts', scheme }), scheme).toEqual([]);
  });

  // The range stays selected across a change of view.
  await expect(chart.range.getByRole('button', { pressed: true })).toHaveText('All');
  await chart.range.getByRole('button', { name: '5 min', exact: true }).click();
  await showView(page, 'Messages');
  await showView(page, 'Topics');
  await expect(chart.range.getByRole('button', { pressed: true })).toHaveText('5 min');
  const fold = chart.charts.getByRole('button', { name: 'Charts' });
  await fold.click();
  await expect(chart.plots).toHaveCount(0);
  await fold.click();
  for (const line of [...temperatures, `${own}/msgpack · pressure`, `${own}/level`]) {
    await expect(chart.charts).toBeVisible();
    await chart.charts.getByRole('button', { name: `Remove ${line} from the chart` }).click();
  }
  await expect(chart.charts).toHaveCount(0);
});

test('the details of numbers have no axe violations', async ({ page, parts, elsewhere, own }) => {
  const chart = chartOf(page);
  elsewhere.publish(`${own}/many`, ['{"a":1,"b":2,"c":[3,4,5],"d":"text"}']);
  await expect(parts.rows).toHaveCount(1);
  await chart.open(1);
  await expect(chart.pin('c[2]')).toHaveText('5');
  await inBothSchemes(page, async (scheme) => {
    expect(await violationsOf(page, { within: '.payload', scheme }), scheme).toEqual([]);
  });
});

test('large, tiny and long numbers are readable and leave room for the button that removes the line', async ({
  page,
  parts,
  elsewhere,
  own,
}) => {
  const chart = chartOf(page);
  await page.evaluate(() => {
    const { fillText } = CanvasRenderingContext2D.prototype;
    const cut = new Set<string>();
    const written = new Set<string>();
    CanvasRenderingContext2D.prototype.fillText = function (text, x, y) {
      const { actualBoundingBoxLeft } = this.measureText(text);
      written.add(text);
      document.documentElement.dataset.written = [...written].join(' ');
      if (x - actualBoundingBoxLeft < 0) cut.add(text);
      else cut.delete(text);
      document.documentElement.dataset.cut = [...cut].join(' ');
      fillText.call(this, text, x, y);
    };
  });
  const topics = [
    ['time', '1796025056272', '1796025056472'],
    ['energy', '123456789012', '123456799512'],
    ['unset', '3.4028235e38', '3.4028234e38'],
    ['tiny', '1.5e-300', '3e-300'],
    ['most', '-1.7e308', '1.7e308'],
  ] as const;
  for (const [index, [name, ...values]] of topics.entries()) {
    elsewhere.publish(`${own}/${name}`, [...values]);
    await expect(parts.count('Received')).toHaveText(String(2 * index + 2));
    await chart.open(2 * index + 2);
    await chart.pin('value').click();
    await expect(chart.plots).toHaveCount(index + 1);
  }
  for (const [name, written] of [
    ['time', '1,796,025,056,272 to 1,796,025,056,472'],
    ['energy', '123,456,789,012 to 123,456,799,512'],
    ['unset', '3.4028234e+38 to 3.4028235e+38'],
    ['tiny', '1.5e-300 to 3e-300'],
    ['most', '-1.7e+308 to 1.7e+308'],
  ]) {
    await expect(chart.said).toHaveAccessibleName(
      new RegExp(`/${name}: 2 values, ${written}`.replaceAll('+', '\\+')),
    );
  }
  await expect(page.locator('html')).toHaveAttribute('data-written', / 2e\+308/);
  await expect(page.locator('html')).toHaveAttribute('data-cut', '');
  await chart.charts.getByRole('button', { name: `Remove ${own}/tiny from the chart` }).click();
  await expect(chart.plots).toHaveCount(4);
});
