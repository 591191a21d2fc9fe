import { describe, expect, test } from 'vitest';
import { limits } from '../../core/limits';
import { createGauges } from './gauges';
import { numberOf, secondsOf } from './measures';

const encoder = new TextEncoder();

function gaugesWith(prefix: string, values: Record<string, string>) {
  const made = createGauges();
  const put = (news: Record<string, string>) => {
    for (const [path, value] of Object.entries(news)) made.put(`${prefix}${path}`, encoder.encode(value));
  };
  put(values);
  const shown = () =>
    Object.fromEntries(made.gauges().map(({ measure, text, value }) => [measure.label, text ?? value]));
  return { ...made, put, shown };
}

test('mosquitto', () => {
  const { shown, put, sample } = gaugesWith('$SYS/broker/', {
    version: 'mosquitto version 2.0.11',
    uptime: '100 seconds',
    'clients/connected': '3',
    'clients/total': '5',
    'messages/received': '100',
    'load/messages/received/1min': '7.5',
    'bytes/sent': '1000',
    'subscriptions/count': '9',
    'retained messages/count': '47',
    'heap/current': '65536',
  });
  sample(1000);
  put({ uptime: '110 seconds', 'messages/received': '150' });
  sample(2000);
  expect(shown()).toEqual({
    Version: 'mosquitto version 2.0.11',
    Uptime: 110,
    'Clients connected': 3,
    'Clients in all': 5,
    'Messages in': 5, // by the broker's own clock
    'Bytes out': 0,
    Subscriptions: 9,
    'Retained messages': 47,
    Heap: 65_536,
  });
});

test('mochi', () => {
  const { shown } = gaugesWith('$SYS/broker/', {
    uptime: '61',
    'load/bytes/received': '5',
    retained: '2',
    subscriptions: '1',
    'system/memory': '7',
  });
  expect(shown()).toEqual({
    Uptime: 61,
    'Bytes in': undefined,
    Subscriptions: 1,
    'Retained messages': 2,
    Heap: 7,
  });
});

test('EMQX', () => {
  const { shown } = gaugesWith('$SYS/brokers/emqx@host/', {
    uptime: '60000',
    'stats/live_connections/count': '3',
    'stats/connections/count': '8',
  });
  expect(shown()).toEqual({ Uptime: 60, 'Clients connected': 3 });
});

test('values of cluster nodes are added up', () => {
  const made = createGauges();
  made.put('$SYS/brokers/a/stats/retained/count', encoder.encode('3'));
  made.put('$SYS/brokers/b/stats/retained/count', encoder.encode('4'));
  expect(made.gauges().map(({ value }) => value)).toEqual([7]);
});

test('an unknown broker has a table, but no figures', () => {
  const { gauges, rows } = gaugesWith('$SYS/node1/', { 'mqtt/connect/received': '3', other: 'Some Text' });
  expect(gauges()).toEqual([]);
  expect(rows('some').shown.map(([, ...drawn]) => drawn)).toEqual([['$SYS/node1/other', 'Some Text']]);
  expect(rows('').shown.map(([topic]) => topic)).toEqual([
    '$SYS/node1/mqtt/connect/received',
    '$SYS/node1/other',
  ]);
});

test('rates over time; a counter that restarts gives no negative rate', () => {
  const { put, sample, gauges } = gaugesWith('$SYS/broker/', { 'clients/total': '1', 'messages/sent': '50' });
  sample(1000);
  put({ 'clients/total': '2', 'messages/sent': '60' });
  sample(3000);
  put({ 'messages/sent': '4' });
  sample(5000);
  put({ 'messages/sent': '8' });
  sample(7000);
  const [clients, messages] = gauges();
  expect(clients?.points).toEqual([
    [1000, 1],
    [3000, 2],
    [5000, 2],
    [7000, 2],
  ]);
  expect(messages?.points).toEqual([
    [3000, 5],
    [7000, 2],
  ]);
});

test('the number of topics kept is bounded', () => {
  const made = createGauges();
  for (let n = 0; n < limits.sys.topics + 5; n++)
    made.put(`$SYS/brokers/a/clients/${n}/connected`, encoder.encode('{}'));
  expect([made.size, made.beyond]).toEqual([limits.sys.topics, 5]);
});

test('topics of 64 KiB count by size, and are truncated when rendered', () => {
  const made = createGauges();
  const topic = (n: number) => `$SYS/broker/${n}/${'x'.repeat(65_000)}`;
  for (let n = 0; n < 1000; n++) made.put(topic(n), encoder.encode('y'.repeat(5000)));
  expect(made.size * 2 * topic(0).length).toBeLessThanOrEqual(limits.sys.bytes);
  expect(made.size + made.beyond).toBe(1000);
  for (const [, name, value] of made.rows('').shown) {
    expect(name.length).toBeLessThanOrEqual(limits.sys.text + 1);
    expect(value.length).toBeLessThanOrEqual(limits.sys.text + 1);
  }
  made.put(topic(0), encoder.encode('new'));
  expect(made.rows('NEW').found).toBe(1);
});

test('only the first of countless rows are rendered', () => {
  const made = createGauges();
  for (let n = 0; n < 1000; n++) made.put(`$SYS/broker/${n}`, encoder.encode('1'));
  expect(made.rows('').found).toBe(1000);
  expect(made.rows('').shown).toHaveLength(limits.sys.rows);
});

describe('values', () => {
  test.each([
    ['123 seconds', '', 123],
    ['123', '', 123],
    ['60000', 'emqx@host', 60],
    ['1 days, 2 hours, 3 minutes, 4 seconds', 'emqx@host', 93_784],
    ['soon', '', undefined],
  ])('uptime %s', (text, node, seconds) => expect(secondsOf(text, node)).toBe(seconds));

  test.each([
    ['12', 12],
    ['1.5', 1.5],
    ['', undefined],
    ['0x10', undefined],
    ['NaN', undefined],
  ])('number %s', (text, value) => expect(numberOf(text)).toBe(value));
});
