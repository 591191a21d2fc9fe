import { afterEach, describe, expect, test, vi } from 'vitest';
import { fieldOf } from '../testing-errors';
import type { ConnectOptions } from '../types';
import { connectSettings } from './options';

const url = 'ws://127.0.0.1:8080/mqtt';

test.each<[string, unknown]>([
  ['url', 7],
  ['clientId', 7],
  ['clientId', 'a\0b'],
  ['username', {}],
  ['username', '\uD800'],
  ['password', 12345],
  ['password', 'x'.repeat(65_536)],
  ['clean', 'yes'],
  ['keepalive', -1],
  ['keepalive', 65_536],
  ['keepalive', 1.5],
  ['keepalive', '60'],
  ['connectTimeout', 0],
  ['connectTimeout', Number.POSITIVE_INFINITY],
  ['reconnectPeriod', -1],
  ['reconnectPeriod', 2 ** 31],
  ['maxReconnectPeriod', 0],
  ['maxReconnectPeriod', 999],
  ['reconnectOnConnackError', 1],
  ['servers', 'ws://broker.test/'],
  ['servers[1]', ['ws://a.test/', 7]],
  ['servers[0]', ['broker.test']],
  ['servers[0]', ['ws://me:secret@a.test/']],
  ['servers[1].port', ['ws://a.test/', { host: 'b.test', port: 0 }]],
  ['servers[0].protocol', [{ host: 'b.test', protocol: 'mqtt' }]],
  ['servers[0].url', [{ port: 1 }]],
  ['transformWsUrl', 'x'],
  ['credentials', { username: 'me' }],
  ['authenticate', true],
  ['scram', true],
  ['scram.username', { password: 'x' }],
  ['scram.username', { username: 7, password: 'x' }],
  ['scram.password', { username: 'x' }],
  ['scram.password', { username: 'x', password: new Uint8Array(1) }],
  ['offlineQueue', 1],
  ['offlineQueue', null],
  ['offlineQueue.messages', { messages: 0 }],
  ['offlineQueue.bytes', { bytes: 0.5 }],
  ['offlineQueue.policy', { policy: 'drop' }],
  ['queueQoSZero', 0],
  ['sessionLost', 'keep'],
  ['store', true],
  ['autoAssignTopicAlias', 8],
  ['shared', 'yes'],
  ['whenTabCloses', 'stay'],
  ['resubscribe', 1],
  ['subscribeBatchSize', 0],
  ['protocolVersion', 4],
  ['worker', 'no'],
  ['workerUrl', 7],
  ['workerUrl', ''],
  ['workerUrl', 'https://'],
  ['sharedWorkerUrl', {}],
  ['wasmUrl', true],
  ['wasmUrl', 'mqttwasm.wasm'], // relative, and there is no page to resolve it against
  ['WebSocket', {}],
  ['signal', {}],
  ['properties', 7],
  ['properties', null],
  ['properties.sessionExpiryInterval', 2 ** 32],
  ['properties.receiveMaximum', 0],
  ['properties.receiveMaximum', 65_536],
  ['properties.maximumPacketSize', 0],
  ['properties.topicAliasMaximum', 65_536],
  ['properties.requestResponseInformation', 1],
  ['properties.requestProblemInformation', 'x'],
  ['properties.userProperties', 'x'],
  ['properties.userProperties', { a: 7 }],
  ['properties.userProperties', [['a', 'b', 'c']]],
  ['properties.authenticationMethod', 7],
  ['properties.authenticationData', 7],
  ['properties.authenticationData', new Uint8Array(1)],
  ['will', 'x'],
  ['will.topic', undefined],
  ['will.topic', 'a/#'],
  ['will.payload', 7],
  ['will.payload', 'x'.repeat(65_536)],
  ['will.qos', 3],
  ['will.retain', 0],
  ['will.properties.willDelayInterval', -1],
  ['will.properties.responseTopic', 'a/+'],
])('connect option %s must not be %o', (field, value) => {
  const options: Record<string, unknown> = { url };
  // These are set as a whole.
  const path = /^(servers|scram|offlineQueue)/.exec(field)?.slice(1) ?? field.split('.');
  if (path[0] === 'will' && path.length > 1) options.will = { topic: 'gone' };
  let place = options;
  for (const key of path.slice(0, -1)) {
    place[key] ??= {};
    place = place[key] as Record<string, unknown>;
  }
  place[path.at(-1) as string] = value;
  expect(fieldOf(() => connectSettings(options as ConnectOptions))).toBe(field);
});

