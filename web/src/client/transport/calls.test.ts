import { describe, expect, test, vi } from 'vitest';
import type { ClientEvent } from '../../protocol/boundary';
import { MqttError } from '../errors';
import { options, page, silent } from './testing-calls';

test('calls are posted with their id, options and payload, and resolve with their results', async () => {
  const { posted, transferred, receive, called, connected } = page();
  const { link, client } = await connected();
  const payload = new Uint8Array(20_000);
  const properties = { contentType: 'c' };
  const first = link.publish('a', payload, { qos: 1, properties, timeout: 5 });
  const second = link.subscribe([{ topic: 'b', qos: 0 }]);
  expect(posted.slice(1)).toEqual([
    {
      type: 'call',
      id: 2,
      client,
      method: 'publish',
      args: ['a', payload, { qos: 1, properties }],
      timeout: 5,
      abortable: false,
    },
    {
      type: 'call',
      id: 3,
      client,
      method: 'subscribe',
      args: [[{ topic: 'b', qos: 0 }], {}],
      abortable: false,
    },
  ]);
  expect(transferred[1]).toEqual([payload.buffer]);
  receive({ type: 'result', id: called('subscribe').id, value: { reasonCodes: [0] } });
  receive({ type: 'result', id: called('publish').id, value: { reasonCode: 16 } });
  expect(await first).toEqual({ reasonCode: 16 });
  expect(await second).toEqual({ reasonCodes: [0] });
});

test('a rejection becomes an MqttError', async () => {
  const { receive, called, connected } = page();
  const { link } = await connected();
  const call = link.unsubscribe(['a']);
  receive({
    type: 'rejected',
    id: called('unsubscribe').id,
    error: { code: 'timeout', message: 'no answer', field: 'f' },
  });
  await expect(call).rejects.toMatchObject({ name: 'MqttError', code: 'timeout', field: 'f' });
});

test('neither callbacks nor the signal are posted', async () => {
  const { boundary, last, receive } = page();
  const { signal } = new AbortController();
  const environment = { WebSocket: class {}, openStore: () => Promise.reject(new Error('not here')) };
  const connecting = boundary.connect({ ...options, ...silent, signal, ...environment });
  const sent = last('connect');
  expect(() => structuredClone(sent)).not.toThrow();
  expect(sent).toMatchObject({ options, abortable: true });
  receive({ type: 'result', id: sent.id, value: undefined });
  await connecting;
});

test('a request transfers its payload, and resolves with the bytes of the response', async () => {
  const { transferred, receive, called, connected } = page();
  const { link, client } = await connected();
  const payload = new Uint8Array([1]);
  const call = link.request('a', payload, { qos: 1, timeout: 5 });
  const { id, ...sent } = called('request');
  expect(sent).toEqual({
    type: 'call',
    client,
    method: 'request',
    args: ['a', payload, { qos: 1 }],
    timeout: 5,
    abortable: false,
  });
  expect(transferred.at(-1)).toEqual([payload.buffer]);
  const value = new ArrayBuffer(4);
  receive({ type: 'result', id, value });
  expect(await call).toBe(value);
});

test.each(['reauthenticate', 'suspend', 'resume', 'wake'] as const)(
  '%s is posted with its limits',
  async (type) => {
    const { receive, called, connected } = page();
    const { link, client } = await connected();
    const call = link[type]({ timeout: 5 });
    const { id, ...sent } = called(type);
    expect(sent).toEqual({ type: 'call', client, method: type, args: [{}], timeout: 5, abortable: false });
    receive({ type: 'result', id, value: undefined });
    expect(await call).toBeUndefined();
  },
);

test('ping and tellPackets are posted', async () => {
  const { receive, called, connected } = page();
  const { link, client } = await connected();
  const ping = link.ping({ timeout: 5 });
  const { id, ...sent } = called('ping');
  expect(sent).toEqual({ type: 'call', client, method: 'ping', args: [{}], timeout: 5, abortable: false });
  receive({ type: 'result', id, value: 1.5 });
  expect(await ping).toBe(1.5);
  const telling = link.tellPackets({ on: true });
  const { id: second, ...told } = called('tellPackets');
  expect(told).toEqual({
    type: 'call',
    client,
    method: 'tellPackets',
    args: [{ on: true }],
    abortable: false,
  });
  receive({ type: 'result', id: second, value: undefined });
  expect(await telling).toBeUndefined();
});

