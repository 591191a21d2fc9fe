import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { type Filter, noFilter } from '../log/filter';
import { type Kept, keepOpen, keptOf } from './keep';
import { keptOpen } from './kept-open';
import { createProfiles } from './profiles';
import type { Session } from './session';
import { plainSettings, type Settings } from './settings';
import {
  kept,
  location,
  opened,
  openedPage,
  page,
  pageOf,
  stubBrowser,
  tab,
  topicsOf,
} from './testing-reopen';

let navigation = 'reload';

beforeEach(() => {
  navigation = 'reload';
  stubBrowser(() => navigation);
});
afterEach(() => {
  vi.unstubAllGlobals();
});

describe('the stored state', () => {
  function left(list: Kept[], event = new Event('pagehide')): unknown {
    keepOpen(() => pageOf(list));
    (event.type === 'pagehide' ? tab : page).dispatchEvent(event);
    return keptOpen();
  }

  it('survives a reload', () => {
    const list = [kept('one'), kept('two')];
    expect(left(list)).toMatchObject({ active: 0, list });
  });

  it('survives when the browser discards a hidden page', () => {
    page.visibilityState = 'hidden';
    expect(left([kept('one'), kept('two')], new Event('visibilitychange'))).toBeDefined();
    page.visibilityState = 'visible';
  });

  it('is dropped when the page reloads to follow another link', () => {
    keepOpen(() => pageOf([kept('one')]));
    location.hash = '#broker=ws://other';
    tab.dispatchEvent(new Event('pagehide'));
    expect(keptOpen()).toBeUndefined();
  });

  it.each(['', '#broker=ws://one'])(
    'is kept after opening the page by %j and moving to an anchor',
    (hash) => {
      location.hash = hash;
      keepOpen(() => pageOf([kept('one')]));
      location.hash = '#messages';
      tab.dispatchEvent(new Event('pagehide'));
      expect(keptOpen()).toBeDefined();
    },
  );

  it.each([
    ['opened anew', 'navigate', ''],
    ['opened by another link', 'reload', '#broker=ws://other'],
  ])('is ignored by a page that is %s', (_, type, hash) => {
    left([kept('one'), kept('two')]);
    navigation = type;
    location.hash = hash;
    expect(keptOpen()).toBeUndefined();
  });

  it('contains a single connection, even where there were several before', () => {
    left([kept('one'), kept('two')]);
    expect(left([kept('one')])).toMatchObject({ list: [kept('one')] });
  });

  /** Fills the storage up to 100,000 characters. */
  function fillStorage(): void {
    const { setItem } = sessionStorage;
    vi.spyOn(sessionStorage, 'setItem').mockImplementation((key, value) => {
      if (value.length > 100_000) throw new DOMException('full', 'QuotaExceededError');
      setItem(key, value);
    });
  }

  it('drops only the payloads in the forms if they don’t fit', () => {
    fillStorage();
    const one = kept('one');
    const large = { ...one, draft: { ...one.draft, payload: 'x'.repeat(100_000) } };
    expect(left([large])).toMatchObject({ list: [one] });
  });

  it('drops only the files if they don’t fit', () => {
    fillStorage();
    const one = kept('one');
    const withFile = { ...one, draft: { ...one.draft, payload: 'typed' } };
    withFile.draft.file = { name: 'a.bin', base64: 'x'.repeat(100_000) };
    expect(left([withFile])).toMatchObject({
      list: [{ draft: { payload: 'typed', file: { name: 'a.bin', base64: '' } } }],
    });
  });

  it('is empty if the browser forbids storage', () => {
    vi.stubGlobal('sessionStorage', undefined);
    expect(left([kept('one'), kept('two')])).toBeUndefined();
  });
});

