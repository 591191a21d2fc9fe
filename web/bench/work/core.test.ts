import { expect, test } from 'vitest';
import { nanoseconds } from './core';

test('nanoseconds reads the figures of Go benchmarks only', () => {
  const output = `goos: linux
BenchmarkGrowthQueue/waiting=100-2         \t  200000\t       123.4 ns/op
BenchmarkGrowthInbox/waiting=100-2         \t  100000\t      2000 ns/op\t  10 B/op
PASS
ok  \tmqttwasm/wasm/mqtt\t1.2s`;
  expect(nanoseconds(output)).toEqual([123.4, 2000]);
});