describe('callbacks', () => {
  const info = { url: options.url, attempt: 1 };
  const step = { phase: 'start', method: 'm' } as const;

  test('are announced if the client has them', async () => {
    const { last, connected } = page();
    await connected();
    expect(last('connect').asks).toEqual([]);
    await connected({ onAttempt: async () => undefined, onAuthenticate: async () => undefined });
    expect(last('connect').asks).toEqual(['attempt', 'authenticate']);
  });

  test("get the client's result", async () => {
    const onAttempt = vi.fn(async () => ({ url: 'ws://other.test/' }));
    const onAuthenticate = vi.fn(async () => undefined);
    const { receive, posted, connected } = page();
    const { client } = await connected({ onAttempt, onAuthenticate });
    receive({ type: 'ask', id: 7, client, question: { kind: 'attempt', info } });
    receive({ type: 'ask', id: 8, client, question: { kind: 'authenticate', step } });
    await vi.waitFor(() =>
      expect(posted.slice(1)).toEqual([
        { type: 'answer', id: 7, value: { url: 'ws://other.test/' } },
        { type: 'answer', id: 8 },
      ]),
    );
    expect(onAttempt).toHaveBeenCalledWith(info);
    expect(onAuthenticate).toHaveBeenCalledWith(step);
  });

  test.each([
    [
      new MqttError('bad-option', 'credentials: no', { field: 'credentials', cause: 'not to cross' }),
      { code: 'bad-option', message: 'credentials: no', field: 'credentials' },
    ],
    ['what', { code: 'aborted', message: 'what' }],
  ])('that fail return the error as plain data (%s)', async (thrown, error) => {
    const { receive, last, connected } = page();
    const { client } = await connected({ onAttempt: () => Promise.reject(thrown) });
    receive({ type: 'ask', id: 7, client, question: { kind: 'attempt', info } });
    await vi.waitFor(() => expect(last('answer')).toEqual({ type: 'answer', id: 7, error }));
  });

  test('reach a client while it connects', async () => {
    const { boundary, receive, last } = page();
    void boundary.connect({ ...options, ...silent, onAttempt: async () => ({ username: 'me' }) });
    const { client } = last('connect');
    receive({ type: 'ask', id: 1, client, question: { kind: 'attempt', info } });
    await vi.waitFor(() => expect(last('answer').value).toEqual({ username: 'me' }));
  });
});

test('abort rejects at once, tells the worker, and ignores a late reply', async () => {
  const { receive, posted, last, connected, called } = page();
  const { link } = await connected();
  const controller = new AbortController();
  const call = link.publish('a', new Uint8Array(), { signal: controller.signal });
  const { id } = called('publish');
  controller.abort();
  await expect(call).rejects.toMatchObject({
    name: 'MqttError',
    code: 'aborted',
    cause: controller.signal.reason,
  });
  expect(last('abort').id).toBe(id);
  receive({ type: 'result', id, value: { reasonCode: 0 } });
  controller.abort();
  expect(posted.filter((message) => message.type === 'abort')).toHaveLength(1);
});

test.each([
  ['a word', 'enough'],
  ['an error', new Error('the user left')],
  ['nothing but null', null],
  ['what AbortSignal.timeout gives', new DOMException('late', 'TimeoutError')],
])('a custom abort reason rejects the call: %s', async (_, reason) => {
  const { connected } = page();
  const { link } = await connected();
  const controller = new AbortController();
  const call = link.publish('a', new Uint8Array(), { signal: controller.signal });
  controller.abort(reason);
  await expect(call).rejects.toBe(reason);
  await expect(link.ping({ signal: controller.signal })).rejects.toBe(reason);
});

test('a signal that has already fired rejects without posting', async () => {
  const { posted, connected } = page();
  const { link } = await connected();
  const before = posted.length;
  await expect(link.disconnect({ signal: AbortSignal.abort() })).rejects.toMatchObject({ code: 'aborted' });
  expect(posted).toHaveLength(before);
});

test('a settled call no longer listens to its signal', async () => {
  const { receive, posted, called, connected } = page();
  const { link } = await connected();
  const controller = new AbortController();
  const call = link.publish('a', new Uint8Array(), { signal: controller.signal });
  receive({ type: 'result', id: called('publish').id, value: { reasonCode: 0 } });
  await call;
  controller.abort();
  expect(posted.some((message) => message.type === 'abort')).toBe(false);
});

test('a connection made after its connect was aborted is closed', async () => {
  const { boundary, receive, last, called } = page();
  const controller = new AbortController();
  const call = boundary.connect({ ...options, ...silent, signal: controller.signal });
  const { id, client } = last('connect');
  controller.abort();
  await expect(call).rejects.toMatchObject({ code: 'aborted' });
  receive({ type: 'result', id, value: undefined });
  expect(called('disconnect')).toMatchObject({ client, args: [{ force: true }] });
});

test('a batch is acknowledged when the client has consumed it', async () => {
  let done = (): void => {};
  const onBatch = vi.fn(
    () =>
      new Promise<void>((resolve) => {
        done = resolve;
      }),
  );
  const { receive, posted, last, connected } = page();
  const { client } = await connected({ onBatch });
  const buffer = new ArrayBuffer(1);
  receive({ type: 'batch', client, buffer, count: 1, dropped: 2 });
  expect(onBatch).toHaveBeenCalledWith(buffer, 1, 2, undefined);
  await Promise.resolve();
  expect(posted.some((message) => message.type === 'consumed')).toBe(false);
  done();
  await vi.waitFor(() => expect(last('consumed')).toEqual({ type: 'consumed', client }));
});

test('fatal rejects every call, ends every client, and rejects later calls', async () => {
  const events: ClientEvent[] = [];
  const { boundary, receive, failed, posted, connected } = page();
  const { link } = await connected({ onEvent: (event) => events.push(event) });
  await connected({ onEvent: (event) => events.push(event) });
  const connecting = boundary.connect({ ...options, ...silent });
  const calls = [connecting, link.publish('a', new Uint8Array()), link.disconnect()];
  const error = { code: 'crashed', message: 'the Go program ended with code 2' };
  receive({ type: 'fatal', error });
  for (const call of calls) await expect(call).rejects.toMatchObject(error);
  expect(events).toEqual([
    { type: 'end', error },
    { type: 'end', error },
  ]);
  const before = posted.length;
  await expect(link.publish('a', new Uint8Array())).rejects.toMatchObject(error);
  await expect(boundary.connect({ ...options, ...silent })).rejects.toMatchObject(error);
  receive({ type: 'fatal', error });
  expect(posted).toHaveLength(before);
  expect(failed).toHaveBeenCalledTimes(1);
});
