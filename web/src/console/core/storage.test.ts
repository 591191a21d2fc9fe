import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isRecord, keptList, type Tab } from './storage';
import { browser } from './testing';

interface Entry {
  name: string;
  value: number;
}

const key = 'list';

function listIn(tab: Tab, { most = 5, oldestGo = false } = {}) {
  const list = keptList<Entry>(
    {
      key,
      read: (value) =>
        isRecord(value) && typeof value.name === 'string' && typeof value.value === 'number'
          ? { name: value.name, value: value.value }
          : undefined,
      nameOf: ({ name }) => name,
      most,
      oldestGo,
    },
    tab,
  );
  const shown = () => list.entries.value.map(({ name, value }) => `${name}${value}`).join(' ');
  return { ...list, shown };
}

const entry = (name: string, value = 1): Entry => ({ name, value });

function twoTabs(options = {}) {
  const { open, state, items } = browser();
  const [firstTab, secondTab] = [open(), open()];
  const [first, second] = [listIn(firstTab, options), listIn(secondTab, options)];
  const both = () => [first.shown(), second.shown()];
  return { open, state, items, firstTab, secondTab, first, second, both };
}

describe('two tabs', () => {
  it('share what either of them adds', () => {
    const { first, second, both } = twoTabs();
    expect(first.change([entry('a')])).toBe('kept');
    expect(second.change([entry('b')])).toBe('kept');
    expect(both()).toEqual(['a1 b1', 'a1 b1']);
  });

  it('share what one of them deletes', () => {
    const { first, second, both } = twoTabs();
    first.change([entry('a'), entry('b')]);
    second.change([], ['a']);
    expect(both()).toEqual(['b1', 'b1']);
  });

  it('keep the last save per name, and all other names', () => {
    const { first, second, both } = twoTabs();
    first.change([entry('a'), entry('b')]);
    second.change([entry('a', 2)]);
    first.change([entry('c')]);
    expect(both()).toEqual(['b1 a2 c1', 'b1 a2 c1']);
  });

  it('lose nothing when both write before they hear of each other', () => {
    const { firstTab, secondTab, first, second, both, open } = twoTabs();
    first.change([entry('old')]);
    firstTab.fallBehind();
    secondTab.fallBehind();
    first.change([entry('a')], ['old']);
    second.change([entry('b')]);
    firstTab.catchUp();
    secondTab.catchUp();
    expect(both()).toEqual(['b1 a1', 'b1 a1']);
    expect(listIn(open()).shown()).toBe('b1 a1');
  });

  it('agree on one value after conflicting writes', () => {
    const { firstTab, secondTab, first, second, both } = twoTabs();
    first.change([entry('a')]);
    firstTab.fallBehind();
    secondTab.fallBehind();
    first.change([], ['a']);
    second.change([entry('a', 2), entry('b')]);
    firstTab.catchUp();
    secondTab.catchUp();
    expect(both()[0]).toBe(both()[1]);
    expect(both()[0]).toContain('b1');
  });

  it('are empty after the browser has cleared its storage', () => {
    const { firstTab, first, second } = twoTabs();
    first.change([entry('a')]);
    firstTab.clear();
    expect(second.shown()).toBe('');
  });

  it('agree after any sequence of changes, and the last write per name wins', () => {
    const step = fc.record({
      tab: fc.constantFrom('first' as const, 'second' as const),
      name: fc.constantFrom('a', 'b', 'c', 'd'),
      value: fc.option(fc.nat(9), { nil: undefined }),
    });
    fc.assert(
      fc.property(fc.array(step), (steps) => {
        const tabs = twoTabs();
        const expected = new Map<string, number>();
        for (const { tab, name, value } of steps) {
          if (value === undefined) tabs[tab].change([], [name]);
          else tabs[tab].change([entry(name, value)]);
          if (value === undefined) expected.delete(name);
          else expected.set(name, value);
        }
        for (const { entries } of [tabs.first, tabs.second]) {
          expect(new Map(entries.value.map(({ name, value }) => [name, value]))).toEqual(expected);
        }
      }),
    );
  });
});

describe('when the browser can store nothing more', () => {
  it.each(['full', 'forbidden'] as const)('%s: a change reports it, and the page loses nothing', (which) => {
    const { state, first } = twoTabs();
    first.change([entry('a')]);
    state[which] = true;
    expect(first.change([entry('b')], ['a'])).toBe('no room');
    expect(first.shown()).toBe('a1');
    state[which] = false;
    expect(first.change([entry('c')])).toBe('kept');
    expect(first.shown()).toBe('a1 c1');
  });

  it.each(['full', 'forbidden'] as const)('%s: unsaved items are stored once there is room', (which) => {
    const { state, first, second, both } = twoTabs();
    first.change([entry('a'), entry('z')]);
    state[which] = true;
    expect(first.change([entry('b')], ['a'], true)).toBe('no room');
    expect(first.change([entry('b', 2)], [], true)).toBe('no room');
    expect(first.shown()).toContain('b2');
    expect(first.shown()).not.toContain('a');
    state[which] = false;
    second.change([entry('c')]);
    expect(both()).toEqual(['z1 c1 b2', 'a1 z1 c1']);
    first.change([entry('d')]);
    expect(both()).toEqual(['z1 c1 b2 d1', 'z1 c1 b2 d1']);
  });
});

describe('a list', () => {
  it('accepts nothing over its limit, but allows deletions', () => {
    const { first } = twoTabs({ most: 2 });
    first.change([entry('a'), entry('b')]);
    expect(first.change([entry('c')])).toBe('too many');
    expect(first.shown()).toBe('a1 b1');
    expect(first.change([entry('b', 2)])).toBe('kept');
    expect(first.change([], ['a'])).toBe('kept');
    expect(first.change([entry('c')])).toBe('kept');
  });

  it('or drops the oldest, unsaved ones too', () => {
    const { first, state } = twoTabs({ most: 2, oldestGo: true });
    for (const name of ['a', 'b', 'a', 'c']) first.change([entry(name)]);
    expect(first.shown()).toBe('a1 c1');
    state.forbidden = true;
    for (const name of ['d', 'e', 'f']) first.change([entry(name)], [], true);
    expect(first.shown()).toBe('e1 f1');
  });

  it("keeps items it can't read: another version of the page may", () => {
    const { first, items } = twoTabs();
    items.set(key, '[{"name":"new","value":"one"},7,{"name":"a","value":1,"more":true}]');
    first.change([entry('b')]);
    first.change([entry('b')]);
    const kept: unknown[] = JSON.parse(items.get(key) ?? '');
    expect(kept.slice(0, -1)).toEqual([
      { name: 'new', value: 'one' },
      7,
      { name: 'a', value: 1, more: true },
      { name: 'b', value: 1 },
    ]);
    expect(Object.values((kept.at(-1) as { writes: object }).writes)).toEqual([2]);
    expect(first.shown()).toBe('a1 b1');
  });

  it.each(['', '{', '7', '{"a":1}', 'null'])('is empty if %j is stored', (text) => {
    const { open, items } = browser();
    items.set(key, text);
    const list = listIn(open());
    expect(list.shown()).toBe('');
    expect(list.change([entry('a')])).toBe('kept');
  });
});
