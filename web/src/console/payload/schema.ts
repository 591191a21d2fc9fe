/**
 * What .proto files say. Only the reflection of protobufjs is used: its decoders
 * are generated code, which the page's policy forbids.
 */

import protobuf, { type NamespaceBase, type Root } from 'protobufjs';
import { t } from '../core/i18n/i18n';
import { visible, wordsOf } from '../core/text';
import { PayloadError } from './error';

export interface Schema {
  root: Root;
  /** Full names of the message types, sorted. */
  types: string[];
}

export interface ProtoFile {
  name: string;
  text: string;
}

/** How Protobuf is read and written. */
export interface Definition {
  /** Full name of the message. */
  type?: string | undefined;
  files?: readonly ProtoFile[] | undefined;
}

/** Characters of all files together. */
const largest = 1024 * 1024;

function messageTypes(root: NamespaceBase): string[] {
  const types: string[] = [];
  const spaces = [root];
  for (let space = spaces.pop(); space; space = spaces.pop()) {
    for (const item of space.nestedArray) {
      if (item instanceof protobuf.Type) types.push(item.fullName.slice(1));
      if (item instanceof protobuf.Namespace) spaces.push(item);
    }
  }
  return types.sort();
}

function fileOf(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}

/**
 * Throws PayloadError. What a file imports is looked for among the files, by
 * the last part of its path, and among Google's own.
 */
export function readSchema(files: readonly ProtoFile[]): Schema {
  if (files.reduce((sum, { text }) => sum + text.length, 0) > largest) {
    throw new PayloadError(() => t('the files are larger than 1 MiB together'));
  }
  const root = new protobuf.Root();
  const names = new Set(files.map(({ name }) => name));
  const imports = new Set<string>();
  let reading = '';
  try {
    for (const { name, text } of files) {
      reading = `${name}: `;
      const found = protobuf.parse(text, root, { keepCase: true });
      for (const path of [...(found.imports ?? []), ...(found.weakImports ?? [])]) imports.add(path);
    }
    reading = '';
    for (const path of imports) {
      const googles = protobuf.common.get(path);
      if (googles) root.addJSON(googles.nested ?? {});
      else if (!names.has(fileOf(path)))
        throw new PayloadError(() => t('choose {file} as well, which is imported', { file: path }));
    }
    root.resolveAll();
  } catch (error) {
    throw new PayloadError(() => visible(`${reading}${wordsOf(error)}`).slice(0, 300));
  }
  const types = messageTypes(root);
  if (types.length === 0) throw new PayloadError(() => t('no message type is defined'));
  return { root, types };
}

const known = new WeakMap<readonly ProtoFile[], Schema | PayloadError>();

/** The same, once for all messages. */
export function schemaOf(files: readonly ProtoFile[]): Schema {
  let schema = known.get(files);
  if (!schema) {
    try {
      schema = readSchema(files);
    } catch (error) {
      schema = error as PayloadError;
    }
    known.set(files, schema);
  }
  if (schema instanceof PayloadError) throw schema;
  return schema;
}

/** The chosen type, or the only one there is. */
export function chosenOf({ types }: Pick<Schema, 'types'>, type: string | undefined): string | undefined {
  if (type !== undefined && types.includes(type)) return type;
  return types.length === 1 ? types[0] : undefined;
}
