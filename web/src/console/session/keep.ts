/**
 * What is open, for a reload of the page: kept for this tab only, and without secrets. A newly
 * opened page starts afresh.
 */

import { keep } from '../core/storage';
import type { Drawer, View } from '../core/view';
import type { Filter } from '../log/filter';
import { base64 } from '../payload/codecs/base64';
import type { Pin } from '../topics/store';
import { defaultBroker } from './config';
import type { Connection } from './connection';
import { key, linkIn, storage } from './kept-open';
import type { Profile } from './profiles';
import type { Draft, Publisher } from './publisher';
import type { Scripts, ScriptsKept } from './scripts';
import { hasSecrets, leaveOutPasswords, plainSettings, type Settings } from './settings';
import type { Kept as KeptSubscription, Subscriptions } from './subscriptions';

export interface KeptFile {
  name: string;
  /** Empty if there was no room. */
  base64: string;
}

/** One connection. */
export interface Kept {
  name: string;
  /** The profile that it was filled from. */
  profile?: string;
  /** Without passwords. An empty address: the default broker's. */
  settings: Settings;
  /** Whether there were any. */
  secrets: boolean;
  /** It was connected, on its way, or failed: nobody had disconnected it. */
  connected: boolean;
  /** The page itself chose the broker, and may do so again. */
  byDefault: boolean;
  /** The page itself fell back from the default broker. */
  instead: boolean;
  subscriptions: KeptSubscription[];
  /** Without its correlation data. */
  draft: Omit<Draft, 'file' | 'correlation'> & { file?: KeptFile };
  /** What `{{n}}` stands for next. */
  next: number;
  /** Missing if none are on. */
  scripts?: ScriptsKept;
  /** Lines of the chart, where there are any. */
  pins?: readonly Pin[];
  /** The form of its fleet, if it was edited. */
  fleet?: unknown;
}

/** A session as far as it is kept. */
interface Session {
  name: { readonly value: string };
  connection: Connection;
  subscriptions: Subscriptions;
  publisher: Publisher;
  scripts: Pick<Scripts, 'on' | 'states'>;
  topics: { readonly pins: readonly Pin[] };
  fleetForm: { readonly value: unknown };
  profile(): Profile | undefined;
}

/** All connections, and what they share. */
export interface KeptPage {
  active: number;
  list: Kept[];
  view: View;
  drawer: Drawer | undefined;
  paused: boolean;
  filter: Filter;
}

/** Bytes of a file. A browser keeps five million characters of a tab. */
const largestFile = 1024 * 1024;

export function keptOf(session: Session): Kept {
  const { name, connection, subscriptions, publisher, scripts, topics, fleetForm } = session;
  const profile = session.profile();
  const { config, notice, status, settings, used, selected, wanted } = connection;
  // An address that was typed but not connected to is not kept, nor what was typed for it.
  const url = (wanted() && status.value.url) || settings.value.url;
  const form = url === settings.value.url ? settings.value : used.value;
  const fellBack = notice.value?.retry !== undefined;
  // If neither broker could be reached, the next attempt begins with the first.
  const neither = fellBack && status.value.phase === 'disconnected';
  const atDefault = url === '' || selected(url) === defaultBroker(config.value)?.name;
  const bare = leaveOutPasswords({ ...form, url });
  const secrets = hasSecrets({ ...form, url });
  const plain = !secrets && JSON.stringify({ ...bare, url: '' }) === JSON.stringify(plainSettings);
  const { file, correlation: _, ...draft } = publisher.draft.value;
  const bytes = file && file.bytes.length <= largestFile ? file.bytes : new Uint8Array(0);
  return {
    name: name.value,
    ...(profile?.settings.url === url && { profile: profile.name }),
    settings: plain && neither ? plainSettings : bare,
    secrets,
    connected: wanted(),
    byDefault: plain && (atDefault || fellBack),
    instead: fellBack && !neither,
    subscriptions: subscriptions.kept(),
    draft: { ...draft, ...(file && { file: { name: file.name, base64: base64(bytes) } }) },
    next: publisher.next.value,
    ...(topics.pins.length > 0 && { pins: topics.pins }),
    ...(fleetForm.value !== undefined && { fleet: fleetForm.value }),
    ...(scripts.on.value.names.length > 0 && {
      scripts: { ...scripts.on.value, ...(scripts.states.size > 0 && { states: [...scripts.states] }) },
    }),
  };
}

function withoutFile({ draft, ...kept }: Kept): Kept {
  return { ...kept, draft: { ...draft, ...(draft.file && { file: { ...draft.file, base64: '' } }) } };
}

function withoutPayload(whole: Kept): Kept {
  const { draft, scripts, fleet: _, ...kept } = withoutFile(whole);
  return {
    ...kept,
    draft: { ...draft, payload: '' },
    ...(scripts && { scripts: { ...scripts, states: [] } }),
  };
}

/** Keeps what `page` has whenever it may be about to go. */
export function keepOpen(page: (of: typeof keptOf) => KeptPage): void {
  const opened = linkIn(location.hash);
  function save(): void {
    // With the link by which the page was opened. By now the address may have another link, which
    // is a new request, or a place on the page.
    const whole = { link: linkIn(location.hash) && opened, ...page(keptOf) };
    for (const trim of [(kept: Kept) => kept, withoutFile, withoutPayload]) {
      if (keep(key, { ...whole, list: whole.list.map(trim) }, storage)) return;
    }
  }
  addEventListener('pagehide', save);
  document.addEventListener('visibilitychange', () => {
    if (document.visibilityState === 'hidden') save();
  });
}
