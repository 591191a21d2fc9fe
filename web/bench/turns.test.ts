import { expect, test } from 'vitest';
import type { Name } from './contestants/names';
import { type Turn, takeTurns } from './turns';
import type { Place, Row, Work } from './work/work';

const row = (id: string): Row => ({ id, group: 'g', title: id, unit: 'ms', better: 'less' });

/** A measurement that returns the round number and its double. */
function counting(rounds?: number): Work & { order: Name[] } {
  const order: Name[] = [];
  return {
    order,
    rows: [row('once'), row('twice')],
    contestants: ['bare', 'mqttjs', 'mqttwasm'],
    ...(rounds && { rounds }),
    async measure(_, name) {
      order.push(name);
      if (name === 'mqttjs' && order.length < 4) throw new Error('no luck');
      return [order.length, 2 * order.length];
    },
  };
}

const nowhere = {} as Place; // `counting` doesn't use it

test('the contestants take turns, and a failure costs one value', async () => {
  const work = counting();
  const turns: Turn[] = [];
  const lines = await takeTurns(nowhere, work, 2, (turn) => turns.push(turn));
  expect(work.order).toEqual(['bare', 'mqttjs', 'mqttwasm', 'bare', 'mqttjs', 'mqttwasm']);
  expect(lines.map(({ values }) => values)).toEqual([
    { bare: [1, 4], mqttjs: [5], mqttwasm: [3, 6] },
    { bare: [2, 8], mqttjs: [10], mqttwasm: [6, 12] },
  ]);
  expect(turns.filter(({ failed }) => failed)).toEqual([
    { round: 1, name: 'mqttjs', text: 'no luck', failed: true },
  ]);
});

test('slow measurements have fewer rounds', async () => {
  const work = counting(1);
  await takeTurns(nowhere, work, 5, () => {});
  expect(work.order).toHaveLength(3);
});
