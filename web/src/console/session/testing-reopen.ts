/** For tests: pages that reopen what was stored. */

import { signal } from '@preact/signals';
import { vi } from 'vitest';
import type { Client } from '../../client';
import type { Drawer, View } from '../core/view';
import { type Filter, noFilter } from '../log/filter';
import { createChoices } from '../payload/choices';
import type { Config } from './config';
import { createConnection } from './connection';
import { explain } from './explain';
import { type Kept, type KeptPage, keptOf } from './keep';
import { emptyMessage } from './message';
import type { Profile } from './profiles';
import { createPublisher } from './publisher';
import { reopen } from './reopen';
import { createScripts } from './scripts';
import type { Session } from './session';
import { createSessions } from './sessions';
import { plainSettings } from './settings';
import { createSubscriptions } from './subscriptions';

export const page = Object.assign(new EventTarget(), { visibilityState: 'visible' });
export const tab = new EventTarget();
export const location = { hash: '' };

function storage() {
  const items = new Map<string, string>();
  return {
    getItem: (key: string) => items.get(key) ?? null,
    setItem: (key: string, value: string) => void items.set(key, value),
  };
}

const { file: _, correlation: __, ...draft } = { ...emptyMessage, repeat: false, seconds: '1', times: '' };

export { draft };

/** Stubs what the modules ask of the browser. `navigation` is how it came to the page. */
export function stubBrowser(navigation: () => string): void {
  location.hash = '';
  vi.stubGlobal('location', location);
  vi.stubGlobal('document', page);
  vi.stubGlobal('addEventListener', tab.addEventListener.bind(tab));
  vi.stubGlobal('performance', { getEntriesByType: () => [{ type: navigation() }] });
  vi.stubGlobal('sessionStorage', storage());
  vi.stubGlobal('localStorage', storage());
}

export const kept = (name: string, changes: Partial<Kept> = {}): Kept => ({
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

export const pageOf = (list: Kept[], changes: Partial<KeptPage> = {}): KeptPage => ({
  active: 0,
  list,
  view: 'messages',
  drawer: undefined,
  paused: false,
  filter: noFilter,
  ...changes,
});

/** A page whose client reaches the brokers that `reach` allows. */
export function openedPage(
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
  const drawer = signal<Drawer>();
  const feed = { pause: vi.fn(), edit: vi.fn<(changes: Partial<Filter>) => void>() };
  const open = (value: unknown) => reopen(value, { sessions: connections, feed, show, drawer }, load);
  const left = (): KeptPage => JSON.parse(JSON.stringify(pageOf(connections.list.value.map(keptOf))));
  return { connections, dialled, show, drawer, feed, open, left, load, lives: () => connections.list.value };
}

/** A page opened with this stored state. */
export function opened(list: unknown[], active = 0) {
  const page = openedPage();
  const done = page.open({ list, active });
  return { ...page, lives: page.lives(), done };
}

export const topicsOf = (session: Session | undefined) => [
  session?.subscriptions.entries.value.map(({ filter, wanted }) => `${filter} ${wanted.value.qos}`),
  session?.publisher.draft.value.topic,
];