test.each([undefined, null, 7])('connect(%s) is a bad option', (options) => {
  expect(fieldOf(() => connectSettings(options as unknown as ConnectOptions))).toBe('options');
});

test('connect options are passed on as given, with a generated client identifier', () => {
  const password = new Uint8Array([1, 2]);
  const { boundary, worker } = connectSettings(url, {
    username: 'me',
    password,
    keepalive: 0,
    reconnectPeriod: 0,
    resubscribe: false,
    subscribeBatchSize: 100,
    protocolVersion: 5,
    properties: { sessionExpiryInterval: 0xffff_ffff, userProperties: { a: ['1', '2'], b: '3' } },
    will: { topic: 'gone', payload: '😀', properties: { willDelayInterval: 5, correlationData: 'x' } },
  });
  expect(boundary).toEqual({
    url,
    clientId: expect.stringMatching(/^mqttwasm_[\da-f]{12}$/),
    username: 'me',
    password,
    keepalive: 0,
    reconnectPeriod: 0,
    resubscribe: false,
    subscribeBatchSize: 100,
    properties: {
      sessionExpiryInterval: 0xffff_ffff,
      userProperties: [
        ['a', '1'],
        ['a', '2'],
        ['b', '3'],
      ],
    },
    will: {
      topic: 'gone',
      payload: new TextEncoder().encode('😀'),
      properties: { willDelayInterval: 5, correlationData: new Uint8Array([0x78]) },
    },
  });
  expect(boundary.password).not.toBe(password);
  expect(worker).toBe(true);
  expect(connectSettings(url).boundary.clientId).not.toBe(boundary.clientId);
});

describe('a WebSocket class', () => {
  const WebSocket = class {};
  afterEach(() => vi.unstubAllGlobals());

  test('is not supported in a worker', () => {
    vi.stubGlobal('Worker', class {});
    expect(fieldOf(() => connectSettings(url, { WebSocket }))).toBe('WebSocket');
    expect(() => connectSettings(url, { WebSocket })).toThrow('worker: false');
    expect(fieldOf(() => connectSettings(url, { WebSocket, shared: true }))).toBe('WebSocket');
    expect(connectSettings(url, { WebSocket, worker: false }).WebSocket).toBe(WebSocket);
  });

  test('is enough in Node versions without WebSocket', () => {
    vi.stubGlobal('Worker', undefined);
    expect(connectSettings(url, { WebSocket }).WebSocket).toBe(WebSocket);
  });
});

