/** Messages saved by name, in this browser. */

import { signal } from '@preact/signals';
import { t } from '../core/i18n/i18n';
import { noRoom } from '../core/no-room';
import { inShapeOf, isRecord, keep, readKept } from '../core/storage';
import { formats } from '../payload/encode';
import { emptyMessage, type Message } from './message';

export interface SavedMessage {
  name: string;
  message: Message;
}

const key = 'mqttwasm.messages';
const limit = 200;

const isFormat = (value: string): boolean => formats.some(([format]) => format === value);

/** A message out of foreign JSON; what is missing or wrong is as in an empty one. */
export function messageFrom(value: unknown): Message {
  const message = inShapeOf(emptyMessage, value);
  return {
    ...message,
    file: undefined,
    format: isFormat(message.format) ? message.format : 'text',
    qos: [0, 1, 2].includes(message.qos) ? message.qos : 0,
  };
}

export function savedFrom(value: unknown): SavedMessage[] {
  if (!Array.isArray(value)) return [];
  const entries: SavedMessage[] = value.flatMap((entry: unknown) =>
    isRecord(entry) && typeof entry.name === 'string' && entry.name !== ''
      ? [{ name: entry.name, message: messageFrom(entry.message) }]
      : [],
  );
  const last = new Map(entries.map((entry) => [entry.name, entry]));
  return [...last.values()].slice(0, limit);
}

export function createSaved() {
  const entries = signal(savedFrom(readKept(key)));
  const problem = signal('');

  function change(to: SavedMessage[]): void {
    if (to.length > limit) problem.value = t('There is room for {most}: delete one first.', { most: limit });
    else problem.value = keep(key, to) ? '' : noRoom();
    if (problem.value === '') entries.value = to;
  }

  /** The same name again replaces. */
  function save(name: string, { topic, payload, format, type, qos, retain, properties }: Message): boolean {
    const message: Message = { topic, payload, file: undefined, format, type, qos, retain, properties };
    const others = entries.value.filter((entry) => entry.name !== name);
    change([...others, { name, message }].sort((a, b) => a.name.localeCompare(b.name)));
    return problem.value === '';
  }

  function remove(name: string): void {
    change(entries.value.filter((entry) => entry.name !== name));
  }

  return { entries, problem, save, remove };
}
