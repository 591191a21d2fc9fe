import { expect, it } from 'vitest';
import { atField, inOneLine } from './failure';
import { limits } from './limits';

const words = 'w'.repeat(60_000);

it('a reason of 60 KB is truncated in a line and beside a field', () => {
  const failure = { code: 'refused', message: `topic: ${words}`, field: 'topic', reasonCode: 0x87 } as const;
  expect(inOneLine(failure).length).toBeLessThan(limits.notice + 20);
  expect(inOneLine(failure)).toMatch(/w… \[0x87\]$/);
  expect(atField(failure).length).toBeLessThan(limits.notice + 20);
});
