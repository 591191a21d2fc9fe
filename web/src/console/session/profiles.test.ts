import fc from 'fast-check';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { browser } from '../core/testing';
import { createProfiles, exportProfiles, importProfiles, type Profile, readProfiles } from './profiles';
import { plainSettings, type Settings } from './settings';

let kept: Record<string, string>;

beforeEach(() => {
  kept = {};
  vi.stubGlobal('localStorage', {
    getItem: (key: string) => kept[key] ?? null,
    setItem: (key: string, value: string) => {
      kept[key] = value;
    },
  });
});

const secret: Settings = {
  ...plainSettings,
  url: 'wss://me:hunter2@broker.example/mqtt?token=hunter3',
  username: 'me',
  password: 'hunter4',
  authenticationMethod: 'X',
  authenticationData: 'hunter5',
  login: { kind: 'url', tokenUrl: 'https://auth.example/token', use: 'jwt' },
  secrets: { token: 'hunter6', tokenQuery: '?key=hunter7', secretAccessKey: 'hunter8' },
  receiveMaximum: '7',
  userProperties: [
    ['a', '1'],
    ['a', '2'],
  ],
};

describe('profiles', () => {
  it('survive to the next visit, without credentials', () => {
    expect(createProfiles().save('home', secret, false)).toBe(true);
    expect(JSON.stringify(kept)).not.toContain('hunter');
    expect(createProfiles().entries.value).toEqual([
      {
        name: 'home',
        settings: {
          ...secret,
          url: 'wss://broker.example/mqtt',
          password: '',
          authenticationData: '',
          secrets: {},
        },
      },
    ]);
  });

  it('store a password on request, but never export it', () => {
    const profiles = createProfiles();
    profiles.save('home', secret, true);
    expect(createProfiles().entries.value[0]?.settings).toEqual(secret);
    const exported = exportProfiles(profiles.entries.value);
    expect(exported).not.toMatch(/hunter|"me"|me:/);
    expect(importProfiles(exported)[0]?.settings).toMatchObject({
      receiveMaximum: '7',
      username: '',
      login: secret.login,
      secrets: {},
    });
  });

  it('replace one of the same name when saved, but not when imported', () => {
    const profiles = createProfiles();
    profiles.save('home', { ...secret, clientId: 'one' }, false);
    profiles.save(' home ', { ...secret, clientId: 'two' }, false);
    expect(profiles.entries.value.map(({ settings }) => settings.clientId)).toEqual(['two']);
    const file = exportProfiles(profiles.entries.value);
    expect([profiles.add(file), profiles.add(file)]).toEqual([1, 1]);
    expect(profiles.entries.value.map(({ name }) => name)).toEqual(['home', 'home (2)', 'home (3)']);
    profiles.remove('home (2)');
    expect(createProfiles().entries.value).toHaveLength(2);
  });

  it('need a name and an address', () => {
    const profiles = createProfiles();
    expect(profiles.save(' ', secret, false)).toBe(false);
    expect(profiles.problem.value).toMatch(/name/);
    expect(profiles.save('x', { ...secret, url: 'javascript:alert(1)' }, false)).toBe(false);
    expect(profiles.problem.value).toMatch(/address/);
    expect(kept).toEqual({});
  });
});

describe('in two tabs', () => {
  const url = (host: string): Settings => ({ ...plainSettings, url: `ws://${host}/` });
  const names = ({ entries }: ReturnType<typeof createProfiles>) => entries.value.map(({ name }) => name);

  it('are shared by name, whichever tab saves and deletes', () => {
    const { open } = browser();
    const [one, other] = [createProfiles(open()), createProfiles(open())];
    one.save('b', url('b'), false);
    other.save('a', url('a'), false);
    expect([names(one), names(other)]).toEqual([
      ['a', 'b'],
      ['a', 'b'],
    ]);
    one.remove('a');
    other.save('b', url('again'), false);
    for (const { entries } of [one, other])
      expect(entries.value).toEqual([{ name: 'b', settings: url('again') }]);
  });

  it('are kept beside those of another tab when imported', () => {
    const { open } = browser();
    const tab = open();
    const [one, other] = [createProfiles(open()), createProfiles(tab)];
    const file = exportProfiles([{ name: 'a', settings: url('file') }]);
    tab.fallBehind();
    one.save('a', url('a'), false);
    tab.catchUp();
    expect(other.add(file)).toBe(1);
    expect(names(one)).toEqual(['a', 'a (2)']);
  });

  it.each(['full', 'forbidden'] as const)(
    'are not lost if the storage is %s, and the page says so',
    (which) => {
      const { open, state } = browser();
      const profiles = createProfiles(open());
      profiles.save('a', url('a'), false);
      state[which] = true;
      expect(profiles.save('b', url('b'), false)).toBe(false);
      expect(profiles.problem.value).toMatch(/no room/);
      profiles.remove('a');
      expect(names(profiles)).toEqual(['a']);
    },
  );
});

describe('profiles of an earlier version of the page', () => {
  const stored =
    '[{"name":"home","settings":{"url":"ws://home/mqtt","username":"me","password":"pw","keepalive":"7"}},' +
    '{"name":"plant","settings":{"url":"wss://plant/mqtt","will":{"topic":"gone","qos":1}}}]';

  it('are read, and kept when another one is saved', () => {
    kept = { 'mqttwasm.profiles': stored };
    const profiles = createProfiles();
    expect(profiles.entries.value.map(({ name, settings }) => [name, settings.url])).toEqual([
      ['home', 'ws://home/mqtt'],
      ['plant', 'wss://plant/mqtt'],
    ]);
    expect(profiles.entries.value[0]?.settings).toMatchObject({ password: 'pw', keepalive: '7' });
    profiles.save('new', { ...plainSettings, url: 'ws://new/' }, false);
    const [home, plant] = JSON.parse(kept['mqttwasm.profiles'] ?? '');
    expect([home, plant]).toEqual(JSON.parse(stored));
    expect(readProfiles().map(({ name }) => name)).toEqual(['home', 'plant', 'new']);
  });
});

