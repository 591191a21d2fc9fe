/** The scripts of this browser. */

import { mistakeIn } from '../core/failure';
import { t } from '../core/i18n/i18n';
import { isRecord, type Tab } from '../core/storage';
import { createNamedList } from '../session/named-list';
import { bounds } from './bounds';
import {
  isSame,
  longestName,
  nameFrom,
  rateFrom,
  type Script,
  ScriptError,
  scriptsFrom,
  scriptsOf,
} from './text';

function read(value: unknown): Script | undefined {
  if (!isRecord(value)) return undefined;
  const { name, filter, code, foreign } = value;
  if (typeof name !== 'string' || nameFrom(name) !== name || name === '') return undefined;
  if (typeof filter !== 'string' || mistakeIn(filter)) return undefined;
  if (typeof code !== 'string' || code.length > bounds.code) return undefined;
  return { name, filter, code, rate: rateFrom(value.rate), ...(foreign === true && { foreign }) };
}

/** The scripts of an imported file of profiles. */
export type Brought = ReturnType<Library['bring']>;

export type Library = ReturnType<typeof createLibrary>;

export function createLibrary(tab?: Tab) {
  const list = createNamedList<Script>({ key: 'mqttwasm.scripts', read, most: bounds.scripts }, tab);
  const find = (name: string): Script | undefined => list.entries.peek().find((one) => one.name === name);

  /**
   * Adds scripts under free names, replacing none. Returns their names; none if it failed, for the
   * reason in `problem`.
   */
  function add(...scripts: Script[]): string[] {
    const cut = scripts.map((script) => ({ ...script, name: nameFrom(script.name) }));
    return list.add(cut, longestName).map(({ name }) => name);
  }

  /** Adds the scripts of a file, switched off and to be reviewed first. */
  const addText = (text: string, file: string): string[] =>
    list
      .take(() => scriptsFrom(text, nameFrom(file.replace(/\.\w+$/, '')) || 'script'), longestName)
      .map(({ name }) => name);

  /**
   * Adds the scripts of a file of profiles, switched off and to be reviewed first. One that exists
   * already is not added again. Throws a ScriptError, and then changes nothing.
   */
  function bring(value: unknown) {
    const given = scriptsOf(value);
    const known = list.latest();
    const fresh = given.filter(
      (one, n) => ![...known, ...given.slice(0, n)].some((other) => isSame(one, other)),
    );
    const names = fresh.length > 0 ? add(...fresh) : [];
    if (names.length < fresh.length)
      throw new ScriptError(() => t('Its scripts are not kept. {why}', { why: list.problem.value }));
    const here = list.latest();
    return {
      /** The new names of those to be reviewed, by their names in the file. */
      names: new Map(
        given.flatMap((one): [string, string][] => {
          const found = here.find((other) => other.foreign && isSame(one, other));
          return found ? [[one.name, found.name]] : [];
        }),
      ),
      count: names.length,
      /** How many of them existed already. */
      known: given.length - fresh.length,
      undo: () => names.forEach(list.remove),
    };
  }

  /** The scripts with these names, for a file of profiles. */
  const plain = (names: ReadonlySet<string>) =>
    list.entries
      .peek()
      .filter(({ name }) => names.has(name))
      .map(({ name, filter, rate, code }) => ({ name, filter, rate, code }));

  /** Changes a script, also its name if the new one is free. Returns whether it was kept. */
  function change(name: string, changes: Partial<Script>): boolean {
    const script = find(name);
    if (!script) return false;
    const next = { ...script, ...changes };
    if (next.code.length > bounds.code) {
      list.problem.value = () =>
        t('“{name}” is longer than {count} characters', { name, count: bounds.code });
      return false;
    }
    const renamed = next.name !== name;
    if (renamed && (next.name === '' || find(next.name))) return false;
    if (!list.put(next)) return false;
    if (renamed) list.remove(name);
    return true;
  }

  return {
    entries: list.entries,
    problem: list.problem,
    find,
    add,
    addText,
    bring,
    plain,
    change,
    remove: list.remove,
  };
}