describe('servers', () => {
  const urls = (options: ConnectOptions) => {
    const { boundary } = connectSettings(options);
    return [boundary.url, ...(boundary.servers ?? [])];
  };

  test('replace the address, or follow it', () => {
    const servers = [
      'ws://a.test/mqtt',
      new URL('wss://b.test/'),
      { host: 'c.test', port: 8083, path: '/mqtt' },
      { protocol: 'wss' as const, hostname: 'd.test' },
    ];
    const all = ['ws://a.test/mqtt', 'wss://b.test/', 'ws://c.test:8083/mqtt', 'wss://d.test/'];
    expect(urls({ servers })).toEqual(all);
    expect(urls({ url, servers })).toEqual([url, ...all]);
    expect(urls({ host: 'first.test', servers })).toEqual(['ws://first.test/', ...all]);
    expect(urls({ url: 'wss://b.test', servers })).toEqual([all[1], all[0], all[2], all[3]]);
    expect(urls({ url, servers: [] })).toEqual([url]);
  });

  test('without a URL take protocol and path from the options, as in MQTT.js', () => {
    const servers = [{ host: 'a.test', port: 1 }, 'ws://b.test/own', { host: 'c.test', path: '/own' }];
    expect(urls({ servers, protocol: 'wss', path: '/mqtt' })).toEqual([
      'wss://a.test:1/mqtt',
      'ws://b.test/own',
      'wss://c.test/own',
    ]);
  });

  test.each([
    ['port', { port: 1, servers: [{ host: 'a.test' }] }],
    ['path', { path: '/x', servers: ['ws://a.test/'] }],
    ['protocol', { protocol: 'wss', servers: ['ws://a.test/'] }],
  ] as const)('a %s that applies to no server is refused', (field, options) => {
    expect(fieldOf(() => urls(options as never))).toBe(field);
  });

  test('share the credentials of the first address', () => {
    const servers = ['ws://me:secret@a.test/', 'ws://b.test/', 'ws://me:secret@c.test/'];
    expect(connectSettings({ servers }).boundary).toMatchObject({
      username: 'me',
      password: new TextEncoder().encode('secret'),
      servers: ['ws://b.test/', 'ws://c.test/'],
    });
    expect(fieldOf(() => connectSettings({ servers: [...servers, 'ws://you@d.test/'] }))).toBe('servers[3]');
    expect(fieldOf(() => connectSettings({ url, servers }))).toBe('servers[0]');
  });
});

test.each<[ConnectOptions, number | undefined]>([
  [{}, undefined],
  [{ reconnectPeriod: 30_000 }, undefined],
  [{ reconnectPeriod: 60_000 }, 60_000],
  [{ reconnectPeriod: 5, maxReconnectPeriod: 5 }, 5],
  [{ reconnectPeriod: 0, maxReconnectPeriod: 1 }, 1],
])('%o gives a maximum back-off step of %s', (options, expected) => {
  expect(connectSettings(url, options).boundary.maxReconnectPeriod).toBe(expected);
});

describe('authentication', () => {
  const authenticate = () => undefined;
  const method = { authenticationMethod: 'm' };
  const scram = { username: 'me', password: 'secret' };

  test.each<[string, ConnectOptions]>([
    ['properties.authenticationMethod', { authenticate }],
    [
      'properties.authenticationData',
      { authenticate, properties: { ...method, authenticationData: new Uint8Array() } },
    ],
    ['scram', { scram, authenticate, properties: method }],
    ['scram', { scram, properties: method }],
    ['scram', { scram, properties: { authenticationData: new Uint8Array() } }],
  ])('%s is refused in %o', (field, options) => {
    expect(fieldOf(() => connectSettings(url, options))).toBe(field);
  });

  test('functions are not posted to the worker', () => {
    const given = { authenticate, properties: method, credentials: () => ({}) };
    const { boundary, callbacks } = connectSettings(url, given);
    expect(() => structuredClone(boundary)).not.toThrow();
    expect(callbacks).toEqual({ authenticate, credentials: given.credentials });
  });

  test('transformWsUrl gets the options as given', () => {
    const given = { url, clientId: 'me', transformWsUrl: (...all: unknown[]) => JSON.stringify(all) };
    const { callbacks } = connectSettings(given);
    expect(callbacks.transformWsUrl?.('ws://a.test/')).toBe(
      JSON.stringify(['ws://a.test/', { url, clientId: 'me' }]),
    );
  });
});

test.each<[ConnectOptions, unknown]>([
  [{}, undefined],
  [{ offlineQueue: false, queueQoSZero: false }, undefined],
  [{ offlineQueue: true }, { offline: true }],
  [
    { offlineQueue: true, queueQoSZero: false },
    { offline: true, qos0: false },
  ],
  [
    { offlineQueue: { messages: 1, bytes: 2, policy: 'drop-oldest' } },
    { offline: true, messages: 1, bytes: 2, policy: 'drop-oldest' },
  ],
])('%o gives the queue %o', (options, queue) => {
  expect(connectSettings(url, options).boundary.queue).toEqual(queue);
});

