/** What is saved by name in this browser, in the order of the names. */

import { computed, signal } from '@preact/signals';
import { whyNotKept } from '../core/no-room';
import { keptList, type Tab } from '../core/storage';

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
  const problem = signal('');

  function change(put: readonly E[], dropped: readonly string[] = []): boolean {
    problem.value = whyNotKept(list.change(put, dropped), options.most);
    return problem.value === '';
  }

  /** The same name again replaces. */
  const put = (...given: E[]): boolean => change(given);

  /** By its key. */
  function remove(key: string): void {
    change([], [key]);
  }

  return { entries, problem, latest: list.latest, put, remove };
}