describe('reopening', () => {
  const urls = (lives: readonly Session[]) => lives.map(({ connection }) => connection.settings.value.url);

  it('opens the same connections in order, shows the same one, and reconnects', () => {
    const { connections, lives, dialled } = opened(
      [kept('one'), kept('two', { connected: false }), kept('three')],
      1,
    );
    expect(urls(lives)).toEqual(['ws://one/mqtt', 'ws://two/mqtt', 'ws://three/mqtt']);
    expect(lives.map(({ name }) => name.value)).toEqual(['one', 'two', 'three']);
    expect(connections.active.value).toBe(lives[1]);
    expect(dialled).toEqual(['ws://one/mqtt', 'ws://three/mqtt']);
  });

  it('asks for a password that was not stored', () => {
    const { lives, dialled } = opened([kept('one', { secrets: true }), kept('two')]);
    expect(dialled).toEqual(['ws://two/mqtt']);
    expect(lives[0]?.connection.notice.value?.title).toMatch(/passwords are not kept/);
  });

  describe('a connection from a profile with a password', () => {
    const settings: Settings = { ...plainSettings, url: 'ws://one/mqtt', username: 'me' };
    beforeEach(() => void createProfiles().save('Mine', { ...settings, password: 'secret' }, true));

    it('gets it back', () => {
      const { dialled } = opened([kept('Mine', { profile: 'Mine', settings, secrets: true }), kept('two')]);
      expect(dialled).toEqual(['ws://one/mqtt secret', 'ws://two/mqtt']);
    });

    it('has it not where that was saved without', () => {
      createProfiles().save('Mine', settings, false);
      const { lives, dialled } = opened([kept('Mine', { profile: 'Mine', settings, secrets: true })]);
      expect(dialled).toEqual([]);
      expect(lives[0]?.connection.notice.value?.title).toMatch(/passwords are not kept/);
    });

    it.each<[string, Partial<Settings>]>([
      ['address', { url: 'ws://elsewhere/mqtt' }],
      ['user name', { username: 'you' }],
    ])('does not get it back for a different %s', (_, changes) => {
      const changed = { ...settings, ...changes };
      const { dialled } = opened([
        kept('Mine', { profile: 'Mine', settings: changed, secrets: true }),
        kept('two'),
      ]);
      expect(dialled).toEqual(['ws://two/mqtt']);
    });
  });

  it.each<[string, unknown[]]>([
    ['nothing', []],
    ['what is not a connection', [7, null, { name: 8 }]],
  ])('ignores %s', (_, list) => {
    const { done, lives, dialled } = opened(list);
    expect([done, lives.length, dialled]).toEqual([false, 1, []]);
  });

  it('accepts what has the right shape, and shows the first connection by default', () => {
    const { connections, lives } = opened(
      [{ name: 'a', settings: { url: 5, keepalive: '7' } }, kept('b')],
      9,
    );
    expect(lives[0]?.connection.settings.value).toEqual({ ...plainSettings, keepalive: '7' });
    expect(connections.active.value).toBe(lives[0]);
  });
});

describe('the page', () => {
  it('restores the view, the feed’s filter and its pause', () => {
    const page = openedPage();
    const filter: Filter = { ...noFilter, topic: 'a/#', direction: 'both', qos: 2, search: 'x' };
    page.open(pageOf([kept('one')], { view: 'topics', drawer: 'packets', paused: true, filter }));
    expect(page.show.mock.calls).toEqual([['topics']]);
    // Not by showing it: on a narrow screen that would only show another view.
    expect(page.drawer.value).toBe('packets');
    expect(page.feed.edit.mock.calls).toEqual([[filter]]);
    expect(page.feed.pause).toHaveBeenCalledWith(true);
  });

  it('uses defaults for invalid state', () => {
    const page = openedPage();
    const filter = { topic: 5, connection: 'gone', direction: 'x', qos: 7, retain: true, more: 1 };
    page.open({ list: [kept('one')], view: '__proto__', drawer: 7, paused: 'yes', filter });
    expect(page.show).not.toHaveBeenCalled();
    expect(page.drawer.value).toBeUndefined();
    expect(page.feed.edit.mock.calls).toEqual([[noFilter]]);
    expect(page.feed.pause).not.toHaveBeenCalled();
  });

  it('reads the state of an earlier version', () => {
    const settings = { ...plainSettings, url: 'ws://one/mqtt' };
    const left = { name: 'one', settings, secrets: false, connected: true };
    const { lives, dialled } = opened([left, { ...left, name: 'two' }]);
    expect(dialled).toHaveLength(2);
    expect(topicsOf(lives[0])).toEqual([['mqttwasm/new1/# 2'], 'mqttwasm/new1/hello']);
  });

  it('enables scripts that were on, for the same broker', () => {
    const scripts = { url: 'ws://one/mqtt', names: ['a', 'b'] };
    const { lives } = opened([
      kept('one', { scripts }),
      kept('two'),
      { ...kept('three'), scripts: { names: 7 } },
    ]);
    expect(lives.map((session) => session.scripts.on.value)).toEqual([
      scripts,
      { url: '', names: [] },
      { url: '', names: [] },
    ]);
    expect(keptOf(lives[0] as Session).scripts).toEqual(scripts);
    expect(keptOf(lives[1] as Session)).not.toHaveProperty('scripts');
  });

  it('restores the chart’s lines, without invalid ones', () => {
    const pins = [
      ['plant/1', 'pump.litres'],
      ['plant/2', ''],
    ] as const;
    const { lives } = opened([
      kept('one', { pins }),
      kept('two'),
      { ...kept('three'), pins: [['plant/1'], 7, ['plant/3', 'value'], ['a', 5]] },
    ]);
    expect(lives.map((session) => session.topics.pins)).toEqual([pins, [], [['plant/3', 'value']]]);
    expect(keptOf(lives[0] as Session).pins).toEqual(pins);
    expect(keptOf(lives[1] as Session)).not.toHaveProperty('pins');
  });

  it('restores the state of scripts that were on, and of no others', () => {
    const on = { url: 'ws://one/mqtt', names: ['a', 'b'] };
    const states = [
      ['a', '{"n":1}'],
      ['gone', '{}'],
      ['b', 7],
    ];
    const { lives } = opened([
      { ...kept('one'), scripts: { ...on, states } },
      { ...kept('two'), scripts: { ...on, states: 7 } },
    ]);
    const left = { ...on, states: [['a', '{"n":1}']] };
    expect(lives.map((session) => keptOf(session).scripts)).toEqual([left, on]);
  });
});
