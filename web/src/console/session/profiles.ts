/** Connections saved by name in this browser, and carried to others as JSON. */

import { TranslatedError, t } from '../core/i18n/i18n';
import { inShapeOf, isRecord, readKept, type Tab } from '../core/storage';
import { loginFrom } from './login-fields';
import { isQoS } from './message';
import { createNamedList } from './named-list';
import { leaveOutPasswords, leaveOutSecrets, plainSettings, type Settings, withoutSecrets } from './settings';

export interface Profile {
  name: string;
  /** With the password only if the user asked for that. */
  settings: Settings;
  /** Names of the scripts that are switched on with it. */
  scripts?: readonly string[];
}

const key = 'mqttwasm.profiles';
/** Profiles in one browser, characters of a name, and characters of a file that is read. */
const most = 200;
const longestName = 100;
const mostScripts = 16;
/** With the text of a hundred scripts. */
export const largestFile = 25_000_000;
const format = 'mqttwasm profiles';

/** Settings out of foreign JSON; what is missing or wrong is as in an empty form. */
export function settingsFrom(value: unknown): Settings {
  const settings = inShapeOf(plainSettings, value);
  const qos = isQoS(settings.will.qos) ? settings.will.qos : 0;
  const { login, secrets }: Record<string, unknown> = isRecord(value) ? value : {};
  return { ...settings, ...loginFrom(login, secrets), will: { ...settings.will, qos } };
}

/** Of scripts, out of foreign JSON. */
export const namesFrom = (value: unknown): string[] =>
  Array.isArray(value) ? value.filter((name) => typeof name === 'string').slice(0, mostScripts) : [];

function profileFrom(value: unknown): Profile | undefined {
  if (!isRecord(value) || typeof value.name !== 'string') return undefined;
  const name = value.name.trim().slice(0, longestName);
  const settings = settingsFrom(value.settings);
  const scripts = namesFrom(value.scripts);
  if (name === '' || withoutSecrets(settings.url) === '') return undefined;
  return { name, settings, ...(scripts.length > 0 && { scripts }) };
}

function profilesFrom(value: unknown): Profile[] {
  return Array.isArray(value) ? value.flatMap((entry: unknown) => profileFrom(entry) ?? []) : [];
}

/** As a file holds it: without credentials, and with those of its scripts that `nameOf` knows. */
function bare(
  { name, settings, scripts = [] }: Profile,
  nameOf: (script: string) => string | undefined,
): Profile {
  const known = [...new Set(scripts.flatMap((script) => nameOf(script) ?? []))];
  return { name, settings: leaveOutSecrets(settings), ...(known.length > 0 && { scripts: known }) };
}

/** `scripts`: those that they switch on, to go with them. */
export function exportProfiles(
  profiles: readonly Profile[],
  scripts: readonly { name: string }[] = [],
): string {
  const names = new Set(scripts.map(({ name }) => name));
  const list = profiles.map((profile) => bare(profile, (name) => (names.has(name) ? name : undefined)));
  const file = { format, version: 1, profiles: list, ...(scripts.length > 0 && { scripts }) };
  return `${JSON.stringify(file, null, 2)}\n`;
}

/** Imports scripts from foreign JSON, and returns the new names of those that a profile may switch on. */
type Bring = (scripts: unknown) => ReadonlyMap<string, string>;

/** The profiles of a file. Throws an error if there are none. Credentials are never imported. */
export function importProfiles(text: string, bring: Bring = () => new Map()): Profile[] {
  if (text.length > largestFile)
    throw new TranslatedError(() => t('The file is larger than any that this page exports'));
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new TranslatedError(() => t('The file is not JSON'));
  }
  if (!isRecord(value) || value.format !== format)
    throw new TranslatedError(() => t('The file was not exported by this page'));
  const profiles = profilesFrom(value.profiles);
  if (profiles.length === 0)
    throw new TranslatedError(() => t('The file holds no profile with a ws: or wss: address'));
  const names = value.scripts === undefined ? new Map<string, string>() : bring(value.scripts);
  return profiles.map((profile) => bare(profile, (name) => names.get(name)));
}

/** As they are stored now. */
export function readProfiles(): Profile[] {
  return profilesFrom(readKept(key));
}

export function createProfiles(tab?: Tab) {
  const list = createNamedList({ key, read: profileFrom, most }, tab);
  const { entries, problem, latest, put, remove } = list;

  /** Replaces a profile of the same name. */
  function save(
    given: string,
    settings: Settings,
    withSecrets: boolean,
    scripts: readonly string[] = [],
  ): boolean {
    const name = given.trim().slice(0, longestName);
    if (name === '') problem.value = () => t('A name to find it by');
    else if (withoutSecrets(settings.url) === '')
      problem.value = () => t('Fill in a ws: or wss: address first');
    else {
      const kept = withSecrets ? settings : leaveOutPasswords(settings);
      return put({ name, settings: kept, ...(scripts.length > 0 && { scripts }) });
    }
    return false;
  }

  /** Returns how many were imported; 0 if it failed, for the reason in `problem`. */
  const add = (text: string, bring?: Bring): number =>
    list.take(() => importProfiles(text, bring), longestName).length;

  /** A script was renamed or deleted: profiles follow it, and ignore another script of its old name. */
  function follow(script: string, renamed?: string): void {
    const changed = latest().flatMap((profile): Profile[] => {
      const { name, settings, scripts = [] } = profile;
      if (!scripts.includes(script)) return [];
      const left = scripts.flatMap((one) => (one === script ? (renamed ?? []) : one));
      return [{ name, settings, ...(left.length > 0 && { scripts: left }) }];
    });
    if (changed.length > 0) put(...changed);
  }

  return { entries, problem, save, remove, add, follow };
}

/** For the page's `part`. */
export const profilesOf = () => createProfiles();
