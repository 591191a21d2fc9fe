/** The packets that a publish sends, with the real program. */

import { afterEach, expect, test, vi } from 'vitest';
import { packet, startBroker } from './testing-broker';
import type { PublishOptions, PublishProperties } from './types';

let stop = (): void => {};
afterEach(() => stop());

/** A broker that records and acknowledges what is published. */
async function keepingBroker() {
  const published: Uint8Array[] = [];
  const broker = await startBroker((given) => {
    const [header = 0] = given;
    if (header === 0x10) return packet(0x20, 0, 0, 3, 34, 0, 9); // CONNACK with a Topic Alias Maximum
    if (header >> 4 === 3) published.push(given.slice());
    return undefined;
  });
  stop = broker.stop;
  const client = await broker.connect({ reconnectPeriod: 0 });
  return { client, published };
}

test.each<[string, PublishProperties]>([
  ['none', {}],
  ['false', { payloadFormatIndicator: false }],
  ['numbers', { payloadFormatIndicator: true, messageExpiryInterval: 0xffff_fffe, topicAlias: 0x109 & 7 }],
  ['text', { contentType: 'text/\u4e2d\u6587', responseTopic: 'r/\u{1f600}' }],
  ['bytes', { correlationData: new Uint8Array([0, 255, 1]) }],
  ['nothing in them', { correlationData: '', contentType: '', userProperties: [['', '']] }],
  ['pairs', { userProperties: { b: ['1', '2'], a: '\u00e9' } }],
  [
    'much',
    { userProperties: Array.from({ length: 90 }, (_, n): [string, string] => ['k', `${n}`.repeat(40)]) },
  ],
  ['a long text', { contentType: '\u4e2d'.repeat(3000) }],
])('a batched publish is sent like a separate one: properties with %s', async (_, properties) => {
  const { client, published } = await keepingBroker();
  const options: PublishOptions = { retain: true, properties };
  await client.publish('a/b', 'payload', options);
  // A publish with a signal takes a separate message to the worker.
  await client.publish('a/b', 'payload', { ...options, signal: new AbortController().signal });
  await vi.waitFor(() => expect(published).toHaveLength(2));
  expect(published[0]).toEqual(published[1]);
  await client.end(true);
});

test('with and without properties, small and large, messages are sent in the order of the calls', async () => {
  const { client, published } = await keepingBroker();
  const calls = Array.from({ length: 200 }, (_, n) => {
    const properties: PublishProperties = { userProperties: [['n', `${n}`]] };
    if (n % 5 === 4) properties.contentType = 'x'.repeat(20_000);
    return client.publish(`${n}`, '', n % 3 === 0 ? {} : { properties });
  });
  await Promise.all(calls);
  await vi.waitFor(() => expect(published).toHaveLength(calls.length));
  const order = published.map((given) => {
    const at = given.indexOf(0, 2); // of the topic's length, whose first byte is 0
    return new TextDecoder().decode(given.subarray(at + 2, at + 2 + (given[at + 1] as number)));
  });
  expect(order).toEqual(calls.map((_, n) => `${n}`));
  await client.end(true);
});
