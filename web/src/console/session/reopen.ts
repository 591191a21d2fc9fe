/** Opens what was open before the page was reloaded. */

import { t } from '../core/i18n/i18n';
import { isRecord } from '../core/storage';
import type { Kept } from './keep';
import { createProfiles, type Profile, settingsFrom } from './profiles';
import type { Session } from './session';
import { leaveOutPasswords } from './settings';

/** Connections that are opened by themselves. */
const most = 50;

interface Connections {
  active: { readonly value: Session };
  open(): Session;
  show(live: Session): void;
}

function keptFrom(value: unknown): Kept[] {
  if (!isRecord(value) || typeof value.name !== 'string') return [];
  const { name, profile, secrets, connected } = value;
  return [
    {
      name,
      ...(typeof profile === 'string' && { profile }),
      settings: settingsFrom(value.settings),
      secrets: secrets === true,
      connected: connected === true,
    },
  ];
}

/** The profile, if it still is what the connection was filled from: it may know the password. */
function profileOf({ profile, settings }: Kept, profiles: readonly Profile[]): Profile | undefined {
  const found = profiles.find(({ name }) => name === profile);
  const same = found && JSON.stringify(leaveOutPasswords(found.settings)) === JSON.stringify(settings);
  return same ? found : undefined;
}

function fill(live: Session, kept: Kept, profiles: readonly Profile[]): void {
  const { connection } = live;
  const profile = profileOf(kept, profiles);
  live.name.value = kept.name;
  if (profile) live.use(profile);
  else connection.edit(kept.settings);
  if (!kept.connected) return;
  if (!kept.secrets || profile) void connection.connect();
  else {
    connection.tell(() => ({
      tone: 'warning',
      title: t('Not connected again: passwords are not kept when the page is reloaded'),
      advice: t('Fill in the password under Options and press Connect, or keep it in a profile.'),
    }));
  }
}

/** What connects again is what was connected. False where there is nothing to open. */
export function reopen(value: unknown, connections: Connections): boolean {
  const list =
    isRecord(value) && Array.isArray(value.list) ? value.list.flatMap(keptFrom).slice(0, most) : [];
  if (list.length < 2) return false;
  const profiles = createProfiles().entries.value;
  const lives = list.map((_, n) => (n === 0 ? connections.active.value : connections.open()));
  lives.forEach((live, n) => {
    fill(live, list[n] as Kept, profiles);
  });
  const shown = isRecord(value) && typeof value.active === 'number' ? lives[value.active] : undefined;
  connections.show(shown ?? (lives[0] as Session));
  return true;
}