describe('a store', () => {
  const store = 'indexeddb';
  const clientId = 'me';

  test('is named after the address and the client, and keeps the session', () => {
    const { boundary } = connectSettings('wss://u:p@broker.test/mqtt?signature=x', { store, clientId });
    expect(boundary).toMatchObject({
      store: 'mqttwasm ["wss://broker.test/mqtt","me"]',
      clean: false,
      sessionLost: 'republish',
      queue: { offline: true },
      properties: { sessionExpiryInterval: 86_400 },
    });
  });

  test('leaves explicit options unchanged', () => {
    const { boundary } = connectSettings(url, {
      store,
      clientId,
      clean: false,
      sessionLost: 'reject',
      offlineQueue: false,
      properties: { sessionExpiryInterval: 5, receiveMaximum: 7 },
    });
    expect(boundary).toMatchObject({
      clean: false,
      sessionLost: 'reject',
      properties: { sessionExpiryInterval: 5, receiveMaximum: 7 },
    });
    expect(boundary.queue).toBeUndefined();
  });

  test.each<[string, ConnectOptions]>([
    ['clientId', { store }],
    ['clientId', { store, clientId: '' }],
    ['clean', { store, clientId, clean: true }],
    ['properties.sessionExpiryInterval', { store, clientId, properties: { sessionExpiryInterval: 0 } }],
  ])('requires a different %s than in %o', (field, options) => {
    expect(fieldOf(() => connectSettings(url, options))).toBe(field);
  });
});

describe('shared', () => {
  test('does not include a generated client identifier, which would differ between tabs', () => {
    const { boundary, shared } = connectSettings(url, { shared: true });
    expect([boundary.clientId, shared]).toEqual([undefined, true]);
    expect(connectSettings(url, { shared: true, clientId: 'me' }).boundary.clientId).toBe('me');
    expect(connectSettings(url).shared).toBe(false);
  });

  test('needs a worker', () => {
    expect(fieldOf(() => connectSettings(url, { shared: true, worker: false }))).toBe('shared');
  });

  test('keeping messages of closed tabs is passed on, and requires shared', () => {
    const { boundary } = connectSettings(url, { shared: true, whenTabCloses: 'keep' });
    expect(boundary.whenTabCloses).toBe('keep');
    expect(fieldOf(() => connectSettings(url, { whenTabCloses: 'keep' }))).toBe('whenTabCloses');
  });
});

describe('the addresses of the worker and the wasm', () => {
  const page = { href: 'https://site.test/app/', origin: 'https://site.test' } as Location;
  const settings = (options: ConnectOptions) => connectSettings('wss://broker.test/', options, page);
  afterEach(() => {
    vi.unstubAllGlobals();
  });

  test('are resolved against the base of the page', () => {
    vi.stubGlobal('document', { baseURI: 'https://site.test/base/' });
    expect(settings({ workerUrl: 'w.js', wasmUrl: new URL('https://cdn.test/m.wasm?1') })).toMatchObject({
      workerUrl: 'https://site.test/base/w.js',
      wasmUrl: 'https://cdn.test/m.wasm?1',
    });
    expect(settings({})).not.toHaveProperty('workerUrl');
  });

  test('are not passed on to the program, only to the worker', () => {
    const { boundary } = settings({ workerUrl: 'https://cdn.test/w.js', wasmUrl: 'https://cdn.test/m.wasm' });
    expect(boundary).not.toHaveProperty('workerUrl');
    expect(boundary).not.toHaveProperty('wasmUrl');
  });

  test("with shared, require the shared worker's address, of the same origin", () => {
    const workerUrl = 'https://cdn.test/w.js';
    const shared = (options: ConnectOptions) => () => settings({ shared: true, ...options });
    expect(fieldOf(shared({ workerUrl }))).toBe('sharedWorkerUrl');
    expect(fieldOf(shared({ workerUrl, sharedWorkerUrl: 'https://cdn.test/s.js' }))).toBe('sharedWorkerUrl');
    expect(shared({ workerUrl, sharedWorkerUrl: 'https://site.test/s.js' })()).toMatchObject({ workerUrl });
  });
});
