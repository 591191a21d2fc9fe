import * as fc from 'fast-check';
import { describe, expect, it, vi } from 'vitest';
import type { Message } from '../../client';
import { decodeBatch } from '../../client/message';
import { encodeBatch, type Given } from '../../client/testing';
import { createModel, deepest, rateOf, type TopicNode, topicOf } from './model';

const bytes = (text: string) => new TextEncoder().encode(text);

function received(...given: (Given | string)[]): Message[] {
  const all = given.map((one) => (typeof one === 'string' ? { topic: one, payload: bytes('1') } : one));
  return decodeBatch(encodeBatch(all), all.length);
}

function nodeAt(root: TopicNode, ...names: string[]): TopicNode {
  let node = root;
  for (const name of names) {
    const child = node.children?.get(name);
    if (!child) throw new Error(`no ${name} below ${topicOf(node)}`);
    node = child;
  }
  return node;
}

describe('counting', () => {
  it('counts messages and topics at and below every level', () => {
    const model = createModel();
    model.push(received('a/b', 'a/b', 'a/c', 'a', 'd'), 0);
    expect(model.root).toMatchObject({ total: 5, topics: 4 });
    expect(nodeAt(model.root, 'a')).toMatchObject({ count: 1, total: 4, topics: 3 });
    expect(nodeAt(model.root, 'a', 'b')).toMatchObject({ count: 2, total: 2, topics: 1 });
    expect(model.topics.map(topicOf)).toEqual(['a/b', 'a/c', 'a', 'd']);
  });

  it('keeps the last value, without its batch', () => {
    const model = createModel();
    const correlationData = bytes('id');
    const batch = received(
      { topic: 't', payload: bytes('first') },
      { topic: 't', payload: bytes('second'), qos: 1, properties: { contentType: 'x', correlationData } },
    );
    model.push(batch, 0);
    const { last } = nodeAt(model.root, 't');
    expect(last).toMatchObject({ size: 6, qos: 1, retain: false, properties: { contentType: 'x' } });
    expect(last?.payload).toEqual(bytes('second'));
    expect(last?.properties.correlationData).toEqual(correlationData);
    const [, second] = batch;
    for (const part of [last?.payload, last?.properties.correlationData]) {
      expect(part?.buffer).not.toBe(second?.payload.buffer);
      expect(part?.buffer.byteLength).toBeLessThanOrEqual(last?.held ?? 0);
    }
  });

  it('copies only the last message per topic of a batch, and decodes no properties unless asked', () => {
    const model = createModel();
    // Decoding them would throw: property 0x7f does not exist.
    const rawProperties = Uint8Array.of(20, 0x7f, ...new Array<number>(19).fill(0));
    const batch = received(
      ...Array.from({ length: 999 }, (_, n) => ({ topic: `t/${n % 3}`, rawProperties })),
    );
    const copied = vi.spyOn(Uint8Array.prototype, 'slice');
    model.push(batch, 0);
    expect(copied).toHaveBeenCalledTimes(3);
    copied.mockRestore();
    const { last, count } = nodeAt(model.root, 't', '0');
    expect(count).toBe(333);
    expect(() => last?.properties).toThrow('property 0x7f');
  });

  it('measures rates over three seconds, like the feed', () => {
    const model = createModel();
    const rates: number[] = [];
    const pushAt = (count: number, now: number) =>
      model.push(received(...new Array<string>(count).fill('a/b')), now);
    for (const [second, count] of [300, 600, 300, 0, 0, 0].entries()) {
      if (count > 0) pushAt(count, 1000 * second);
      rates.push(rateOf(model.root, 1000 * second + 1000));
    }
    expect(rates).toEqual([300, 450, 400, 300, 100, 0]);
    pushAt(5, 20_700);
    pushAt(5, 21_600);
    expect(rateOf(model.root, 21_700)).toBe(10);
    pushAt(30, 21_700);
    expect(rateOf(nodeAt(model.root, 'a', 'b'), 21_800)).toBe(10);
    expect(rateOf(nodeAt(model.root, 'a', 'b'), 22_700)).toBe(20);
    expect(rateOf(model.root, 60_000)).toBe(0);
  });

  it('notifies the watchers of a topic, and no others', () => {
    const model = createModel();
    model.push(received('a', 'b'), 0);
    const seen: string[] = [];
    const stop = model.watch(nodeAt(model.root, 'a'), (message) => seen.push(message.topic));
    model.push(received('a', 'b', 'a/c'), 0);
    stop();
    model.push(received('a'), 0);
    expect(seen).toEqual(['a']);
  });
});

describe('retained messages', () => {
  const kept = (topic: string, payload = '1') => ({ topic, payload: bytes(payload), retain: true });

  it('are marked by the RETAIN flag, and unmarked by an empty message', () => {
    const model = createModel();
    model.push(received(kept('a/b'), kept('a/c'), 'a/d'), 0);
    expect(nodeAt(model.root, 'a')).toMatchObject({ retained: false, retainedBelow: 2 });
    // A later live message says nothing about what the broker retains.
    model.push(received('a/b'), 0);
    expect(model.root.retainedBelow).toBe(2);
    model.push(received({ topic: 'a/b' }, kept('a/c', '')), 0);
    expect(model.root.retainedBelow).toBe(0);
    model.push(received(kept('a/b')), 0);
    model.setRetained(nodeAt(model.root, 'a', 'b'), false);
    model.setRetained(nodeAt(model.root, 'a', 'b'), false);
    expect(model.root.retainedBelow).toBe(0);
  });
});

