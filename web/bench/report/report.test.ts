import { expect, test } from 'vitest';
import { chart } from './chart';
import { quantity, times } from './format';
import type { Line, Results } from './results';
import { markdown, table } from './table';
import { judge, type Target } from './targets';

const line = (id: string, values: Line['values'], better: Line['better'] = 'more'): Line => ({
  id,
  group: 'Receive',
  title: `title of ${id}`,
  unit: better === 'more' ? 'msg/s' : 'ms',
  better,
  values,
});

const results = (...lines: Line[]): Results => ({
  date: '2026-01-02',
  machine: 'a machine',
  browser: 'a browser',
  rounds: 3,
  lines,
  notes: ['something to know'],
});

test.each([
  [1234567, 'msg/s', '1.23M/s'],
  [39100, 'msg/s', '39.1k/s'],
  [999, 'msg/s', '999/s'],
  [0.123, 'ms', '0.12 ms'],
  [1234.5, 'ms', '1,235 ms'],
  [24.56, '%', '24.6 %'],
] as const)('%d %s is shown as %s', (value, unit, shown) => {
  expect(quantity(value, unit)).toBe(shown);
});

test('the table is aligned and has a rule that tells the alignment', () => {
  expect(
    table(
      ['', 'one'],
      [
        ['first', '1'],
        ['2nd', '20'],
      ],
    ),
  ).toEqual(['|       | one |', '| ----- | --: |', '| first |   1 |', '| 2nd   |  20 |']);
});

test('the report has medians, spread, and the ratios of the message listener', () => {
  const text = markdown(
    results(
      line('a', { bare: [100, 100, 120], mqttjs: [50, 50, 50], mqttwasm: [75], 'mqttwasm-batch': [90] }),
    ),
  );
  expect(text).toMatch(/title of a +\| +100\/s ±10 % .*\| +75\/s .*\| +0\.75× \| +1\.50× \|/);
  expect(text).toContain('- something to know');
  expect(text).toContain('Measured on 2026-01-02 with a browser on a machine; 3 rounds');
});

test('a contestant without a value has an empty cell, and there is no ratio to it', () => {
  const text = markdown(results(line('a', { mqttwasm: [75, 75] })));
  const cells = text
    .split('\n')
    .find((row) => row.includes('title of a'))
    ?.split('|');
  expect(cells?.map((cell) => cell.trim()).filter(Boolean)).toEqual(['title of a', '75/s ±0 %']);
});

const atLeast: Target = { title: 'fast', line: 'a', against: 'mqttjs', atLeast: 2 };
const atMost: Target = { title: 'slow', line: 'a', against: 'bare', atMost: 1.25 };
const flat: Target = { title: 'flat', line: 'b', against: { line: 'a' }, atMost: 1.1 };

test.each([
  [atLeast, { mqttjs: [50], mqttwasm: [100] }, 'met', times(2)],
  [atLeast, { mqttjs: [50], mqttwasm: [99] }, 'NOT met', times(1.98)],
  [atMost, { bare: [4], mqttwasm: [5] }, 'met', times(1.25)],
  [atMost, { bare: [4], mqttwasm: [6] }, 'NOT met', times(1.5)],
  [atMost, { mqttwasm: [6] }, 'not measured', ''],
] as const)('%j', (target, values, met, measured) => {
  const copy = Object.fromEntries(Object.entries(values).map(([name, numbers]) => [name, [...numbers]]));
  expect(judge(results(line('a', copy)), [target])).toEqual([expect.objectContaining({ met, measured })]);
});

test('a target against another line of our own', () => {
  const both = results(line('a', { mqttwasm: [10] }), line('b', { mqttwasm: [12] }));
  expect(judge(both, [flat])).toEqual([
    { title: 'flat: at most 1.10× title of a (10/s)', measured: '1.20×', met: 'NOT met' },
  ]);
});

test('the chart draws bars to scale, and names them', () => {
  const drawn = chart(
    results(line('receive-qos0-64-1', { bare: [200], mqttjs: [50], paho: [100], mqttwasm: [100] })),
  );
  const widths = [...drawn.matchAll(/<rect class="bar[^"]*" [^>]*width="([\d.]+)"/g)].map(([, width]) =>
    Number(width),
  );
  expect(widths).toHaveLength(4);
  const [bare = 0, mqttjs, paho, own] = widths;
  expect([mqttjs, paho, own]).toEqual([bare / 4, bare / 2, bare / 2]);
  expect(drawn).toContain('prefers-color-scheme: dark');
  expect(drawn).toContain('>MQTT.js</text>');
  expect(drawn.match(/class="bar own"/g)).toHaveLength(1);
});

test('there is no chart of nothing', () => {
  expect(chart(results())).toBe('');
});
