import { expect, test } from 'vitest';
import { MqttError } from '../errors';
import { topicFilter, topicName } from './topics';

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
])('%# is neither a topic nor a filter', (given, expected) => {
  expect(problem(() => topicName(given, 'here'))).toMatch(expected);
  expect(problem(() => topicFilter(given, 'here'))).toMatch(expected);
});

test.each(['a/+', '+', '#', 'a#', 'a+b'])('%s is not a valid topic name', (topic) => {
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