describe('hostile topics', () => {
  it('a level may have any name', () => {
    const model = createModel();
    const names = ['__proto__', 'constructor', 'hasOwnProperty', '', '<img>', '\u202e', 'toString'];
    for (const name of names) model.push(received(`${name}/__proto__/x`), 0);
    expect(model.root.list.map(({ name }) => name)).toEqual(names);
    expect(({} as Record<string, unknown>).x).toBeUndefined();
    expect(model.topics.map(topicOf)).toEqual(names.map((name) => `${name}/__proto__/x`));
  });

  it('excessively deep levels share one row', () => {
    const model = createModel();
    const topic = '/'.repeat(65_535);
    model.push(received(topic, topic, `${topic.slice(0, -1)}x`), 0);
    expect(model.nodes).toBe(deepest + 1);
    expect(model.topics.map(topicOf)).toEqual([topic, `${topic.slice(0, -1)}x`]);
    expect(model.topics[0]).toMatchObject({ depth: deepest, count: 2 });
  });

  it('any topics keep their names and counts', () => {
    const level = fc.oneof(fc.string({ unit: 'binary' }), fc.constantFrom('', 'a', '__proto__'));
    const topic = fc.array(level, { minLength: 1, maxLength: deepest + 6 }).map((levels) => levels.join('/'));
    fc.assert(
      fc.property(fc.array(topic, { maxLength: 30 }), (topics) => {
        const model = createModel();
        model.push(
          topics.map(
            (name) => ({ ...received('t')[0], topic: name, payload: bytes('1'), size: 1 }) as Message,
          ),
          0,
        );
        expect(new Set(model.topics.map(topicOf))).toEqual(new Set(topics));
        expect(model.root.total).toBe(topics.length);
        expect(model.root.topics).toBe(new Set(topics).size);
      }),
    );
  });
});

describe('caps', () => {
  it('topics over the limit are counted and leave existing ones alone', () => {
    const model = createModel({ nodes: 3, bytes: 1e6 });
    model.push(received('a/b', 'c', 'd', 'a/e/f', 'a/b', 'd'), 0);
    expect(model.topics.map(topicOf)).toEqual(['a/b', 'c']);
    expect(model.beyond).toBe(3);
    expect(model.root.total).toBe(3);
    expect(nodeAt(model.root, 'a').children?.has('e')).toBe(false);
  });

  it('a value that does not fit is shown by its size, and kept once there is room', () => {
    const model = createModel({ nodes: 10, bytes: 2000 });
    model.push(received({ topic: 'a', payload: new Uint8Array(1500) }), 0);
    model.push(received({ topic: 'b', payload: new Uint8Array(1500) }), 0);
    expect(model.bytes).toBeLessThanOrEqual(2000);
    expect(model.beyond).toBe(1);
    model.push(received({ topic: 'a', payload: new Uint8Array(1700) }), 0);
    expect(nodeAt(model.root, 'a').last).toMatchObject({ payload: undefined, size: 1700 });
    model.push(received({ topic: 'a', payload: new Uint8Array(100) }), 0);
    expect(nodeAt(model.root, 'a').last?.payload).toHaveLength(100);
    model.clear();
    expect(model).toMatchObject({ nodes: 0, bytes: 0, beyond: 0 });
    expect(model.topics).toEqual([]);
  });

  it('100,000 topics and a million messages stay within the limits, at a small cost per message', () => {
    const model = createModel();
    const payload = bytes('{"temperature":21.5}');
    const messages = Array.from({ length: 100_000 }, (_, n) => {
      const topic = `site/${n % 100}/hall/${n % 1000}/sensor/${n}`;
      const size = topic.length + payload.length;
      return { topic, payload, qos: 0, retain: false, receivedAt: 1, properties: {}, size } as Message;
    });
    const portions = Array.from({ length: 1000 }, (_, n) => messages.slice(n * 100, (n + 1) * 100));
    const before = process.cpuUsage();
    for (let round = 0; round < 10; round++) {
      for (const [n, portion] of portions.entries()) model.push(portion, round * 10_000 + n * 10);
    }
    const { user, system } = process.cpuUsage(before);
    expect(model.root).toMatchObject({ total: 1e6, topics: 100_000 });
    expect(model.beyond).toBe(0);
    expect(model.bytes).toBeLessThan(96 * 1024 * 1024);
    // CPU time, which other load doesn't affect: 10,000 messages a second take less than a fifth of it.
    expect((user + system) / 1e6).toBeLessThan(20);
  }, 120_000);
});

it('finds existing nodes, and creates none', () => {
  const model = createModel();
  model.push(received('a/b'), 0);
  expect(model.find('a/b')).toBe(nodeAt(model.root, 'a', 'b'));
  expect([model.find('a/c'), model.find('a/b/c'), model.nodes]).toEqual([undefined, undefined, 2]);
});
