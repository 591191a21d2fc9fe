import { signal } from '@preact/signals';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Config } from './config';
import { createConnection } from './connection';
import { type Kept, keepOpen, keptOpen } from './keep';
import { createProfiles, type Profile } from './profiles';
import { reopen } from './reopen';
import type { Session } from './session';
import { createSessions } from './sessions';
import { plainSettings, type Settings } from './settings';

const page = Object.assign(new EventTarget(), { visibilityState: 'visible' });
const tab = new EventTarget();
const location = { hash: '' };
let navigation = 'reload';

function storage() {
  const items = new Map<string, string>();
  return {
    getItem: (key: string) => items.get(key) ?? null,
    setItem: (key: string, value: string) => void items.set(key, value),
  };
}

beforeEach(() => {
  navigation = 'reload';
  location.hash = '';
  vi.stubGlobal('location', location);
  vi.stubGlobal('document', page);
  vi.stubGlobal('addEventListener', tab.addEventListener.bind(tab));
  vi.stubGlobal('performance', { getEntriesByType: () => [{ type: navigation }] });
  vi.stubGlobal('sessionStorage', storage());
  vi.stubGlobal('localStorage', storage());
});
afterEach(() => {
  vi.unstubAllGlobals();
});

const kept = (name: string, changes: Partial<Kept> = {}): Kept => ({
  name,
  settings: { ...plainSettings, url: `ws://${name}/mqtt` },
  secrets: false,
  connected: true,
  ...changes,
});

/** A page that is opened with what `keep` says that another one left. */
function opened(list: unknown[], active = 0) {
  const dialled: string[] = [];
  const made = (id: number) => {
    const connection = createConnection(
      {
        connect: (options) => {
          dialled.push(`${options.url} ${options.password ?? ''}`.trim());
          return new Promise(() => {});
        },
        program: async () => {},
        survey: async (url) => ({ url, page: '' }),
        toFailure: () => ({ code: 'network', message: '' }),
        page: 'http://127.0.0.1:8080/',
        age: () => 0,
        onClient: async () => {},
        onGone: () => {},
      },
      signal<Config>({ version: '', brokers: [] }),
    );
    const use = ({ settings }: Profile) => connection.edit(settings);
    return { id, connection, name: signal(`Connection ${id}`), use, end: () => {} } as unknown as Session;
  };
  const connections = createSessions(made);
  const done = reopen({ list, active }, connections);
  const lives = connections.list.value;
  return { connections, lives, dialled, done };
}

describe('what is kept', () => {
  function left(list: Kept[], event = new Event('pagehide')): unknown {
    keepOpen(() => ({ active: 0, list }));
    (event.type === 'pagehide' ? tab : page).dispatchEvent(event);
    return keptOpen();
  }

  it('is there after a reload', () => {
    const list = [kept('one'), kept('two')];
    expect(left(list)).toMatchObject({ active: 0, list });
  });

  it('is also there where a browser lets go of a page that nobody looks at', () => {
    page.visibilityState = 'hidden';
    expect(left([kept('one'), kept('two')], new Event('visibilitychange'))).toBeDefined();
    page.visibilityState = 'visible';
  });

  it.each([
    ['opened anew', 'navigate', ''],
    ['opened by another link', 'reload', '#broker=ws://other'],
  ])('is nothing to a page that is %s', (_, type, hash) => {
    left([kept('one'), kept('two')]);
    navigation = type;
    location.hash = hash;
    expect(keptOpen()).toBeUndefined();
  });

  it('is nothing of one connection alone, also where there were several before', () => {
    left([kept('one'), kept('two')]);
    expect(left([kept('one')])).toBeUndefined();
  });

  it('is nothing where the browser forbids it', () => {
    vi.stubGlobal('sessionStorage', undefined);
    expect(left([kept('one'), kept('two')])).toBeUndefined();
  });
});

describe('reopening', () => {
  const urls = (lives: readonly Session[]) => lives.map(({ connection }) => connection.settings.value.url);

  it('opens the same, in order, shows the same, and connects what was connected', () => {
    const { connections, lives, dialled } = opened(
      [kept('one'), kept('two', { connected: false }), kept('three')],
      1,
    );
    expect(urls(lives)).toEqual(['ws://one/mqtt', 'ws://two/mqtt', 'ws://three/mqtt']);
    expect(lives.map(({ name }) => name.value)).toEqual(['one', 'two', 'three']);
    expect(connections.active.value).toBe(lives[1]);
    expect(dialled).toEqual(['ws://one/mqtt', 'ws://three/mqtt']);
  });

  it('asks for a password that it has not', () => {
    const { lives, dialled } = opened([kept('one', { secrets: true }), kept('two')]);
    expect(dialled).toEqual(['ws://two/mqtt']);
    expect(lives[0]?.connection.notice.value?.title).toMatch(/passwords are not kept/);
  });

  describe('what came from a profile with its password', () => {
    const settings: Settings = { ...plainSettings, url: 'ws://one/mqtt', username: 'me' };
    beforeEach(() => void createProfiles().save('Mine', { ...settings, password: 'secret' }, true));

    it('has that again', () => {
      const { dialled } = opened([kept('Mine', { profile: 'Mine', settings, secrets: true }), kept('two')]);
      expect(dialled).toEqual(['ws://one/mqtt secret', 'ws://two/mqtt']);
    });

    it.each<[string, Partial<Settings>]>([
      ['address', { url: 'ws://elsewhere/mqtt' }],
      ['user name', { username: 'you' }],
    ])('has it not for another %s', (_, changes) => {
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
    ['one', [kept('one')]],
    ['what is not a connection', [kept('one'), 7, null, { name: 8 }]],
  ])('does nothing with %s', (_, list) => {
    const { done, lives, dialled } = opened(list);
    expect([done, lives.length, dialled]).toEqual([false, 1, []]);
  });

  it('takes what has the right shape, and shows the first where none is named', () => {
    const { connections, lives } = opened(
      [{ name: 'a', settings: { url: 5, keepalive: '7' } }, kept('b')],
      9,
    );
    expect(lives[0]?.connection.settings.value).toEqual({ ...plainSettings, keepalive: '7' });
    expect(connections.active.value).toBe(lives[0]);
  });
});
