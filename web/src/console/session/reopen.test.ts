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

/** A page whose client reaches the brokers that `reach` allows. */
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

/** A page opened with this stored state. */
function opened(list: unknown[], active = 0) {
  const page = openedPage();
  const done = page.open({ list, active });
  return { ...page, lives: page.lives(), done };
}

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

const topicsOf = (session: Session | undefined) => [
  session?.subscriptions.entries.value.map(({ filter, wanted }) => `${filter} ${wanted.value.qos}`),
  session?.publisher.draft.value.topic,
];

describe('one connection', () => {
  it('restores its address, options, topics and form', () => {
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

  it('restores the file in its form', () => {
    const before = openedPage();
    const file = { name: 'a.bin', bytes: Uint8Array.of(0, 0xff, 0x80) };
    before.connections.active.value.publisher.edit({ file, payload: 'typed' });
    const after = openedPage();
    after.open(before.left());
    const { draft, fieldErrors } = after.connections.active.value.publisher;
    expect(draft.value).toMatchObject({ file, payload: 'typed' });
    expect(fieldErrors.value).toEqual({});
  });

  it('names a file that was too large to store', async () => {
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

  it('restores no file if the stored one is invalid', () => {
    for (const file of [7, { name: 7, base64: 'AA==' }, { name: 'a.bin', base64: '!' }]) {
      const { lives } = opened([{ ...kept('one'), draft: { ...draft, file } }]);
      expect(lives[0]?.publisher.draft.value.file).toBeUndefined();
    }
  });

  it('restores its subscriptions with all their options', () => {
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

  it('restores its fleet form, whatever its number now', () => {
    const before = openedPage();
    before.connections.open().fleetForm.value = { devices: '42' };
    before.connections.close(before.lives()[0] as Session);
    const after = openedPage();
    after.open(before.left());
    expect(after.lives().map(({ fleetForm }) => fleetForm.value)).toEqual([{ devices: '42' }]);
  });

  it('restores no subscriptions if it had none', () => {
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

  it('retries a failed connection', async () => {
    const before = openedPage(() => Promise.reject(down));
    before.open(pageOf([kept('one')]));
    const { connection } = before.connections.active.value;
    await vi.waitFor(() => expect(connection.status.value.phase).toBe('disconnected'));
    const after = openedPage();
    after.open(before.left());
    expect(after.dialled).toEqual(['ws://one/mqtt']);
  });

  it('reconnects to the address in use, not to one that was only typed', async () => {
    const before = openedPage(async () => fakeClient().client);
    before.open(pageOf([kept('one')]));
    const { connection } = before.connections.active.value;
    await vi.waitFor(() => expect(connection.status.value.phase).toBe('connected'));
    connection.edit({ url: publicUrl });
    const after = openedPage();
    after.open(before.left());
    expect(after.dialled).toEqual(['ws://one/mqtt']);
  });

  it("does not dial an address from a link without the user's consent", async () => {
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

  /** A newly opened page, once it has finished starting. */
  async function fresh(reach: (url: string) => Promise<Client>, brokers = load) {
    const page = openedPage(reach, brokers);
    await own(page).start(brokers);
    return page;
  }

  it('is used as on load, with the embedded one as fallback', async () => {
    const before = await fresh(async () => fakeClient().client);
    expect(before.dialled).toEqual([publicUrl]);
    const after = openedPage(embedded, load);
    after.open(before.left());
    await vi.waitFor(() => expect(own(after).status.value).toEqual({ phase: 'connected', url: embeddedUrl }));
    expect(after.dialled).toEqual([publicUrl, embeddedUrl]);
    expect(topicsOf(after.lives()[0])).toEqual(topicsOf(before.lives()[0]));
  });

  it('is not tried again after the fallback, until the user asks', async () => {
    const before = await fresh(embedded);
    const after = openedPage(async () => fakeClient().client, load);
    after.open(before.left());
    await vi.waitFor(() => expect(own(after).notice.value?.title).toMatch(/^Still using “This server”/));
    expect(own(after).status.value).toEqual({ phase: 'connected', url: embeddedUrl });
    expect(after.dialled).toEqual([embeddedUrl]);
    // The same at the next reload.
    const later = openedPage(async () => fakeClient().client, load);
    later.open(after.left());
    await vi.waitFor(() => expect(own(later).notice.value?.retry?.name).toBe('EMQX public broker'));
    expect(later.dialled).toEqual([embeddedUrl]);
  });

  it('is tried again after the fallback if it is private too', async () => {
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

  it('is not tried if the embedded one is down after the fallback', async () => {
    const before = await fresh(embedded);
    const after = openedPage(() => Promise.reject(down), load);
    after.open(before.left());
    await vi.waitFor(() => expect(own(after).status.value.phase).toBe('disconnected'));
    await vi.waitFor(() => expect(own(after).notice.value?.tone).toBe('error'));
    expect(after.dialled).toEqual([embeddedUrl]);
  });

  it('is tried first again if neither could be reached', async () => {
    const before = await fresh(() => Promise.reject(down));
    expect(before.dialled).toEqual([publicUrl, embeddedUrl]);
    const after = openedPage(async () => fakeClient().client, load);
    after.open(before.left());
    await vi.waitFor(() => expect(own(after).status.value).toEqual({ phase: 'connected', url: publicUrl }));
  });

  it('does not replace the broker in use if it has changed', async () => {
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

  it('is used if the page was reloaded before its configuration was known', async () => {
    const before = openedPage();
    void own(before).start(() => new Promise(() => {}));
    const after = openedPage(async () => fakeClient().client, load);
    after.open(before.left());
    await vi.waitFor(() => expect(own(after).status.value).toEqual({ phase: 'connected', url: publicUrl }));
  });

  it('if private, does not fall back to a public one', async () => {
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
  it('restores the view, the feed’s filter and its pause', () => {
    const page = openedPage();
    const filter: Filter = { ...noFilter, topic: 'a/#', direction: 'both', qos: 2, search: 'x' };
    page.open(pageOf([kept('one')], { view: 'topics', drawer: 'packets', paused: true, filter }));
    expect(page.show.mock.calls).toEqual([['packets'], ['topics']]);
    expect(page.feed.edit.mock.calls).toEqual([[filter]]);
    expect(page.feed.pause).toHaveBeenCalledWith(true);
  });

  it('uses defaults for invalid state', () => {
    const page = openedPage();
    const filter = { topic: 5, connection: 'gone', direction: 'x', qos: 7, retain: true, more: 1 };
    page.open({ list: [kept('one')], view: '__proto__', drawer: 7, paused: 'yes', filter });
    expect(page.show).not.toHaveBeenCalled();
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
