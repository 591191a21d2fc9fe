import { expect, it } from 'vitest';
import type { Message } from '../../client';
import { createForest } from './forest';

const message = (topic: string) =>
  ({
    topic,
    payload: new Uint8Array(4),
    qos: 0,
    retain: false,
    properties: {},
    size: topic.length + 4,
  }) as Message;

it('all trees together stay within the limits of one, and removing one frees its share', () => {
  const forest = createForest({ nodes: 3, bytes: 1e6 });
  const first = forest.plant();
  const second = forest.plant();
  first.push([message('a'), message('b')], 0);
  second.push([message('c'), message('d')], 0);
  expect([first.nodes, second.nodes, second.beyond]).toEqual([2, 1, 1]);

  forest.fell(first);
  second.push([message('d'), message('e')], 0);
  expect([second.nodes, second.beyond]).toEqual([3, 1]);
});

it('payloads are not kept if other trees use up the space', () => {
  const forest = createForest({ nodes: 10, bytes: 900 });
  const first = forest.plant();
  const second = forest.plant();
  first.push([message('a')], 0);
  second.push([message('b')], 0);
  expect(first.root.list[0]?.last?.payload).toHaveLength(4);
  second.push([{ ...message('b'), payload: new Uint8Array(200), size: 201 } as Message], 0);
  expect(second.root.list[0]?.last).toMatchObject({ payload: undefined, size: 200 });
  expect(first.bytes + second.bytes).toBeLessThanOrEqual(900);
});
