import { afterEach, describe, expect, test, vi } from 'vitest';
import { MqttError } from './errors';
import { encodeBatch, type Given } from './testing';
import { connected } from './testing-client';
import type { Answer, Message, RequestHandler, SubscribeOptions } from './types';

// Checks which functions tsc accepts as a request handler.
const log = (request: Message): void => console.log(request.topic);
const logLater = async (request: Message): Promise<void> => log(request);
const maybe = (request: Message): string | null => (request.qos > 0 ? request.topic : null);
const maybeLater = async (request: Message): Promise<string | undefined> => {
  if (request.qos > 0) return request.topic;
};
[log, logLater, maybe, maybeLater, () => {}, async () => {}, async () => null] satisfies RequestHandler[];
[
  () => 'x',
  async () => new Uint8Array(),
  () => ({ payload: 'x', qos: 1 as const }),
] satisfies RequestHandler[];
// @ts-expect-error A number is not a payload.
(() => 7) satisfies RequestHandler;
// @ts-expect-error Nor is a promise of one.
(async () => 7) satisfies RequestHandler;

afterEach(() => {
  vi.unstubAllGlobals();
});

describe('requests', () => {
  test('resolve with the response', async () => {
    const payload = new TextEncoder().encode('pong');
    const { client, sent } = await connected({
      request: async () => encodeBatch([{ topic: 'answer', payload, qos: 1 }]),
    });
    const { signal } = new AbortController();
    const properties = { contentType: 'x' };
    const answer = await client.request('a', 'ping', { qos: 1, timeout: 5, signal, properties });
    expect([answer.topic, answer.text(), answer.qos]).toEqual(['answer', 'pong', 1]);
    expect(sent('request')).toEqual([
      ['a', new TextEncoder().encode('ping'), { qos: 1, timeout: 5, signal, properties }],
    ]);
    await client.request('a', '');
    expect(sent('request')[1]?.[2]).toEqual({ timeout: 30_000 });
  });

  test.each<[string, unknown[]]>([
    ['topic', ['a/#', 'x']],
    ['payload', ['a', 7]],
    ['qos', ['a', 'x', { qos: 3 }]],
  ])('name the invalid %s, and send nothing', async (field, args) => {
    const { client, calls } = await connected();
    const request = client.request as (...args: unknown[]) => Promise<unknown>;
    await expect(request(...args)).rejects.toMatchObject({ code: 'bad-option', field });
    expect(calls).toEqual([]);
  });

  const correlationData = new Uint8Array([1, 2]);
  const asking: Given = {
    topic: 'ask',
    qos: 1,
    properties: { responseTopic: 'reply/here', correlationData },
  };

  async function responding(answer: (request: Message) => unknown, options?: SubscribeOptions) {
    const all = await connected();
    const subscription = await all.client.respond('ask', (request) => answer(request) as Answer, options);
    const errors: MqttError[] = [];
    all.client.on('error', (error) => errors.push(error));
    return { ...all, subscription, errors };
  }

  test.each<[string, () => unknown, unknown[]]>([
    ['text', () => 'x', ['reply/here', 'x', { qos: 1, properties: { correlationData } }]],
    [
      'a promise of bytes',
      async () => new Uint8Array([1]),
      ['reply/here', new Uint8Array([1]), { qos: 1, properties: { correlationData } }],
    ],
    [
      'everything',
      () => ({ payload: 'x', qos: 0, properties: { contentType: 't', correlationData: 'mine' } }),
      ['reply/here', 'x', { qos: 0, properties: { contentType: 't', correlationData } }],
    ],
  ])('get a response: %s', async (_, answer, [topic, payload, options]) => {
    const { receive, sent, subscription } = await responding(answer, { qos: 2 });
    expect(subscription).toMatchObject({ filter: 'ask', qos: 2 });
    await receive(asking).done;
    expect(sent('publish')).toEqual([[topic, payload, { ...(options as object), timeout: 30_000 }]]);
  });

  test.each<[string, unknown, Given]>([
    ['without a response topic', 'x', { topic: 'ask' }],
    ['that the handler has no answer to', undefined, asking],
    ['that the handler answers with null', null, asking],
  ])('%s are handled without a response', async (_, answer, given) => {
    const reported: unknown[] = [];
    vi.stubGlobal('reportError', (error: unknown) => reported.push(error));
    const handler = vi.fn(() => answer);
    const { receive, sent } = await responding(handler);
    await receive(given).done;
    expect(handler).toHaveBeenCalledTimes(1);
    expect([sent('publish'), reported]).toEqual([[], []]);
  });

  test('whose handler throws, or returns something invalid, are reported', async () => {
    const reported: unknown[] = [];
    vi.stubGlobal('reportError', (error: unknown) => reported.push(error));
    const answers = [() => Promise.reject('thrown'), () => 7, () => ({}), () => ({ payload: 'x', qos: 3 })];
    const { receive, sent, errors } = await responding(() => answers.shift()?.());
    await receive(asking, asking, asking, asking).done;
    expect(reported).toHaveLength(4);
    expect(reported).toEqual(
      expect.arrayContaining([
        'thrown',
        expect.objectContaining({ field: 'payload' }),
        expect.objectContaining({ field: 'qos' }),
      ]),
    );
    expect([sent('publish'), errors]).toEqual([[], []]);
  });

  test('whose response cannot be sent are an error event', async () => {
    const lost = new MqttError('not-connected', 'no');
    const { client, receive } = await connected({ publish: () => Promise.reject(lost) });
    const errors: MqttError[] = [];
    client.on('error', (error) => errors.push(error));
    await client.respond('ask', () => 'x');
    await receive(asking).done;
    await receive({ topic: 'ask', properties: { responseTopic: 'a/#' } }).done;
    expect(errors).toEqual([lost, expect.objectContaining({ code: 'bad-option', field: 'topic' })]);
  });

  test('need a handler to respond', async () => {
    const { client } = await connected();
    const respond = client.respond as (...args: unknown[]) => Promise<unknown>;
    await expect(respond('a')).rejects.toMatchObject({ code: 'bad-option', field: 'handler' });
  });
});
