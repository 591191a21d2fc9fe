import { expect, test } from 'vitest';
import { fieldOf } from '../testing-errors';
import { endCall, plainCall, publishCall, requestCall, subscribeSettings } from './calls';

test.each<[string, unknown]>([
  ['qos', 3],
  ['qos', '1'],
  ['retain', 1],
  ['timeout', -1],
  ['signal', 'x'],
  ['properties.payloadFormatIndicator', 1],
  ['properties.messageExpiryInterval', -1],
  ['properties.topicAlias', 0],
  ['properties.responseTopic', '#'],
  ['properties.correlationData', 7],
  ['properties.contentType', 7],
  ['properties.userProperties', [7]],
  ['waitFor', 'sent'],
  ['waitFor', 'stored'],
])('publish option %s must not be %o', (field, value) => {
  const [first, second] = field.split('.') as [string, string?];
  expect(fieldOf(() => publishCall({ [first]: second ? { [second]: value } : value }))).toBe(field);
});

test('waitFor stored needs a store, and QoS 1 or 2', () => {
  const stored = { qos: 1, waitFor: 'stored' };
  expect(publishCall(stored, { store: 'name' })).toEqual({ ...stored, timeout: 30_000 });
  expect(fieldOf(() => publishCall(stored))).toBe('waitFor');
  expect(fieldOf(() => publishCall({ waitFor: 'stored' }, { store: 'name' }))).toBe('waitFor');
});

test('only one side may choose topic aliases', () => {
  const own = { properties: { topicAlias: 1 } };
  for (const call of [publishCall, requestCall]) {
    expect(call(own)).toMatchObject(own);
    expect(call({}, { autoAssignTopicAlias: true })).toEqual({ timeout: 30_000 });
    expect(fieldOf(() => call(own, { autoAssignTopicAlias: true }))).toBe('properties.topicAlias');
  }
});

test('a publish is queued with an offline queue, a request is not', () => {
  const session = { queue: { offline: true } };
  expect(publishCall({}, session)).toEqual({ timeout: 0 });
  expect(publishCall({ timeout: 5 }, session)).toEqual({ timeout: 5 });
  expect(requestCall({}, session)).toEqual({ timeout: 30_000 });
});

test.each<[string, unknown]>([
  ['qos', 3],
  ['nl', 1],
  ['rap', 'x'],
  ['rh', 3],
  ['highWaterMark', 0],
  ['highWaterMarkBytes', 0],
  ['properties.subscriptionIdentifier', 0],
  ['properties.subscriptionIdentifier', 268_435_456],
])('subscribe option %s must not be %o', (field, value) => {
  const [first, second] = field.split('.') as [string, string?];
  expect(fieldOf(() => subscribeSettings({ [first]: second ? { [second]: value } : value }))).toBe(field);
});

test.each<[string, unknown]>([
  ['reasonCode', 256],
  ['reasonString', 7],
  ['properties.sessionExpiryInterval', -1],
])('end option %s must not be %o', (field, value) => {
  const [first, second] = field.split('.') as [string, string?];
  expect(fieldOf(() => endCall({ [first]: second ? { [second]: value } : value }))).toBe(field);
});

test('a call has a default timeout of 30 seconds', () => {
  expect(plainCall()).toEqual({ timeout: 30_000 });
  expect(publishCall({ timeout: 0, qos: 1 })).toEqual({ timeout: 0, qos: 1 });
});
