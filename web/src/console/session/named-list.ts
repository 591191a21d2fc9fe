/** What is saved by name in this browser, in the order of the names. */

import { computed } from '@preact/signals';
import { createTold } from '../core/i18n/i18n';
import { whyNotKept } from '../core/no-room';
import { keptList, type Tab } from '../core/storage';
import { wordsOf } from '../core/text';
import { freeName } from './names';

interface Named {
  name: string;
}

interface Options<E> {
  key: string;
  /** An entry from foreign JSON; undefined if it is not valid. */
  read(value: unknown): E | undefined;
  most: number;
  /** The unique key of an entry. Default: its name. */
  keyOf?(entry: E): string;
}

export function createNamedList<E extends Named>(options: Options<E>, tab?: Tab) {
  const { keyOf = ({ name }: E) => name } = options;
  const list = keptList<E>({ ...options, nameOf: keyOf }, tab);
  const entries = computed(() => list.entries.value.toSorted((a, b) => a.name.localeCompare(b.name)));
  /** Why the last change was not made. */
  const problem = createTold();

  function change(put: readonly E[], dropped: readonly string[] = []): boolean {
    const outcome = list.change(put, dropped);
    problem.value = () => whyNotKept(outcome, options.most);
    return problem.value === '';
  }

  /** Replaces an entry of the same name. */
  const put = (...given: E[]): boolean => change(given);

  /**
   * Adds entries under free names, replacing none. Returns them as kept; none if it failed, for the
   * reason in `problem`.
   */
  function add(given: readonly E[], longest?: number): E[] {
    const taken = new Set(list.latest().map(keyOf));
    const named = given.map((entry) => {
      const isTaken = (name: string) => taken.has(keyOf({ ...entry, name }));
      const free = { ...entry, name: freeName(entry.name, isTaken, longest) };
      taken.add(keyOf(free));
      return free;
    });
    return change(named) ? named : [];
  }

  /** Adds what `read` returns; what it throws becomes `problem`. */
  function take(read: () => readonly E[], longest?: number): E[] {
    try {
      return add(read(), longest);
    } catch (error) {
      problem.value = () => wordsOf(error);
      return [];
    }
  }

  /** By its key. */
  function remove(key: string): void {
    change([], [key]);
  }

  return { entries, problem, latest: list.latest, put, add, take, remove };
}
