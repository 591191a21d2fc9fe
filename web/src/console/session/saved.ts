/** Messages saved by name, in this browser. */

import { computed, signal } from '@preact/signals';
import { whyNotKept } from '../core/no-room';
import { inShapeOf, isRecord, keptList, type Tab } from '../core/storage';
import { formats } from '../payload/encode';
import { emptyMessage, type Message } from './message';
import { byName } from './names';

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

export function savedFrom(value: unknown): SavedMessage | undefined {
  return isRecord(value) && typeof value.name === 'string' && value.name !== ''
    ? { name: value.name, message: messageFrom(value.message) }
    : undefined;
}

export function createSaved(tab?: Tab) {
  const list = keptList<SavedMessage>({ key, read: savedFrom, nameOf: ({ name }) => name, most: limit }, tab);
  const entries = computed(() => list.entries.value.toSorted(byName));
  const problem = signal('');

  function change(put: readonly SavedMessage[], dropped: readonly string[] = []): boolean {
    problem.value = whyNotKept(list.change(put, dropped), limit);
    return problem.value === '';
  }

  /** The same name again replaces. */
  function save(name: string, { topic, payload, format, type, qos, retain, properties }: Message): boolean {
    const message: Message = { topic, payload, file: undefined, format, type, qos, retain, properties };
    return change([{ name, message }]);
  }

  function remove(name: string): void {
    change([], [name]);
  }

  return { entries, problem, save, remove };
}
