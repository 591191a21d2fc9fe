/** Arbitrary options give settings or a `bad-option` error that names the field, and nothing else. */

import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { MqttError } from '../errors';
import type { ConnectOptions } from '../types';
import { endCall, plainCall, publishCall, requestCall, subscribeSettings } from './calls';
import { connectSettings } from './options';

const anything = fc.oneof(
  fc.anything({
    withBigInt: true,
    withBoxedValues: true,
    withDate: true,
    withMap: true,
    withNullPrototype: true,
    withSet: true,
    withSparseArray: true,
    withTypedArray: true,
  }),
  fc.constantFrom<unknown>(
    Symbol('s'),
    () => {},
    class {},
    new URL('ws://a.test/'),
    new AbortController().signal,
  ),
  fc.constantFrom<unknown>(
    0,
    1,
    65_536,
    2 ** 32,
    Number.NaN,
    '',
    'a/b',
    'a/#',
    '\0',
    '\uD800',
    'ws://a.test/',
  ),
);

/** An object with some of these fields, valid or invalid. */
function some(fields: Record<string, fc.Arbitrary<unknown>>): fc.Arbitrary<unknown> {
  return fc.oneof({ weight: 3, arbitrary: fc.record(fields, { requiredKeys: [] }) }, anything);
}

function each(names: string[]): Record<string, fc.Arbitrary<unknown>> {
  return Object.fromEntries(names.map((name) => [name, anything]));
}

const address = { protocol: anything, host: anything, hostname: anything, port: anything, path: anything };
const publishProperties = each([
  'payloadFormatIndicator',
  'messageExpiryInterval',
  'topicAlias',
  'responseTopic',
  'correlationData',
  'userProperties',
  'contentType',
]);
const maybe = fc.oneof(fc.boolean(), anything);

const connectFields: Record<string, fc.Arbitrary<unknown>> = {
  ...address,
  url: anything,
  servers: fc.oneof(fc.array(some(address)), anything),
  transformWsUrl: anything,
  credentials: anything,
  clientId: anything,
  username: anything,
  password: anything,
  clean: maybe,
  keepalive: anything,
  connectTimeout: anything,
  reconnectPeriod: anything,
  maxReconnectPeriod: anything,
  reconnectOnConnackError: maybe,
  resubscribe: maybe,
  subscribeBatchSize: anything,
  sessionLost: fc.oneof(fc.constant('republish'), anything),
  offlineQueue: fc.oneof(maybe, some(each(['messages', 'bytes', 'policy']))),
  queueQoSZero: maybe,
  store: fc.oneof(fc.constant('indexeddb'), anything),
  autoAssignTopicAlias: maybe,
  protocolVersion: fc.oneof(fc.constant(5), anything),
  properties: some(
    each([
      'sessionExpiryInterval',
      'receiveMaximum',
      'maximumPacketSize',
      'topicAliasMaximum',
      'requestResponseInformation',
      'requestProblemInformation',
      'userProperties',
      'authenticationMethod',
      'authenticationData',
    ]),
  ),
  authenticate: anything,
  scram: some(each(['username', 'password'])),
  will: some({
    ...each(['topic', 'payload', 'qos', 'retain']),
    properties: some({ ...publishProperties, willDelayInterval: anything }),
  }),
  signal: anything,
  worker: maybe,
  shared: maybe,
  WebSocket: anything,
};

/** The invalid field; undefined if there was none. */
function wrong(check: () => unknown): string | undefined {
  try {
    check();
  } catch (error) {
    expect(error).toBeInstanceOf(MqttError);
    const { code, field, message } = error as MqttError;
    expect(code).toBe('bad-option');
    expect(message.startsWith(`${field}: `)).toBe(true);
    return field as string;
  }
  return undefined;
}

/** The top-level option of a path such as `servers[0].port`. */
const option = (path: string): string => /^\w+/.exec(path)?.[0] ?? '';

const base = { url: 'ws://broker.test/mqtt', clientId: 'me' };
/** Options that others require or interact with. */
const needs: Record<string, ConnectOptions> = {
  authenticate: { properties: { authenticationMethod: 'm' } },
};

test.each(Object.entries(connectFields))('connect option %s', (name, values) => {
  const { url, ...others } = base;
  const around = name in address ? { ...others, host: 'broker.test' } : base;
  fc.assert(
    fc.property(values, (value) => {
      fc.pre(value !== undefined);
      const options = { ...around, ...needs[name], [name]: value } as ConnectOptions;
      const field = wrong(() => connectSettings(options));
      if (field !== undefined) expect(option(field)).toBe(name);
    }),
    { numRuns: 500 },
  );
});

test('all connect options together; accepted ones can be posted to the worker', () => {
  fc.assert(
    fc.property(fc.record(connectFields, { requiredKeys: [] }), (options) => {
      const field = wrong(() => {
        structuredClone(connectSettings({ ...base, ...options } as ConnectOptions).boundary);
      });
      if (field !== undefined) expect(connectFields).toHaveProperty(option(field));
    }),
    { numRuns: 2000 },
  );
});

const limits = { timeout: anything, signal: anything };
const subscribeProperties = some(each(['subscriptionIdentifier', 'userProperties']));
const requestFields = { ...limits, qos: anything, properties: some(publishProperties) };

test.each<[string, (options: unknown) => unknown, Record<string, fc.Arbitrary<unknown>>]>([
  ['publish', publishCall, { ...requestFields, retain: maybe, waitFor: anything }],
  ['request', requestCall, requestFields],
  [
    'subscribe',
    subscribeSettings,
    {
      ...limits,
      ...each(['qos', 'nl', 'rap', 'rh', 'highWaterMark', 'highWaterMarkBytes']),
      properties: subscribeProperties,
    },
  ],
  ['call', plainCall, limits],
  [
    'end',
    endCall,
    {
      ...limits,
      ...each(['reasonCode', 'reasonString']),
      properties: some(each(['sessionExpiryInterval', 'userProperties'])),
    },
  ],
])('%s options', (_, check, fields) => {
  fc.assert(
    fc.property(some(fields), (options) => {
      const field = wrong(() => check(options));
      if (field !== undefined) expect({ ...fields, options }).toHaveProperty(option(field));
    }),
    { numRuns: 1000 },
  );
});
