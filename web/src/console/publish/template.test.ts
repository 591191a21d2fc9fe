import { expect, it } from 'vitest';
import { expand, hasCounter } from './template';

it.each([
  ['messages: {{n}}', 0, 'messages: 0'],
  ['{{n}}/{{ n }}', 12, '12/12'],
  ['{"n": {{n}}, "s": {"a": 1}}', 7, '{"n": 7, "s": {"a": 1}}'],
  ['{{m}} {n} $&', 1, '{{m}} {n} $&'],
  ['', 5, ''],
])('%j with %d is %j', (template, n, text) => expect(expand(template, n)).toBe(text));

it('knows whether there is anything to count, each time it is asked', () => {
  expect([hasCounter('{{n}}'), hasCounter('{{n}}'), hasCounter('n')]).toEqual([true, true, false]);
});
