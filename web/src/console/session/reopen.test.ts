import { signal } from '@preact/signals';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Client } from '../../client';
import type { View } from '../core/view';
import { type Filter, noFilter } from '../log/filter';
import { createChoices } from '../payload/choices';
import type { Config } from './config';
import { createConnection } from './connection';
import { explain } from './explain';
import { type Kept, type KeptPage, keepOpen, keptOf } from './keep';
import { keptOpen } from './kept-open';
import { emptyMessage } from './message';
import { createProfiles, type Profile } from './profiles';
import { createPublisher } from './publisher';
import { reopen } from './reopen';
import { createScripts } from './scripts';
import type { Session } from './session';
import { createSessions } from './sessions';
import { plainSettings, type Settings } from './settings';
import { createSubscriptions } from './subscriptions';
import { config, down, embeddedUrl, fakeClient, publicUrl } from './testing';

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

const { file: _, correlation: __, ...draft } = { ...emptyMessage, repeat: false, seconds: '1', times: '' };

const kept = (name: string, changes: Partial<Kept> = {}): Kept => ({
  name,
  settings: { ...plainSettings, url: `ws://${name}/mqtt` },
  secrets: false,
  connected: true,
  byDefault: false,
  instead: false,
  subscriptions: [{ filter: `mqttwasm/${name}/#`, qos: 2 }],
  draft: { ...draft, topic: `mqttwasm/${name}/hello` },
  next: 0,
  ...changes,
});

const pageOf = (list: Kept[], changes: Partial<KeptPage> = {}): KeptPage => ({
  active: 0,
  list,
  view: 'messages',
  drawer: undefined,
  paused: false,
  filter: noFilter,
  ...changes,
});

/** A page whose client reaches the brokers that `reach` lets it. */
function openedPage(
  reach: (url: string) => Promise<Client> = () => new Promise(() => {}),
  load: () => Promise<Config> = async () => ({ version: '', brokers: [] }),
) {
  const dialled: string[] = [];
  const brokers = signal<Config>({ version: '', brokers: [] });
  const made = (id: number) => {
    const connection = createConnection(
      {
        connect: (options) => {
          dialled.push(`${options.url} ${options.password ?? ''}`.trim());
          return reach(String(options.url));
        },
        program: async () => {},
        survey: async (url) => ({ url, page: '' }),
        explainer: async () => explain,
        page: 'http://127.0.0.1:8080/',
        age: () => 0,
        onClient: async () => {},
        onGone: () => {},
      },
      brokers,
    );
    const name = signal(`Connection ${id}`);
    const client = () => undefined;
    const clock = { now: () => 0, after: () => () => {} };
    const subscriptions = createSubscriptions({ client, frame: () => {} }, `mqttwasm/new${id}/#`);
    const publisher = createPublisher({ choices: createChoices(), client, clock }, `mqttwasm/new${id}/hello`);
    const topics: { pins: Session['topics']['pins'] } = { pins: [] };
    const fleetForm = signal<unknown>(undefined);
    const own = { publisher, topics, scripts: createScripts(), fleetForm };
    const session = { id, connection, name, subscriptions, ...own };
    const use = ({ settings }: Profile) => connection.edit(settings);
    return { ...session, use, profile: () => undefined, dispose: () => {} } as unknown as Session;
  };
  const connections = createSessions(made);
  const show = vi.fn<(view: View) => void>();
  const feed = { pause: vi.fn(), edit: vi.fn<(changes: Partial<Filter>) => void>() };
  const open = (value: unknown) => reopen(value, { sessions: connections, feed, show }, load);
  const left = (): KeptPage => JSON.parse(JSON.stringify(pageOf(connections.list.value.map(keptOf))));
  return { connections, dialled, show, feed, open, left, load, lives: () => connections.list.value };
}

/** A page that is opened with what `keep` says that another one left. */
function opened(list: unknown[], active = 0) {
  const page = openedPage();
  const done = page.open({ list, active });
  return { ...page, lives: page.lives(), done };
}

