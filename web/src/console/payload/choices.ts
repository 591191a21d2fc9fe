/**
 * How the user wants to see payloads, by topic filter. The most specific filter that matches a
 * topic decides.
 */

import { computed, signal } from '@preact/signals';
import { compile } from '../../client/routing/topic-filter';
import { mistakeIn } from '../core/failure';
import { t, type Words } from '../core/i18n/i18n';
import { isRecord, keptList, type Tab } from '../core/storage';
import { isFormat, type ViewFormat } from './format';

export interface Choice {
  /** Missing: chosen by the payload. */
  format?: ViewFormat;
  /** Full name of the Protobuf message. */
  type?: string;
}

interface Entry extends Choice {
  filter: string;
}

/** Filters remembered; they may be 64 KiB long. */
const most = 500;

/** Changes when Protobuf definitions are loaded, which changes what payloads mean. */
export const schemas = signal(0);

function entryFrom(value: unknown): Entry | undefined {
  if (!isRecord(value) || typeof value.filter !== 'string' || mistakeIn(value.filter)) return undefined;
  const { filter, format, type } = value;
  return {
    filter,
    ...((isFormat(format) || format === 'image') && { format }),
    ...(typeof type === 'string' && { type }),
  };
}

const rank = (level: string | undefined): number => (level === '#' ? 2 : level === '+' ? 1 : 0);

/** Level by level, a name comes before `+`, and `+` before `#`. */
function bySpecificity(a: Entry, b: Entry): number {
  const [one, other] = [a.filter.split('/'), b.filter.split('/')];
  const at = one.findIndex((level, n) => rank(level) !== rank(other[n]));
  return at < 0 ? one.length - other.length : rank(one[at]) - rank(other[at]);
}

/** Whether a filter matches everything that another one does. */
function covers(wide: string, narrow: string): boolean {
  return compile(wide)(narrow) && (wide.endsWith('#') || !narrow.endsWith('#'));
}

export function createChoices(tab?: Tab) {
  const list = keptList<Entry>(
    { key: 'mqttwasm.formats', read: entryFrom, nameOf: ({ filter }) => filter, most, oldestGo: true },
    tab,
  );
  const ordered = computed(() =>
    list.entries.value.toSorted(bySpecificity).map(({ filter, ...choice }) => {
      return { filter, choice, selects: compile(filter) };
    }),
  );
  const none: Choice = {};

  function found(topic: string) {
    return ordered.value.find(({ filter, selects }) => filter === topic || selects(topic));
  }

  /** The same object until a choice is made. */
  function recall(topic: string): Choice {
    return found(topic)?.choice ?? none;
  }

  /** The filter that a topic's choice was made for; the topic itself if there is none. */
  function filterFor(topic: string): string {
    return found(topic)?.filter ?? topic;
  }

  /** Returns whether it was kept for the next visit. */
  function remember(filter: string, choice: Choice): boolean {
    const automatic = choice.format === undefined && choice.type === undefined;
    const wider = list.entries.value.some((other) => other.filter !== filter && covers(other.filter, filter));
    const dropped = automatic && !wider;
    return list.change(dropped ? [] : [{ filter, ...choice }], dropped ? [filter] : [], true) === 'kept';
  }

  /**
   * Applies a topic's choice to what `filter` matches, in addition to the filter that it was made
   * for, unless the new one covers that. Returns what is wrong with the filter; empty if it is
   * valid.
   */
  function extend(topic: string, filter: string): Words | '' {
    const mistake = mistakeIn(filter);
    if (mistake) return () => mistake;
    if (filter !== topic && !compile(filter)(topic)) return () => t('It does not select this topic');
    const before = filterFor(topic);
    if (before === filter) return '';
    list.change([{ filter, ...recall(topic) }], covers(filter, before) ? [before] : [], true);
    return '';
  }

  return { recall, filterFor, remember, extend };
}

export const { recall, filterFor, remember, extend } = createChoices();
