import { expect, test } from 'vitest';
import { limits } from '../core/limits';
import { readingsOf } from './readings';

test('keeps the latest reading of a topic, with its message', () => {
  const readings = readingsOf();
  readings.note({ topic: 'a', receivedAt: 1 }, { json: '1', by: 'x' });
  readings.note({ topic: 'a', receivedAt: 2 }, { json: '2', by: 'x' });
  expect(readings.of({ topic: 'a', receivedAt: 1 })).toBeUndefined();
  expect(readings.of({ topic: 'a', receivedAt: 2 })).toEqual({ json: '2', by: 'x' });
  expect(readings.of({ topic: '__proto__', receivedAt: 2 })).toBeUndefined();
});

test('stays within its limit by dropping the oldest', () => {
  const readings = readingsOf();
  const json = `"${'x'.repeat(60_000)}"`;
  for (let n = 0; n < 100; n++) readings.note({ topic: `t${n}`, receivedAt: n }, { json, by: 'x' });
  expect(readings.bytes).toBeLessThanOrEqual(limits.readings);
  expect(readings.bytes).toBeGreaterThan(limits.readings - 130_000);
  expect(readings.of({ topic: 't0', receivedAt: 0 })).toBeUndefined();
  expect(readings.of({ topic: 't99', receivedAt: 99 })).toBeDefined();
});
