import { expect, test } from 'vitest';
import { matches } from './topic-filter';

// The examples of MQTT 5, 4.7.1 to 4.7.3 and 4.8.2, and further edge cases.
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
