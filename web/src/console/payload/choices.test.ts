import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compile } from '../../client/routing/topic-filter';
import { browser } from '../core/testing';
import { createChoices } from './choices';

describe('a format', () => {
  it('is that of the most specific filter, whatever the order', () => {
    const { remember, recall } = createChoices(browser().open());
    remember('plant/1/state', { format: 'json' });
    remember('plant/#', { format: 'hex' });
    remember('#', { format: 'text' });
    remember('plant/+/state', { format: 'cbor' });
    remember('+/1/#', { format: 'base64' });
    const formats = ['plant/1/state', 'plant/2/state', 'plant/1', 'plant', 'other/1', 'other'];
    expect(formats.map((topic) => recall(topic).format)).toEqual([
      'json',
      'cbor',
      'hex',
      'hex',
      'base64',
      'text',
    ]);
    // [MQTT-4.7.2-1]
    expect(recall('$SYS/uptime')).toEqual({});
  });

  it('is stored for the next visit, and shared with other tabs at once', () => {
    const { open } = browser();
    const [one, other] = [createChoices(open()), createChoices(open())];
    one.remember('a/+', { format: 'protobuf', type: 'lab.Reading' });
    expect(other.recall('a/b')).toEqual({ format: 'protobuf', type: 'lab.Reading' });
    expect(createChoices(open()).filterFor('a/b')).toBe('a/+');
    other.remember('a/+', {});
    expect(one.recall('a/b')).toEqual({});
    expect(one.filterFor('a/b')).toBe('a/b');
  });

  it('lasts as long as the page if storage is unavailable', () => {
    const { open, state } = browser();
    state.forbidden = true;
    const { remember, recall } = createChoices(open());
    expect(remember('a', { format: 'hex' })).toBe(false);
    expect(recall('a')).toEqual({ format: 'hex' });
  });

  it('can be automatic below a filter with another format', () => {
    const { remember, recall, extend } = createChoices(browser().open());
    remember('a/#', { format: 'hex' });
    expect(extend('a/b', 'a/b')).toBe('');
    remember('a/b', {});
    expect([recall('a/b'), recall('a/c')]).toEqual([{}, { format: 'hex' }]);
  });

  it('of a topic can be extended to a filter, which replaces those that it covers', () => {
    const { remember, filterFor, extend, recall } = createChoices(browser().open());
    remember('a/b', { format: 'hex' });
    expect(extend('a/b', 'a/+')).toBe('');
    expect([filterFor('a/b'), recall('a/c')]).toEqual(['a/+', { format: 'hex' }]);
    expect(extend('a/b', 'a/#')).toBe('');
    expect([filterFor('a/b'), recall('a/c/d')]).toEqual(['a/#', { format: 'hex' }]);
    expect(extend('a/b', 'a/+')).toBe('');
    expect([filterFor('a/b'), filterFor('a/c/d')]).toEqual(['a/+', 'a/#']);
  });

  it.each([
    ['', /empty/],
    ['a/#/b', /last level/],
    ['b/#', /does not select/],
  ])('can not be extended to %j', (filter, why) => {
    const { remember, extend, filterFor } = createChoices(browser().open());
    remember('a', { format: 'hex' });
    expect((extend('a', filter) || String)()).toMatch(why);
    expect(filterFor('a')).toBe('a');
  });

  it('is read from any JSON as far as it is valid', () => {
    const { open, items } = browser();
    items.set(
      'mqttwasm.formats',
      '[{"filter":"a","format":"__proto__","type":5},{"filter":"b/#","format":"hex","more":1},' +
        '{"filter":"#/b"},{"filter":7},null,"x"]',
    );
    const { recall } = createChoices(open());
    expect([recall('a'), recall('b/c')]).toEqual([{}, { format: 'hex' }]);
  });

  it('comes from a matching filter, and no other match is more specific', () => {
    const level = fc.constantFrom('a', 'b', '+');
    const filter = fc
      .tuple(fc.array(level, { minLength: 1, maxLength: 3 }), fc.boolean())
      .map(([levels, open]) => [...levels, ...(open ? ['#'] : [])].join('/'));
    const topic = fc
      .array(fc.constantFrom('a', 'b'), { minLength: 1, maxLength: 4 })
      .map((levels) => levels.join('/'));
    fc.assert(
      fc.property(fc.uniqueArray(filter, { maxLength: 6 }), topic, (filters, name) => {
        const { remember, filterFor } = createChoices(browser().open());
        for (const each of filters) remember(each, { format: 'hex' });
        const selecting = filters.filter((each) => compile(each)(name));
        const found = filterFor(name);
        if (selecting.length === 0) expect(found).toBe(name);
        else expect(selecting).toContain(found);
        // Narrower filters come first.
        for (const other of selecting) {
          if (other !== found) expect(compile(found)(other) && !other.includes('#')).toBe(false);
        }
      }),
    );
  });
});
