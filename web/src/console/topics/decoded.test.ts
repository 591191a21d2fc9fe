import { expect, test } from 'vitest';
import type { Message } from '../../client';
import type { Readable } from '../payload/guess';
import { createModel } from './model';
import { numberIn, pathsIn } from './number';
import { createSeriesList } from './series';

let received = 0;
function message(text: string, more: Partial<Readable> = {}): Message & Readable {
  const payload = new TextEncoder().encode(text);
  const plain = {
    topic: 'a',
    payload,
    qos: 0,
    retain: false,
    dup: false,
    properties: {},
    size: payload.length + 1,
  };
  return { ...plain, receivedAt: ++received, ...more } as Message & Readable;
}
const decoded = (json: string) => ({ decoded: { json, by: 'x' } });

test('numbers are those of the value that a script made', () => {
  expect(numberIn(message('212', decoded('100')), {}, [])).toBe(100);
  const one = message('', decoded('{"a":[{"b":2}],"c":true}'));
  expect(numberIn(one, {}, ['a', '0', 'b'])).toBe(2);
  expect(pathsIn(one, {}, 10)).toEqual(['a[0].b', 'c']);
  expect(numberIn(message('212', decoded('{"a":1}')), {}, [])).toBeUndefined();
});

test('a chart line waits for the script’s value', async () => {
  const model = createModel();
  const first = message('212', decoded('100'));
  model.push([first], 0);
  const node = model.find('a');
  if (!node) throw new Error('no node');
  const series = createSeriesList(model, {
    now: () => 0,
    past: () => [first].values(),
    birthBefore: () => undefined,
    recall: () => ({}),
  });
  expect(series.start(node, '', 10)).toBeUndefined();
  let settle = () => {};
  const pending = new Promise<void>((resolve) => {
    settle = resolve;
  });
  const waits = message('32', { pending });
  model.push([waits], 0);
  const [line] = series.list();
  expect(line?.values).toEqual([100]);
  Object.assign(waits, decoded('0'));
  settle();
  await pending;
  expect(line?.values).toEqual([100, 0]);

  const late = message('50', { pending: Promise.resolve() });
  model.push([late], 0);
  series.clear();
  await late.pending;
  expect(line?.values).toEqual([100, 0]);
});
