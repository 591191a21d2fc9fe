import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { expect, test } from 'vitest';
import { createIteratorBuffer } from './iterator-buffer';
import { openBatch } from './message';
import { encodeBatch, type Given } from './testing';
import { connected, settled, topics } from './testing-client';
import type { Message, QoS } from './types';

const MiB = 1 << 20;

setFlagsFromString('--expose-gc');
const collect: () => void = runInNewContext('gc');

/** Bytes of all buffers that are still reachable. */
async function heldBytes(): Promise<number> {
  await settled();
  collect();
  await settled();
  collect();
  return process.memoryUsage().arrayBuffers;
}

function batch(...messages: Given[]): Message[] {
  return openBatch(encodeBatch(messages), messages.length).take(messages.length);
}

/** A batch of one message whose payload is transferred separately, as large ones are. */
function beside(topic: string, payload: Uint8Array<ArrayBuffer>): Message[] {
  const buffer = encodeBatch([{ topic }]);
  new Uint8Array(buffer)[4] = 0x10;
  return openBatch(buffer, 1, [payload]).take(1);
}

const large = (topic: string, qos: QoS = 0): Given => ({ topic, qos, payload: new Uint8Array(MiB) });

/** Reads everything. */
async function drain(queue: ReturnType<typeof createIteratorBuffer>): Promise<Message[]> {
  queue.end();
  const all: Message[] = [];
  for (let next = await queue.next(); !next.done; next = await queue.next()) all.push(next.value);
  return all;
}

test.each<[string, (topic: string) => Message[]]>([
  ['in their batches', (topic) => batch(large(topic), { topic: 'small' })],
  ['beside their batches', (topic) => beside(topic, new Uint8Array(MiB))],
])('unread messages are bounded by the bytes they retain: payloads %s', async (_, make) => {
  const before = await heldBytes();
  const queue = createIteratorBuffer({ messages: 10_000, bytes: 16 * MiB });
  for (let n = 0; n < 300; n++) {
    const [message] = make(`${n}`);
    queue.push(message as Message, true);
  }
  expect((await heldBytes()) - before).toBeLessThan(17 * MiB);
  const kept = topics(await drain(queue));
  expect(kept.length).toBeGreaterThanOrEqual(15);
  expect(kept.at(-1)).toBe('299');
  expect(queue.dropped()).toBe(300 - kept.length);
});

test('the default bound applies to a subscription that is never iterated', async () => {
  const { client, receive } = await connected();
  const subscription = await client.subscribe('#');
  const before = await heldBytes();
  for (let n = 0; n < 300; n++) await receive(large('a', 1)).done;
  expect((await heldBytes()) - before).toBeLessThan(17 * MiB);
  expect(subscription.dropped).toBeGreaterThanOrEqual(284);
});

test('a batch is counted once, however many of its messages are held', async () => {
  const queue = createIteratorBuffer({ messages: 10_000, bytes: 1000 });
  const messages = batch(...Array.from({ length: 20 }, (_, n) => ({ topic: `${n}` })));
  for (const message of messages) queue.push(message, false);
  expect(queue.dropped()).toBe(0);
  expect(await drain(queue)).toEqual(messages);
});

test('a batch is released with the last of its messages', async () => {
  const queue = createIteratorBuffer({ messages: 10_000, bytes: 3 * MiB });
  const [a1, a2] = batch(large('a1'), { topic: 'a2' }) as [Message, Message];
  const rest = [batch(large('b')), batch(large('c'))].flat();
  for (const message of [a1, a2, ...rest]) queue.push(message, true);
  expect(queue.dropped()).toBe(2);
  expect(topics(await drain(queue))).toEqual(['b', 'c']);
});

test('a single message over the bound is held, alone', async () => {
  const queue = createIteratorBuffer({ messages: 10_000, bytes: 10 });
  for (const topic of ['a', 'b', 'c']) queue.push(batch(large(topic))[0] as Message, false);
  expect(queue.dropped()).toBe(2);
  expect(topics(await drain(queue))).toEqual(['c']);
});

test('QoS 1 and 2 messages wait until there is room for their bytes', async () => {
  const { client, receive } = await connected();
  const subscription = await client.subscribe('#', { qos: 2, highWaterMarkBytes: 2.5 * MiB });
  const iterator = subscription[Symbol.asyncIterator]();
  await receive(large('a', 1)).done;
  await receive(large('b', 2)).done;
  const third = receive(large('c', 1));
  await settled();
  expect(third.consumed).toBe(false);
  await iterator.next();
  await third.done;
  expect(subscription.dropped).toBe(0);
  // QoS 0 never displaces an acknowledged message.
  await receive(large('lost', 0)).done;
  expect(subscription.dropped).toBe(1);
  const read = [await iterator.next(), await iterator.next()];
  expect(read.map(({ value }) => value.topic)).toEqual(['b', 'c']);
});

test('a payload that its reader has transferred is subtracted at its original size', async () => {
  const queue = createIteratorBuffer({ messages: 10_000, bytes: 1.5 * MiB });
  for (let n = 0; n < 5; n++) {
    const [message] = beside('a', new Uint8Array(MiB));
    queue.push(message as Message, false);
    structuredClone(null, { transfer: [(message as Message).payload.buffer as ArrayBuffer] });
    await queue.next();
  }
  const [last] = batch(large('b'));
  queue.push(last as Message, true);
  expect(queue.dropped()).toBe(0);
});
