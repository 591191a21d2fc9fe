/** Opens what was open before the page was reloaded. */

import { t } from '../core/i18n/i18n';
import { limits } from '../core/limits';
import { inShapeOf, isRecord, pairsIn } from '../core/storage';
import { visible } from '../core/text';
import { type Drawer, drawers, type View, views } from '../core/view';
import type { Feed } from '../log/feed';
import { type Filter, noFilter } from '../log/filter';
import { encode as decode } from '../payload/codecs/base64';
import type { Pin } from '../topics/store';
import { type Config, defaultBroker, nameOf } from './config';
import type { Connection } from './connection';
import type { Kept, KeptFile } from './keep';
import { isQoS } from './message';
import { namesFrom, type Profile, readProfiles, settingsFrom } from './profiles';
import type { Draft, Publisher } from './publisher';
import { messageFrom } from './saved';
import type { ScriptsKept } from './scripts';
import type { Session } from './session';
import { hasSecrets, leaveOutPasswords } from './settings';
import type { Kept as KeptSubscription } from './subscriptions';
import { wantedFrom } from './wanted';

/** Connections that are opened automatically, and subscriptions of one. */
const most = 50;
const mostSubscriptions = 1000;

/** Where the connections are opened, and what they share. */
interface Page {
  sessions: {
    active: { readonly value: Session };
    open(): Session;
    show(session: Session): void;
  };
  feed: Pick<Feed, 'pause' | 'edit'>;
  show(view: View): void;
  readonly drawer: { value: Drawer | undefined };
}

/** An earlier version of the page kept no subscriptions and no draft. */
type Left = Omit<Kept, 'subscriptions' | 'draft' | 'scripts' | 'pins'> & {
  pins: Pin[];
  scripts: Required<ScriptsKept>;
  subscriptions: KeptSubscription[] | undefined;
  draft: Partial<Draft> | undefined;
  file: KeptFile;
};

function subscriptionsFrom(value: unknown): KeptSubscription[] | undefined {
  if (!Array.isArray(value)) return undefined;
  const list = value.flatMap((entry: unknown): KeptSubscription[] => {
    const wanted = wantedFrom(entry);
    if (!wanted) return [];
    const { auto, own, paused } = inShapeOf({ auto: -1, own: false, paused: false }, entry);
    return [{ ...wanted, ...(auto >= 0 && { auto: Math.trunc(auto) % 360 }), own, paused }];
  });
  return list.slice(0, mostSubscriptions);
}

function draftFrom(value: unknown): Partial<Draft> | undefined {
  if (!isRecord(value)) return undefined;
  return { ...messageFrom(value), ...inShapeOf({ repeat: false, seconds: '1', times: '' }, value) };
}

const fileFrom = (draft: unknown): KeptFile =>
  inShapeOf({ name: '', base64: '' }, isRecord(draft) ? draft.file : undefined);

const scriptsFrom = (value: unknown): Left['scripts'] => ({
  ...inShapeOf({ url: '', states: [] }, value),
  names: isRecord(value) ? namesFrom(value.names) : [],
});

function leftFrom(value: unknown): Left[] {
  if (!isRecord(value) || typeof value.name !== 'string') return [];
  const { name, profile } = value;
  const flags = inShapeOf(
    { secrets: false, connected: false, byDefault: false, instead: false, next: 0 },
    value,
  );
  return [
    {
      name,
      ...(typeof profile === 'string' && { profile }),
      ...flags,
      settings: settingsFrom(value.settings),
      subscriptions: subscriptionsFrom(value.subscriptions),
      draft: draftFrom(value.draft),
      file: fileFrom(value.draft),
      scripts: scriptsFrom(value.scripts),
      fleet: value.fleet,
      pins: pairsIn(value.pins).slice(0, limits.chart.lines),
    },
  ];
}

/** `names`: of the sessions, where there are several. */
function filterFrom(value: unknown, names: readonly string[]): Filter {
  const { qos: _, muted: __, ...model } = noFilter;
  const read = inShapeOf(model, value);
  const { qos, muted }: Record<string, unknown> = isRecord(value) ? value : {};
  const isText = (one: unknown) => typeof one === 'string';
  return {
    ...read,
    connection: names.includes(read.connection) ? read.connection : '',
    direction: ['sent', 'both'].includes(read.direction) ? read.direction : noFilter.direction,
    retain: ['yes', 'no'].includes(read.retain) ? read.retain : noFilter.retain,
    qos: isQoS(qos) ? qos : noFilter.qos,
    muted: Array.isArray(muted) ? muted.filter(isText).slice(0, limits.muted) : noFilter.muted,
  };
}