describe('what is kept', () => {
  function left(list: Kept[], event = new Event('pagehide')): unknown {
    keepOpen(() => pageOf(list));
    (event.type === 'pagehide' ? tab : page).dispatchEvent(event);
    return keptOpen();
  }

  it('is there after a reload', () => {
    const list = [kept('one'), kept('two')];
    expect(left(list)).toMatchObject({ active: 0, list });
  });

  it('is also there when a browser discards a hidden page', () => {
    page.visibilityState = 'hidden';
    expect(left([kept('one'), kept('two')], new Event('visibilitychange'))).toBeDefined();
    page.visibilityState = 'visible';
  });

  it('is nothing to a page that is reloaded because another link was followed', () => {
    keepOpen(() => pageOf([kept('one')]));
    location.hash = '#broker=ws://other';
    tab.dispatchEvent(new Event('pagehide'));
    expect(keptOpen()).toBeUndefined();
  });

  it.each(['', '#broker=ws://one'])(
    'is there where the page was opened by %j, and a place on it shown',
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
  ])('is nothing to a page that is %s', (_, type, hash) => {
    left([kept('one'), kept('two')]);
    navigation = type;
    location.hash = hash;
    expect(keptOpen()).toBeUndefined();
  });

  it('is there of one connection alone, also where there were several before', () => {
    left([kept('one'), kept('two')]);
    expect(left([kept('one')])).toMatchObject({ list: [kept('one')] });
  });

  /** To the last 100,000 characters. */
  function fillStorage(): void {
    const { setItem } = sessionStorage;
    vi.spyOn(sessionStorage, 'setItem').mockImplementation((key, value) => {
      if (value.length > 100_000) throw new DOMException('full', 'QuotaExceededError');
      setItem(key, value);
    });
  }

  it('is all but the payloads in the forms where those take all the room', () => {
    fillStorage();
    const one = kept('one');
    const large = { ...one, draft: { ...one.draft, payload: 'x'.repeat(100_000) } };
    expect(left([large])).toMatchObject({ list: [one] });
  });

  it('is all but the files where those take all the room', () => {
    fillStorage();
    const one = kept('one');
    const withFile = { ...one, draft: { ...one.draft, payload: 'typed' } };
    withFile.draft.file = { name: 'a.bin', base64: 'x'.repeat(100_000) };
    expect(left([withFile])).toMatchObject({
      list: [{ draft: { payload: 'typed', file: { name: 'a.bin', base64: '' } } }],
    });
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

    it('has it not where that was saved without', () => {
      createProfiles().save('Mine', settings, false);
      const { lives, dialled } = opened([kept('Mine', { profile: 'Mine', settings, secrets: true })]);
      expect(dialled).toEqual([]);
      expect(lives[0]?.connection.notice.value?.title).toMatch(/passwords are not kept/);
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
    ['what is not a connection', [7, null, { name: 8 }]],
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

const topicsOf = (session: Session | undefined) => [
  session?.subscriptions.entries.value.map(({ filter, wanted }) => `${filter} ${wanted.value.qos}`),
  session?.publisher.draft.value.topic,
];

describe('one connection', () => {
  it('has its address, options, topics and form again', () => {
    const settings: Settings = { ...plainSettings, url: 'ws://one/mqtt', keepalive: '7', username: 'me' };
    const before = {
      ...draft,
      topic: 'a/{{n}}',
      payload: '{"x":1}',
      format: 'cbor' as const,
      qos: 1 as const,
      retain: true,
      properties: {
        ...draft.properties,
        contentType: 'x',
        userProperties: [['a', 'b']] as [string, string][],
      },
      repeat: true,
      seconds: '0.5',
      times: '3',
    };
    const subscriptions = [
      { filter: 'mqttwasm/old/#', qos: 2 as const },
      { filter: 'plant/+', qos: 1 as const },
    ];
    const { lives, dialled } = opened([kept('one', { settings, subscriptions, draft: before, next: 7 })]);
    expect(dialled).toEqual(['ws://one/mqtt']);
    expect(lives).toHaveLength(1);
    expect(lives[0]?.connection.settings.value).toEqual(settings);
    expect(topicsOf(lives[0])).toEqual([['mqttwasm/old/# 2', 'plant/+ 1'], 'a/{{n}}']);
    expect(lives[0]?.publisher.draft.value).toEqual({ ...before, file: undefined });
    expect(lives[0]?.publisher.next.value).toBe(7);
    expect(lives[0]?.publisher.repeating.value).toBeUndefined();
  });

  it('has the file of its form', () => {
    const before = openedPage();
    const file = { name: 'a.bin', bytes: Uint8Array.of(0, 0xff, 0x80) };
    before.connections.active.value.publisher.edit({ file, payload: 'typed' });
    const after = openedPage();
    after.open(before.left());
    const { draft, fieldErrors } = after.connections.active.value.publisher;
    expect(draft.value).toMatchObject({ file, payload: 'typed' });
    expect(fieldErrors.value).toEqual({});
  });

  it('says which file has to be attached again where it was too large', async () => {
    const before = openedPage();
    const file = { name: 'a.bin', bytes: new Uint8Array(1024 * 1024 + 1) };
    before.connections.active.value.publisher.edit({ file, payload: 'typed' });
    const left = before.left();
    expect(JSON.stringify(left).length).toBeLessThan(10_000);
    const after = openedPage();
    after.open(left);
    const { draft, fieldErrors, attach } = after.connections.active.value.publisher;
    expect(draft.value).toMatchObject({ file: undefined, payload: 'typed' });
    expect(fieldErrors.value.payload).toMatch(/a\.bin.*attach it again/);
    await attach(new File(['x'], 'a.bin'));
    expect(fieldErrors.value).toEqual({});
  });

  it('has no file if what was kept is invalid', () => {
    for (const file of [7, { name: 7, base64: 'AA==' }, { name: 'a.bin', base64: '!' }]) {
      const { lives } = opened([{ ...kept('one'), draft: { ...draft, file } }]);
      expect(lives[0]?.publisher.draft.value.file).toBeUndefined();
    }
  });

  it('has its subscriptions with all that they had', () => {
    const subscriptions = [
      { filter: 'mqttwasm/old/#', qos: 2 as const, own: true, auto: 180 },
      { filter: 'a', qos: 0 as const, nl: true, rap: true, rh: 2 as const, identifier: 7, auto: 200 },
      { filter: 'b', qos: 1 as const, name: 'B', hue: 25, paused: true },
    ];
    const { lives } = opened([kept('one', { subscriptions })]);
    expect(keptOf(lives[0] as Session).subscriptions).toEqual(subscriptions);
    lives[0]?.subscriptions.setOwn(false);
    expect(topicsOf(lives[0])[0]).toEqual(['a 0', 'b 1']);
  });

  it('has the form of its fleet, whatever number it has now', () => {
    const before = openedPage();
    before.connections.open().fleetForm.value = { devices: '42' };
    before.connections.close(before.lives()[0] as Session);
    const after = openedPage();
    after.open(before.left());
    expect(after.lives().map(({ fleetForm }) => fleetForm.value)).toEqual([{ devices: '42' }]);
  });

  it('has no subscription again where it had none', () => {
    const { lives } = opened([kept('one', { subscriptions: [] })]);
    expect(topicsOf(lives[0])).toEqual([[], 'mqttwasm/one/hello']);
  });

  it('stays disconnected if the user had disconnected it', async () => {
    const before = openedPage(async () => fakeClient().client);
    before.open(pageOf([kept('one')]));
    const { connection } = before.connections.active.value;
    await vi.waitFor(() => expect(connection.status.value.phase).toBe('connected'));
    connection.disconnect();
    const after = openedPage();
    after.open(before.left());
    expect(after.dialled).toEqual([]);
    expect(after.connections.active.value.connection.settings.value.url).toBe('ws://one/mqtt');
    expect(after.connections.active.value.connection.status.value.phase).toBe('disconnected');
  });

  it('is tried again where it had failed', async () => {
    const before = openedPage(() => Promise.reject(down));
    before.open(pageOf([kept('one')]));
    const { connection } = before.connections.active.value;
    await vi.waitFor(() => expect(connection.status.value.phase).toBe('disconnected'));
    const after = openedPage();
    after.open(before.left());
    expect(after.dialled).toEqual(['ws://one/mqtt']);
  });

  it('goes back to the address in use, and not to one that was only typed', async () => {
    const before = openedPage(async () => fakeClient().client);
    before.open(pageOf([kept('one')]));
    const { connection } = before.connections.active.value;
    await vi.waitFor(() => expect(connection.status.value.phase).toBe('connected'));
    connection.edit({ url: publicUrl });
    const after = openedPage();
    after.open(before.left());
    expect(after.dialled).toEqual(['ws://one/mqtt']);
  });

  it("that a link asked for, without the user's consent, is not dialled", async () => {
    const before = openedPage();
    const { connection } = before.connections.active.value;
    void connection.start(() => new Promise(() => {}), 'ws://elsewhere.example/mqtt');
    const after = openedPage();
    after.open(before.left());
    expect(after.dialled).toEqual([]);
  });
});

describe('the default broker', () => {
  const load = async () => config;
  const embedded = async (url: string): Promise<Client> => {
    if (url !== embeddedUrl) throw down;
    return fakeClient().client;
  };
  const own = ({ connections }: ReturnType<typeof openedPage>) => connections.active.value.connection;

  /** A page that is opened anew, and has got as far as it gets. */
  async function fresh(reach: (url: string) => Promise<Client>, brokers = load) {
    const page = openedPage(reach, brokers);
    await own(page).start(brokers);
    return page;
  }

  it('is gone to again as on load, with the embedded one to stand in', async () => {
    const before = await fresh(async () => fakeClient().client);
    expect(before.dialled).toEqual([publicUrl]);
    const after = openedPage(embedded, load);
    after.open(before.left());
    await vi.waitFor(() => expect(own(after).status.value).toEqual({ phase: 'connected', url: embeddedUrl }));
    expect(after.dialled).toEqual([publicUrl, embeddedUrl]);
    expect(topicsOf(after.lives()[0])).toEqual(topicsOf(before.lives()[0]));
  });

  it('is left alone after the fallback, until the user asks for it', async () => {
    const before = await fresh(embedded);
    const after = openedPage(async () => fakeClient().client, load);
    after.open(before.left());
    await vi.waitFor(() => expect(own(after).notice.value?.title).toMatch(/^Still using “This server”/));
    expect(own(after).status.value).toEqual({ phase: 'connected', url: embeddedUrl });
    expect(after.dialled).toEqual([embeddedUrl]);
    // And so at the next reload.
    const later = openedPage(async () => fakeClient().client, load);
    later.open(after.left());
    await vi.waitFor(() => expect(own(later).notice.value?.retry?.name).toBe('EMQX public broker'));
    expect(later.dialled).toEqual([embeddedUrl]);
  });

  it('is tried again after the fallback where it is a private one too', async () => {
    const inside = { name: 'inside', url: 'ws://10.0.0.5:8083/mqtt', default: true };
    const brokers = async () => ({ version: '', brokers: [inside, ...config.brokers.slice(-1)] });
    const before = await fresh(embedded, brokers);
    expect(before.dialled).toEqual([inside.url, embeddedUrl]);
    const after = openedPage(async () => fakeClient().client, brokers);
    after.open(before.left());
    await vi.waitFor(() => expect(own(after).status.value).toEqual({ phase: 'connected', url: inside.url }));
    expect(after.dialled).toEqual([inside.url]);
    expect(own(after).notice.value).toBeUndefined();
  });

  it('is not gone to where the embedded one is down after the fallback', async () => {
    const before = await fresh(embedded);
    const after = openedPage(() => Promise.reject(down), load);
    after.open(before.left());
    await vi.waitFor(() => expect(own(after).status.value.phase).toBe('disconnected'));
    await vi.waitFor(() => expect(own(after).notice.value?.tone).toBe('error'));
    expect(after.dialled).toEqual([embeddedUrl]);
  });

  it('is tried first again where neither could be reached', async () => {
    const before = await fresh(() => Promise.reject(down));
    expect(before.dialled).toEqual([publicUrl, embeddedUrl]);
    const after = openedPage(async () => fakeClient().client, load);
    after.open(before.left());
    await vi.waitFor(() => expect(own(after).status.value).toEqual({ phase: 'connected', url: publicUrl }));
  });

  it('that is another one by now is not gone to instead of the one in use', async () => {
    const inside = 'ws://10.0.0.5:8083/mqtt';
    const before = await fresh(
      async () => fakeClient().client,
      async () => ({ version: '', brokers: [{ name: 'inside', url: inside, default: true }] }),
    );
    const after = openedPage(() => Promise.reject(down), load);
    after.open(before.left());
    await vi.waitFor(() => expect(own(after).notice.value?.tone).toBe('error'));
    expect(after.dialled).toEqual([inside]);
  });

  it('is gone to where the page was reloaded before it knew which that is', async () => {
    const before = openedPage();
    void own(before).start(() => new Promise(() => {}));
    const after = openedPage(async () => fakeClient().client, load);
    after.open(before.left());
    await vi.waitFor(() => expect(own(after).status.value).toEqual({ phase: 'connected', url: publicUrl }));
  });

  it('and a private one that fails leads to no public one', async () => {
    const before = await fresh(async () => fakeClient().client);
    own(before).edit({ url: 'ws://192.168.1.7/mqtt' });
    await own(before).connect();
    const after = openedPage(
      (url) => (url === publicUrl ? Promise.resolve(fakeClient().client) : Promise.reject(down)),
      load,
    );
    after.open(before.left());
    await vi.waitFor(() => expect(own(after).notice.value?.tone).toBe('error'));
    expect(after.dialled).toEqual(['ws://192.168.1.7/mqtt']);
  });
});

describe('the page', () => {
  it('shows the same view, and what the feed’s filter let through, paused or not', () => {
    const page = openedPage();
    const filter: Filter = { ...noFilter, topic: 'a/#', direction: 'both', qos: 2, search: 'x' };
    page.open(pageOf([kept('one')], { view: 'topics', drawer: 'packets', paused: true, filter }));
    expect(page.show.mock.calls).toEqual([['packets'], ['topics']]);
    expect(page.feed.edit.mock.calls).toEqual([[filter]]);
    expect(page.feed.pause).toHaveBeenCalledWith(true);
  });

  it('has a plain one where what was kept makes no sense', () => {
    const page = openedPage();
    const filter = { topic: 5, connection: 'gone', direction: 'x', qos: 7, retain: true, more: 1 };
    page.open({ list: [kept('one')], view: '__proto__', drawer: 7, paused: 'yes', filter });
    expect(page.show).not.toHaveBeenCalled();
    expect(page.feed.edit.mock.calls).toEqual([[noFilter]]);
    expect(page.feed.pause).not.toHaveBeenCalled();
  });

  it('takes what an earlier version kept', () => {
    const settings = { ...plainSettings, url: 'ws://one/mqtt' };
    const left = { name: 'one', settings, secrets: false, connected: true };
    const { lives, dialled } = opened([left, { ...left, name: 'two' }]);
    expect(dialled).toHaveLength(2);
    expect(topicsOf(lives[0])).toEqual([['mqttwasm/new1/# 2'], 'mqttwasm/new1/hello']);
  });

  it('scripts that were on are on, for the broker that they were switched on for', () => {
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

  it('the chart has its lines, and no invalid ones', () => {
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

  it('scripts that were on have their state, and no other has', () => {
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
