import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import { limits } from '../core/limits';
import { brief } from '../core/text';
import { previewOf } from '../payload/preview';

const bytes = (text: string) => new TextEncoder().encode(text);

it('the tree’s preview of any value is bounded', () => {
  const part = fc.constantFrom('[', ']', '{"a":', '}', ',', '1', '\n', '"x"', '\u202e', '\0', '😀');
  const chunk = fc
    .tuple(fc.array(part, { maxLength: 6 }), fc.nat(5000))
    .map(([parts, times]) => parts.join('').repeat(times));
  const payload = fc.oneof(
    fc.array(chunk, { maxLength: 5 }).map((chunks) => bytes(chunks.join('').slice(0, 200_000))),
    fc.uint8Array({ maxLength: 100_000 }),
  );
  fc.assert(
    fc.property(payload, (value) => {
      const { text } = previewOf({ topic: 't', payload: value, properties: {} }, () => ({}));
      expect(text.length).toBeLessThanOrEqual(6 * limits.row.text);
    }),
    { numRuns: 60 },
  );
});

it('any text is truncated at the end', () => {
  fc.assert(
    fc.property(fc.string({ maxLength: 300 }), fc.nat(200), (text, length) => {
      expect(brief(text, length).length).toBeLessThanOrEqual(6 * length + 1);
    }),
  );
});