/** The profile from which the connection was filled, if it is unchanged: it may have the password. */
function profileOf({ profile, settings }: Left, profiles: readonly Profile[]): Profile | undefined {
  const found = profiles.find(({ name }) => name === profile);
  const same = found && JSON.stringify(leaveOutPasswords(found.settings)) === JSON.stringify(settings);
  return same ? found : undefined;
}

/** The default broker may be reachable by now. The user decides, not the page. */
function tellInstead(connection: Connection): void {
  const broker = defaultBroker(connection.config.value);
  const used = connection.config.value.brokers.find(({ name }) => name === connection.selected());
  if (!broker || !used || broker === used || connection.notice.value) return;
  connection.tell(() => ({
    tone: 'warning',
    title: t('Still using “{broker}” instead of “{first}”', { broker: nameOf(used), first: nameOf(broker) }),
    advice: t('“{first}” could not be reached before the page was reloaded.', { first: nameOf(broker) }),
    retry: broker,
  }));
}

async function connect(session: Session, left: Left, knowsPassword: boolean, load: () => Promise<Config>) {
  const { connection } = session;
  if (!left.connected) return;
  if (left.secrets && !knowsPassword) {
    connection.tell(() => ({
      tone: 'warning',
      title: t('Not connected again: passwords are not kept when the page is reloaded'),
      advice: t('Fill in the password under Settings, Options and press Connect, or keep it in a profile.'),
    }));
  } else if (left.byDefault) {
    await connection.start(load, undefined, left.settings.url);
    if (left.instead) tellInstead(connection);
  } else {
    void connection.connect();
    if (left.instead && (await connection.readBrokers(load))) tellInstead(connection);
  }
}

/** The file that the form had, or that it has to be attached again. */
function attach({ edit, fieldErrors }: Publisher, { name, base64 }: KeptFile): void {
  if (name === '') return;
  try {
    const bytes = decode(base64);
    if (bytes.length > 0) {
      edit({ file: { name, bytes } });
      return;
    }
  } catch {
    // Not written by this page.
  }
  fieldErrors.set({
    payload: () =>
      t('“{name}” was not kept when the page was reloaded: attach it again', { name: visible(name) }),
  });
}

/** Restores a session. It connects again only if it was connected, and to the same address. */
function restore(
  session: Session,
  left: Left,
  profiles: readonly Profile[],
  load: () => Promise<Config>,
): void {
  const { connection, subscriptions, publisher } = session;
  const profile = profileOf(left, profiles);
  session.name.value = left.name;
  if (profile) session.use(profile);
  else connection.edit(left.settings);
  if (left.subscriptions) {
    subscriptions.entries.value = [];
    subscriptions.prepare(left.subscriptions);
  }
  if (left.draft) publisher.edit(left.draft);
  attach(publisher, left.file);
  if (Number.isSafeInteger(left.next) && left.next > 0) publisher.next.value = left.next;
  session.topics.pins = left.pins;
  session.fleetForm.value = left.fleet;
  const { url, names, states } = left.scripts;
  for (const [name, json] of states) if (names.includes(name)) session.scripts.states.set(name, json);
  session.scripts.on.value = { url, names };
  void connect(session, left, profile !== undefined && hasSecrets(profile.settings), load);
}

/** Returns false if there is nothing to open. `load` loads the configuration. */
export function reopen(value: unknown, page: Page, load: () => Promise<Config>): boolean {
  if (!isRecord(value)) return false;
  const list = Array.isArray(value.list) ? value.list.flatMap(leftFrom).slice(0, most) : [];
  if (list.length === 0) return false;
  const { sessions, feed, show, drawer } = page;
  drawer.value = drawers.find((one) => one === value.drawer);
  const view = views.find((one) => one === value.view);
  if (view) show(view);
  const names = list.length > 1 ? list.map(({ name }) => name) : [];
  if (isRecord(value.filter)) feed.edit(filterFrom(value.filter, names));
  if (value.paused === true) feed.pause(true);

  let config: Promise<Config> | undefined;
  function loadOnce(): Promise<Config> {
    config ??= load();
    return config;
  }
  const profiles = readProfiles();
  const opened = list.map((_, n) => (n === 0 ? sessions.active.value : sessions.open()));
  opened.forEach((session, n) => {
    restore(session, list[n] as Left, profiles, loadOnce);
  });
  const shown =
    (typeof value.active === 'number' ? opened[value.active] : undefined) ?? (opened[0] as Session);
  sessions.show(shown);
  void shown.connection.readBrokers(loadOnce);
  return true;
}
