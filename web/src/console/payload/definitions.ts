/** The user's .proto files, which are kept for the next visit. */

import { batch, effect, signal } from '@preact/signals';
import type { Type } from 'protobufjs';
import { createTold, TranslatedError, t } from '../core/i18n/i18n';
import { noRoom } from '../core/no-room';
import { isRecord, keptList, type Tab } from '../core/storage';
import { visible, wordsOf } from '../core/text';
import { schemas } from './choices';
import { PayloadError } from './error';
import { type ProtoFile, readSchema, type Schema } from './schema';

/** Bytes of one file that are read at all, and files that are kept. */
const largest = 1024 * 1024;
const most = 500;

function fileFrom(value: unknown): ProtoFile | undefined {
  if (!isRecord(value) || typeof value.name !== 'string' || typeof value.text !== 'string') return undefined;
  return { name: value.name, text: value.text };
}

export function createDefinitions(tab?: Tab) {
  const schema = signal<Schema | undefined>(undefined);
  /** Why the files chosen last were not accepted, or are not kept. */
  const problem = createTold();
  /** Of the files that are loaded. */
  const names = signal<string[]>([]);

  const list = keptList<ProtoFile>(
    { key: 'mqttwasm.proto', read: fileFrom, nameOf: ({ name }) => name, most },
    tab,
  );
  let taken: readonly ProtoFile[] = [];

  function take(files: readonly ProtoFile[]): void {
    const read = files.length > 0 ? readSchema(files) : undefined;
    taken = files;
    batch(() => {
      schema.value = read;
      names.value = files.map(({ name }) => visible(name));
      problem.value = '';
      schemas.value = schemas.peek() + 1;
    });
  }

  async function load(files: File[]): Promise<void> {
    try {
      const tooLarge = files.find(({ size }) => size > largest);
      if (tooLarge)
        throw new TranslatedError(() => t('{file} is larger than 1 MiB', { file: visible(tooLarge.name) }));
      const texts = await Promise.all(
        files.map(async (file) => ({ name: file.name, text: await file.text() })),
      );
      take(texts);
      const others = list.latest().filter(({ name }) => texts.every((file) => file.name !== name));
      const outcome = list.change(
        texts,
        others.map(({ name }) => name),
        true,
      );
      if (outcome !== 'kept') problem.value = noRoom;
    } catch (reason) {
      problem.value = () => wordsOf(reason);
    }
  }

  function isTaken({ name, text }: ProtoFile): boolean {
    return taken.some((file) => file.name === name && file.text === text);
  }

  // Those of the last visit, and what another tab loads.
  effect(() => {
    const files = list.entries.value;
    if (files.length === taken.length && files.every(isTaken)) return;
    try {
      take(files);
    } catch (reason) {
      problem.value = () => wordsOf(reason);
    }
  });

  return { schema, problem, names, load };
}

export const { schema, problem, names, load } = createDefinitions();

/** The chosen type, or the only one there is. */
export function chosen(type: string | undefined): string | undefined {
  const types = schema.value?.types ?? [];
  if (type !== undefined && types.includes(type)) return type;
  return types.length === 1 ? types[0] : undefined;
}

/** Throws PayloadError where there is none. */
export function chosenType(type: string): Type {
  const name = chosen(type);
  if (schema.value && name !== undefined) return schema.value.root.lookupType(name);
  throw new PayloadError(() =>
    t(
      schema.value
        ? 'choose the message type, under Properties'
        : 'load the .proto files that define it, under Properties',
    ),
  );
}