describe('a file', () => {
  it.each([
    ['nonsense', /not JSON/],
    ['[]', /not exported/],
    ['{"format":"mqttwasm profiles"}', /no profile/],
    [
      '{"format":"mqttwasm profiles","profiles":[{"name":"x","settings":{"url":"javascript:1"}}]}',
      /no profile/,
    ],
    ['['.repeat(500_000), /not JSON/],
    [' '.repeat(25_000_001), /larger/],
  ])('%.40s… is refused', (text, why) => {
    const profiles = createProfiles();
    expect(profiles.add(text)).toBe(0);
    expect(profiles.problem.value).toMatch(why);
  });

  it('contributes only settings, and no credentials', () => {
    const settings =
      '{"url":"ws://u:p@h/","password":"p","username":"u","keepalive":5,"clean":"no","__proto__":{"scram":true},' +
      '"will":{"qos":"2","topic":["t"],"__proto__":{"topic":"x"}},"userProperties":[["a","b"],["c"]],"more":{}}';
    const [profile] = importProfiles(
      `{"format":"mqttwasm profiles","profiles":[null,{"name":"x","settings":${settings},"constructor":1}]}`,
    );
    expect(profile).toEqual({
      name: 'x',
      settings: { ...plainSettings, url: 'ws://h/', userProperties: [['a', 'b']] },
    });
  });

  it('of any JSON gives settings of the right shape or is refused', () => {
    const shape = Object.keys(plainSettings);
    fc.assert(
      fc.property(
        fc.json(),
        fc.dictionary(fc.constantFrom(...shape, '__proto__'), fc.jsonValue()),
        (text, settings) => {
          const profiles = [{ name: 'x', settings: { ...settings, url: 'ws://h/' } }];
          const [read] = importProfiles(JSON.stringify({ format: 'mqttwasm profiles', profiles }));
          expect(Object.keys(read?.settings ?? {})).toEqual(shape);
          for (const [name, value] of Object.entries(plainSettings)) {
            expect(typeof read?.settings[name as keyof Settings]).toBe(typeof value);
          }
          expect(() => importProfiles(text)).toThrow();
        },
      ),
    );
  });
});

it('a profile stores the names of its scripts, but takes none from a file', () => {
  const profiles = createProfiles(browser().open());
  expect(profiles.save('one', secret, false, ['a', 'b'])).toBe(true);
  expect(profiles.entries.value[0]?.scripts).toEqual(['a', 'b']);
  const text = exportProfiles(profiles.entries.value);
  expect(text).not.toContain('scripts');
  const foreign = JSON.parse(text) as { profiles: object[] };
  Object.assign(foreign.profiles[0] as object, { scripts: ['a'] });
  expect(importProfiles(JSON.stringify(foreign))[0]).not.toHaveProperty('scripts');
});

describe('the scripts of profiles', () => {
  const scripts = [{ name: 'a', filter: '#', rate: 1, code: 'x' }];
  const two = (): ReturnType<typeof createProfiles> => {
    const profiles = createProfiles(browser().open());
    profiles.save('one', secret, false, ['a', 'gone']);
    profiles.save('two', secret, false);
    return profiles;
  };

  it('are exported with them, if they exist', () => {
    const file = JSON.parse(exportProfiles(two().entries.value, scripts));
    expect(file.scripts).toEqual(scripts);
    expect(file.profiles.map((one: Profile) => one.scripts)).toEqual([['a'], undefined]);
  });

  it('get their local names, and those not to be enabled are left out', () => {
    const text = exportProfiles(
      [
        { name: 'one', settings: secret, scripts: ['a', 'b', 'a', 'c'] },
        { name: 'two', settings: secret, scripts: ['c'] },
      ],
      [...scripts, { name: 'b' }, { name: 'c' }],
    );
    const bring = vi.fn(() => new Map([...Object.entries({ a: 'a (2)', b: 'b' })]));
    const profiles = createProfiles(browser().open());
    expect(profiles.add(text, bring)).toBe(2);
    expect(bring).toHaveBeenCalledWith([...scripts, { name: 'b' }, { name: 'c' }]);
    expect(profiles.entries.value.map((one) => one.scripts)).toEqual([['a (2)', 'b'], undefined]);
  });

  it('that are refused leave everything unchanged', () => {
    const profiles = two();
    const before = profiles.entries.value;
    const bring = () => {
      throw new Error('“a” is empty');
    };
    expect(profiles.add(exportProfiles(before, scripts), bring)).toBe(0);
    expect(profiles.problem.value).toBe('“a” is empty');
    expect(profiles.entries.value).toEqual(before);
  });

  it('follow a rename, and are removed when deleted', () => {
    const profiles = two();
    profiles.follow('a', 'b');
    expect(profiles.entries.value[0]?.scripts).toEqual(['b', 'gone']);
    profiles.follow('b');
    profiles.follow('gone');
    expect(profiles.entries.value.map((one) => one.scripts)).toEqual([undefined, undefined]);
    expect(profiles.entries.value[0]?.settings.receiveMaximum).toBe('7');
  });
});

it('a name of maximum length is still made unique', () => {
  const profiles = createProfiles(browser().open());
  profiles.save('n'.repeat(100), secret, false);
  expect(profiles.add(exportProfiles(profiles.entries.value))).toBe(1);
  expect(profiles.entries.value.map(({ name }) => name)).toEqual([`${'n'.repeat(96)} (2)`, 'n'.repeat(100)]);
});
