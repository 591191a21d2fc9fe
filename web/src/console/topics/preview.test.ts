import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import { limits } from '../core/limits';
import { brief } from '../core/text';
import { lineOf, shownOf } from './preview';

const bytes = (text: string) => new TextEncoder().encode(text);
const { text: most, lines } = limits.value;

it('6,000 brackets are shown as they came', () => {
  const text = '['.repeat(6000) + ']'.repeat(6000);
  expect(shownOf(bytes(text), most, lines)).toEqual({ kind: 'Text', text, more: 0, cut: false });
});

it('a value of many lines is cut, as JSON and as text', () => {
  const json = shownOf(bytes(JSON.stringify(Array(10_000).fill(1))), most, lines);
  expect(json).toMatchObject({ kind: 'JSON', more: 0, cut: true });
  expect(json.text.split('\n')).toHaveLength(lines);
  const text = shownOf(bytes('1\n'.repeat(10_000)), most, lines);
  expect(text).toMatchObject({ kind: 'Text', more: 0, cut: true });
  expect(text.text.split('\n')).toHaveLength(lines);
  expect(shownOf(bytes('a\nb'), most, 2)).toMatchObject({ text: 'a\nb', cut: false });
});

it('whatever a value is, what is laid out of it is bounded', () => {
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
      const shown = shownOf(value, most, lines);
      expect(shown.text.split('\n').length).toBeLessThanOrEqual(lines + 1);
      // Three bytes may be one character that is written as six.
      expect(shown.text.length).toBeLessThan(
        3 * most + lines * 2 * (limits.indent + 2) + 4 * limits.value.hex,
      );
      expect(lineOf(value, value.length).length).toBeLessThan(6 * limits.branch.text);
    }),
    { numRuns: 60 },
  );
});

it('any text is cut to its head', () => {
  fc.assert(
    fc.property(fc.string({ maxLength: 300 }), fc.nat(200), (text, length) => {
      expect(brief(text, length).length).toBeLessThanOrEqual(6 * length + 1);
    }),
  );
});
