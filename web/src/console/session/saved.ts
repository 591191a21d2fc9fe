/** Messages saved by name, in this browser. */

import { inShapeOf, isRecord, type Tab } from '../core/storage';
import { formats } from '../payload/encode';
import { emptyMessage, isQoS, type Message } from './message';
import { createNamedList } from './named-list';

export interface SavedMessage {
  name: string;
  message: Message;
}

const key = 'mqttwasm.messages';
const most = 200;

const isFormat = (value: string): boolean => formats.some(([format]) => format === value);

/** A message out of foreign JSON; what is missing or wrong is as in an empty one. */
export function messageFrom(value: unknown): Message {
  const message = inShapeOf(emptyMessage, value);
  return {
    ...message,
    file: undefined,
    format: isFormat(message.format) ? message.format : 'text',
    qos: isQoS(message.qos) ? message.qos : 0,
  };
}

export function savedFrom(value: unknown): SavedMessage | undefined {
  return isRecord(value) && typeof value.name === 'string' && value.name !== ''
    ? { name: value.name, message: messageFrom(value.message) }
    : undefined;
}

export function createSaved(tab?: Tab) {
  const { entries, problem, put, remove } = createNamedList({ key, read: savedFrom, most }, tab);

  /** The same name again replaces. */
  function save(name: string, { topic, payload, format, type, qos, retain, properties }: Message): boolean {
    const message: Message = { topic, payload, file: undefined, format, type, qos, retain, properties };
    return put({ name, message });
  }

  return { entries, problem, save, remove };
}
