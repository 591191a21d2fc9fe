import { expect, test } from 'vitest';
import { MqttError } from './errors';
import { matches, topicFilter, topicName } from './topics';

// The examples of MQTT 5, 4.7.1 to 4.7.3 and 4.8.2, and the corners between them.
test.each([
  ['sport/tennis/player1', 'sport/tennis/player1', true],
  ['sport/tennis/player1', 'sport/tennis', false],
  ['sport/tennis/player1/#', 'sport/tennis/player1', true],
  ['sport/tennis/player1/#', 'sport/tennis/player1/ranking', true],
  ['sport/tennis/player1/#', 'sport/tennis/player1/score/wimbledon', true],
  ['sport/tennis/player1/#', 'sport/tennis/player10', false],
  ['sport/#', 'sport', true],
  ['sport/#', 'sports', false],
  ['#', 'anything/at/all', true],
  ['#', '/', true],
  ['sport/tennis/+', 'sport/tennis/player1', true],
  ['sport/tennis/+', 'sport/tennis/player1/ranking', false],
  ['sport/+', 'sport', false],
  ['sport/+', 'sport/', true],
  ['+', 'sport', true],
  ['+', '/finance', false],
  ['+/+', '/finance', true],
  ['/+', '/finance', true],
  ['+/tennis/#', 'sport/tennis/x', true],
  ['+/tennis/#', 'sport/tennis', true],
  ['+/tennis/#', 'sport', false],
  ['ACCOUNTS', 'Accounts', false],
  ['finance', '/finance', false],
  ['a//b', 'a//b', true],
  ['a/+/b', 'a//b', true],
  ['#', '$SYS/uptime', false],
  ['+/monitor/Clients', '$SYS/monitor/Clients', false],
  ['+/#', '$SYS', false],
  ['$SYS/#', '$SYS/', true],
  ['$SYS/#', '$SYS/broker/uptime', true],
  ['$SYS/monitor/+', '$SYS/monitor/Clients', true],
  ['sport/+/$x', 'sport/a/$x', true],
  ['$share/consumer1/sport/tennis/+', 'sport/tennis/x', true],
  ['$share/consumer2/sport/#', 'sport', true],
  ['$share/consumer2//finance', '/finance', true],
  ['$share/consumer2/#', '$SYS/uptime', false],
])('filter %s, topic %s: %s', (filter, topic, expected) => {
  expect(matches(filter, topic)).toBe(expected);
});

function problem(check: () => unknown): string {
  try {
    check();
  } catch (error) {
    expect(error).toBeInstanceOf(MqttError);
    expect(error).toMatchObject({ code: 'bad-option', field: 'here' });
    return (error as MqttError).message;
  }
  return 'none';
}

test.each([
  'a',
  '/',
  '/finance',
  'a//b',
  'Accounts payable',
  '$SYS/x',
  '中文/😀',
  '\uFEFF',
  'a'.repeat(65_535),
])('topic %# is valid', (topic) => {
  expect(problem(() => topicName(topic, 'here'))).toBe('none');
  expect(problem(() => topicFilter(topic, 'here'))).toBe('none');
});

test.each([
  ['', /empty/],
  ['a\0b', /U\+0000/],
  ['\uD800', /surrogate/],
  ['\uDC00\uD800', /surrogate/],
  ['a'.repeat(65_536), /65,535/],
  ['的'.repeat(21_846), /65,535/],
  [7, /must be a string, not 7/],
  [undefined, /must be a string, not undefined/],
])('%# is neither topic nor filter', (given, expected) => {
  expect(problem(() => topicName(given, 'here'))).toMatch(expected);
  expect(problem(() => topicFilter(given, 'here'))).toMatch(expected);
});

test.each(['a/+', '+', '#', 'a#', 'a+b'])('%s is no topic to publish to', (topic) => {
  expect(problem(() => topicName(topic, 'here'))).toMatch(/wildcards/);
});

test.each([
  '#',
  '+',
  'a/#',
  '+/tennis/#',
  'sport/+/player1',
  '$share/g/#',
  '$share/g//',
  '$share/g/a',
  '$shared/x',
])('filter %s is valid', (filter) => {
  expect(problem(() => topicFilter(filter, 'here'))).toBe('none');
});

test.each([
  ['a/#/b', /last level/],
  ['sport/tennis#', /last level/],
  ['##', /last level/],
  ['sport+', /alone/],
  ['a/+b/c', /alone/],
  ['$share', /\$share\/name\/filter/],
  ['$share/', /\$share\/name\/filter/],
  ['$share/g', /\$share\/name\/filter/],
  ['$share/g/', /\$share\/name\/filter/],
  ['$share//a', /\$share\/name\/filter/],
  ['$share/+/a', /share name/],
  ['$share/g#/a', /share name/],
  ['$share/g/a/#/b', /last level/],
])('filter %s is refused', (filter, expected) => {
  expect(problem(() => topicFilter(filter, 'here'))).toMatch(expected);
});
