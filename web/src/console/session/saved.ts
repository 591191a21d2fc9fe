/** Messages saved by name in this browser, in collections, and carried to others as JSON. */

import { mark, TranslatedError, t, type Words } from '../core/i18n/i18n';
import { inShapeOf, isRecord, type Tab } from '../core/storage';
import { visible } from '../core/text';
import { formats } from '../payload/encode';
import { isFormat } from '../payload/format';
import { emptyMessage, isQoS, type Message } from './message';
import { createNamedList } from './named-list';

export interface SavedMessage {
  /** Empty for a message that is in none. */
  collection: string;
  name: string;
  message: Message;
}

const key = 'mqttwasm.messages';
/** Messages in one browser, and characters of a file that is read: more than a browser has room for. */
const most = 200;
export const largestFile = 20_000_000;
const format = 'mqttwasm messages';

/** A message from foreign JSON; what is missing or invalid is as in an empty one. */
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
  if (!isRecord(value) || typeof value.name !== 'string' || value.name === '') return undefined;
  const { name, collection } = value;
  // Earlier versions of the page had no collections.
  return {
    collection: typeof collection === 'string' ? collection : '',
    name,
    message: messageFrom(value.message),
  };
}

/** One name may be in several collections. */
export const keyOf = ({ collection, name }: Pick<SavedMessage, 'collection' | 'name'>): string =>
  collection === '' ? name : `${collection}\u0000${name}`;

export type ImportCode = 'too-large' | 'not-json' | 'foreign' | 'newer' | 'empty' | 'bad-message';

/** Why a file is not imported. */
export class ImportError extends TranslatedError {
  constructor(
    readonly code: ImportCode,
    words: Words,
    /** What of it is wrong, such as `messages[2].message.qos`. */
    readonly path?: string,
  ) {
    super(words);
    this.name = 'ImportError';
  }
}

const kinds: Record<string, string> = {
  string: mark('text'),
  number: mark('a number'),
  boolean: mark('true or false'),
  object: mark('an object'),
};

function fail(path: string, expected: Words): never {
  const words = () => t('{path} must be {expected}. Nothing was imported.', { path, expected: expected() });
  throw new ImportError('bad-message', words, path);
}

const isPair = (value: unknown): boolean =>
  Array.isArray(value) && value.length === 2 && value.every((text) => typeof text === 'string');

/** What is present must have the type in `model`: otherwise its meaning would be lost. */
function checkShape(model: object, value: unknown, path: string): void {
  if (!isRecord(value)) fail(path, () => t('an object'));
  for (const [name, own] of Object.entries(model) as [string, unknown][]) {
    const at = `${path}.${name}`;
    const given = Object.hasOwn(value, name) ? value[name] : undefined;
    if (given === undefined || own === undefined) continue;
    if (Array.isArray(own)) {
      if (!Array.isArray(given) || !given.every(isPair)) fail(at, () => t('a list of pairs of text'));
    } else if (isRecord(own)) checkShape(own, given, at);
    else if (typeof given !== typeof own) fail(at, () => t(kinds[typeof own] ?? ''));
  }
}

function importOne(value: unknown, path: string): SavedMessage {
  checkShape({ collection: '', name: '', message: emptyMessage }, value, path);
  const { collection = '', name, message } = value as Record<string, unknown> & Partial<SavedMessage>;
  if (!name) fail(`${path}.name`, () => t('text'));
  if (!message) fail(`${path}.message`, () => t('an object'));
  const { qos = 0, format = 'text' } = message;
  if (!isQoS(qos)) fail(`${path}.message.qos`, () => t('0, 1 or 2'));
  if (!isFormat(format)) fail(`${path}.message.format`, () => formats.map(([known]) => known).join(', '));
  return { collection, name, message: messageFrom(message) };
}

/** All messages of a file. Throws ImportError. */
export function importMessages(text: string): SavedMessage[] {
  if (text.length > largestFile)
    throw new ImportError('too-large', () => t('The file is larger than any that this page exports'));
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    const why = visible((error as Error).message.slice(0, 200));
    throw new ImportError('not-json', () => `${t('The file is not JSON')}: ${why}`);
  }
  if (!isRecord(value) || value.format !== format)
    throw new ImportError('foreign', () => t('The file holds no messages that this page exported'), 'format');
  if (value.version !== 1)
    throw new ImportError('newer', () => t('The file is of another version of this page'), 'version');
  const { messages } = value;
  if (!Array.isArray(messages) || messages.length === 0)
    throw new ImportError('empty', () => t('The file holds no messages'), 'messages');
  return messages.map((one: unknown, n) => importOne(one, `messages[${n}]`));
}

export function exportMessages(messages: readonly SavedMessage[]): string {
  return `${JSON.stringify({ format, version: 1, messages }, null, 2)}\n`;
}

export function createSaved(tab?: Tab) {
  const list = createNamedList<SavedMessage>({ key, read: savedFrom, most, keyOf }, tab);
  const { entries, problem, put } = list;

  /** Replaces a message of the same name in the same collection. */
  function save(name: string, draft: Message, collection = ''): boolean {
    const { topic, payload, format, type, qos, retain, properties } = draft;
    const message: Message = { topic, payload, file: undefined, format, type, qos, retain, properties };
    return put({ collection, name, message });
  }

  const remove = (name: string, collection = ''): void => list.remove(keyOf({ collection, name }));

  /**
   * Returns how many were imported; 0 if it failed, for the reason in `problem`. A name that exists
   * gets a number: none is replaced.
   */
  const add = (text: string): number => list.take(() => importMessages(text)).length;

  return { entries, problem, save, remove, add };
}
