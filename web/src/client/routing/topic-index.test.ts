import fc from 'fast-check';
import { expect, test } from 'vitest';
import { matches } from './topic-filter';
import { createTopicIndex } from './topic-index';

const level = fc.constantFrom('', 'a', 'b', '$SYS');
const topic = fc.array(level, { minLength: 1, maxLength: 4 }).map((levels) => levels.join('/'));
const filter = fc
  .tuple(
    fc.constantFrom('', '$share/name/'),
    fc.array(fc.oneof(level, fc.constant('+')), { maxLength: 4 }),
    fc.boolean(),
  )
  .map(
    ([share, levels, open]) => share + [...levels, ...(open || levels.length === 0 ? ['#'] : [])].join('/'),
  );

test('finds the same filters as matching each one, also after removals', () => {
  fc.assert(
    fc.property(fc.uniqueArray(filter), fc.array(filter), fc.array(topic), (filters, gone, topics) => {
      const tree = createTopicIndex<string>();
      const check = (all: string[]): void => {
        for (const one of topics) {
          expect(tree.match(one).toSorted()).toEqual(all.filter((each) => matches(each, one)).sort());
        }
      };
      for (const [n, one] of filters.entries()) {
        tree.add(one, one);
        check(filters.slice(0, n + 1));
      }
      for (const one of gone) tree.remove(one, one);
      const left = filters.filter((one) => !gone.includes(one));
      check(left);
      for (const one of left) tree.remove(one, one);
      expect(tree.empty()).toBe(true);
    }),
  );
});
