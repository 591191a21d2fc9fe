/**
 * How the user wants to see payloads: in which format, by topic filter, of which the most specific
 * one that matches a topic decides; and by which .proto files.
 */

import { computed } from '@preact/signals';
import { compile } from '../../client/routing/topic-filter';
import { mistakeIn } from '../core/failure';
import { t, type Words } from '../core/i18n/i18n';
import { isRecord, keptList, type Tab } from '../core/storage';
import { isFormat, type ViewFormat } from './format';
import type { Definition, ProtoFile } from './schema';

export interface Choice extends Definition {
  /** Missing: chosen by the payload. */
  format?: ViewFormat;
}

/** Returns the choice for a topic, which is the same object until another one is made. */
export type Recall = (topic: string) => Choice;

interface Entry extends Choice {
  filter: string;
}

/** Filters remembered, which may be 64 KiB long, and files. */
const most = 500;

function entryFrom(value: unknown): Entry | undefined {
  if (!isRecord(value) || typeof value.filter !== 'string' || mistakeIn(value.filter)) return undefined;
  const { filter, format, type } = value;
  return {
    filter,
    ...((isFormat(format) || format === 'image') && { format }),
    ...(typeof type === 'string' && { type }),
  };
}

function fileFrom(value: unknown): ProtoFile | undefined {
  if (!isRecord(value) || typeof value.name !== 'string' || typeof value.text !== 'string') return undefined;
  return { name: value.name, text: value.text };
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

export type Choices = ReturnType<typeof createChoices>;

export function createChoices(tab?: Tab) {
  /** The user's .proto files. */
  const files = keptList<ProtoFile>(
    { key: 'mqttwasm.proto', read: fileFrom, nameOf: ({ name }) => name, most },
    tab,
  );
  const list = keptList<Entry>(
    { key: 'mqttwasm.formats', read: entryFrom, nameOf: ({ filter }) => filter, most, oldestGo: true },
    tab,
  );
  const none = computed((): Choice => (files.entries.value.length > 0 ? { files: files.entries.value } : {}));
  const ordered = computed(() =>
    list.entries.value.toSorted(bySpecificity).map(({ filter, ...kept }) => {
      return { filter, kept, choice: { ...kept, ...none.value }, selects: compile(filter) };
    }),
  );

  function found(topic: string) {
    return ordered.value.find(({ filter, selects }) => filter === topic || selects(topic));
  }

  const recall: Recall = (topic) => found(topic)?.choice ?? none.value;

  /** The filter that a topic's choice was made for; the topic itself if there is none. */
  function filterFor(topic: string): string {
    return found(topic)?.filter ?? topic;
  }

  /** Returns whether it was kept for the next visit. */
  function remember(filter: string, { format, type }: Choice): boolean {
    const automatic = format === undefined && type === undefined;
    const wider = list.entries.value.some((other) => other.filter !== filter && covers(other.filter, filter));
    const dropped = automatic && !wider;
    return (
      list.change(
        dropped ? [] : [{ filter, ...(format && { format }), type }],
        dropped ? [filter] : [],
        true,
      ) === 'kept'
    );
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
    list.change([{ filter, ...found(topic)?.kept }], covers(filter, before) ? [before] : [], true);
    return '';
  }

  return { files, recall, filterFor, remember, extend };
}
