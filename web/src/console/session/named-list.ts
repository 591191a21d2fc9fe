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
  /** An entry out of foreign JSON; undefined where that is none. */
  read(value: unknown): E | undefined;
  most: number;
  /** What there is one of; the name where it is not told. */
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

  /** The same name again replaces. */
  const put = (...given: E[]): boolean => change(given);

  /** Under names that are free: none is replaced. As they are kept; none where `problem` says why. */
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

  /** What `read` gives is added; what it throws is the problem. */
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
