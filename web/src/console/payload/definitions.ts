/** The user's .proto files, which stay loaded for as long as the page is open. */

import { signal } from '@preact/signals';
import type { Type } from 'protobufjs';
import { t } from '../core/i18n/i18n';
import { visible } from '../core/text';
import { schemas } from './choices';
import { PayloadError } from './error';
import { readSchema, type Schema } from './schema';

export const schema = signal<Schema | undefined>(undefined);
/** Why the files chosen last were not taken. */
export const problem = signal('');
/** Of the files that are loaded. */
export const names = signal<string[]>([]);

/** Bytes of one file that are read at all. */
const largest = 1024 * 1024;

export async function load(files: File[]): Promise<void> {
  try {
    const tooLarge = files.find(({ size }) => size > largest);
    if (tooLarge) throw new Error(t('{file} is larger than 1 MiB', { file: visible(tooLarge.name) }));
    const texts = await Promise.all(
      files.map(async (file) => ({ name: file.name, text: await file.text() })),
    );
    schema.value = readSchema(texts);
    names.value = files.map(({ name }) => visible(name));
    problem.value = '';
    schemas.value++;
  } catch (reason) {
    problem.value = reason instanceof Error ? reason.message : String(reason);
  }
}

/** The only one there is, where none has been chosen. */
export function chosen(type: string | undefined): string | undefined {
  const types = schema.value?.types ?? [];
  if (type !== undefined && types.includes(type)) return type;
  return types.length === 1 ? types[0] : undefined;
}

/** Throws PayloadError where there is none. */
export function chosenType(type: string): Type {
  const name = chosen(type);
  if (schema.value && name !== undefined) return schema.value.root.lookupType(name);
  throw new PayloadError(
    t(
      schema.value
        ? 'choose the message type, under Properties'
        : 'load the .proto files that define it, under Properties',
    ),
  );
}
