/**
 * Protobuf: decoded by its type or, without one, by field numbers; and encoded from JSON in the
 * manner of ProtoJSON (https://protobuf.dev/programming-guides/json/): names as in the .proto or in
 * lowerCamelCase, 64 bits as numbers or text, bytes in Base64, enumerations by name or number. What
 * is typed is sent, even if it is the default.
 *
 * It uses the types' reflection: protobufjs would generate code, which the page's policy forbids.
 */

import protobuf, { type Field, type FieldBase, type MapField, type Type } from 'protobufjs';
import { t } from '../../core/i18n/i18n';
import { decodeUtf8, visible } from '../../core/text';
import { PayloadError } from '../error';
import { bytesLeaf, type Leaf, textLeaf } from '../scalars';
import { chosenOf, type Definition, schemaOf } from '../schema';
import type { Sink } from '../sink';
import { integers, parseValue, type Value } from '../value';
import { encode as fromBase64 } from './base64';
import type { Context } from './codec';
import {
  enumeration,
  fail,
  fixedLeaf,
  float,
  integer,
  shown,
  typed,
  varint,
  varintLeaf,
  type Wraps,
  wireOf,
} from './protobuf-values';
import { encode as fromText } from './text';
import { createReader, readFields, type WireField, wireTypes } from './wire';

export type Fields = ReadonlyMap<number, WireField[]>;

/** Interprets a number, or bytes, beyond its type. */
export type Interpret = (field: FieldBase, raw: WireField, among: Fields) => Leaf | undefined;

/**
 * The step of a path instead of the field's name or, for a message in a list, its index. `inner`
 * are the fields of a message; it is absent for a list and other values.
 */
export type Step = (field: FieldBase, inner?: Fields) => string | null | undefined;

/** Messages of no type that are opened in each other. */
const deepest = 20;

function textIn({ wire, bytes }: WireField): string | undefined {
  const text = wire === 2 && bytes.length > 0 ? decodeUtf8(bytes) : undefined;
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they tell messages from text
  return text !== undefined && /[\u0000-\u0008\u000e-\u001f]/.test(text) ? undefined : text;
}

/** Whether a field that has no type is most likely a message. */
function holdsMessage(raw: WireField): boolean {
  if ((raw.wire !== 2 && raw.wire !== 3) || raw.bytes.length === 0 || textIn(raw) !== undefined) return false;
  try {
    return readFields(raw.bytes).size > 0;
  } catch {
    return false;
  }
}

/** The value of a field that has no type, or does not fit its type. */
function bareLeaf(raw: WireField, why: string): Leaf {
  const { wire, value, bytes } = raw;
  if (wire === 0) return ['number', String(value), `${why}, ${wireTypes[wire]}`];
  const text = textIn(raw);
  if (text !== undefined) return ['string', JSON.stringify(text), `${why}, ${wireTypes[wire]}`];
  const [kind, shown, size] = bytesLeaf(bytes);
  return [kind, shown, `${why}, ${size}`];
}

export function decodeMessage(
  payload: Uint8Array,
  type: Type | undefined,
  out: Sink,
  interpret: Interpret = () => undefined,
  stepOf: Step = () => undefined,
): void {
  function scalar(field: FieldBase, raw: WireField, among: Fields): Leaf {
    const { value, bytes } = raw;
    const wire = wireOf(field);
    if (wire === 0) return interpret(field, raw, among) ?? varintLeaf(field, value);
    if (wire !== 2) return fixedLeaf(field, bytes);
    return field.type === 'string' ? textLeaf(bytes) : (interpret(field, raw, among) ?? bytesLeaf(bytes));
  }

  function one(field: FieldBase, raw: WireField, among: Fields, key?: string): void {
    if (field.resolvedType instanceof protobuf.Type && (raw.wire === 2 || raw.wire === 3)) {
      message(raw.bytes, field.resolvedType, key, field);
      return;
    }
    const fits = raw.wire === wireOf(field);
    const [kind, text, note] = fits
      ? scalar(field, raw, among)
      : bareLeaf(raw, t('not {type}', { type: field.type }));
    out.leaf(kind, text, key, note, stepOf(field));
  }

  /** Many numbers in one field. */
  function packed(field: FieldBase, { bytes }: WireField, among: Fields): void {
    const reader = createReader(bytes);
    const wire = wireOf(field);
    while (!reader.done() && !out.full) {
      const raw: WireField =
        wire === 0
          ? { id: field.id, wire, value: reader.varint(), bytes }
          : { id: field.id, wire, value: 0n, bytes: reader.take(wire === 1 ? 8 : 4) };
      one(field, raw, among);
    }
  }

  /** A map's entries are messages with the key in field 1 and the value in field 2. */
  function entry(field: MapField, keyField: FieldBase, bytes: Uint8Array): void {
    const fields = readFields(bytes);
    const key = fields.get(1)?.at(-1);
    const value = fields.get(2)?.at(-1);
    let name = field.keyType === 'string' ? '""' : '0';
    if (key) name = (key.wire === wireOf(keyField) ? scalar(keyField, key, fields) : bareLeaf(key, ''))[1];
    if (value) one(field, value, fields, name);
    else out.leaf('word', t('absent'), name);
  }

  function described(field: FieldBase, raw: WireField[], among: Fields): void {
    const key = JSON.stringify(field.name);
    if (field instanceof protobuf.MapField) {
      const keyField = new protobuf.Field('key', 1, field.keyType);
      out.open('{', key);
      for (const item of raw) {
        if (out.full) return;
        if (item.wire === 2) entry(field, keyField, item.bytes);
        else one(field, item, among, '""');
      }
      if (!out.full) out.close();
      return;
    }
    if (!field.repeated) {
      // Of several the last one counts, but all are shown, since they were sent.
      for (const item of raw) if (!out.full) one(field, item, among, key);
      return;
    }
    out.open('[', key, undefined, stepOf(field));
    for (const item of raw) {
      if (out.full) return;
      if (item.wire === 2 && wireOf(field) !== 2) packed(field, item, among);
      else one(field, item, among);
    }
    if (!out.full) out.close();
  }

  function message(bytes: Uint8Array, is: Type | undefined, key?: string, as?: FieldBase, depth = 1): void {
    const fields = readFields(bytes);
    out.open('{', key, undefined, as && stepOf(as, fields));
    for (const [id, raw] of fields) {
      if (out.full) return;
      const field = is?.fieldsById[id];
      if (field) described(field, raw, fields);
      else {
        for (const item of raw) {
          if (out.full) return;
          if (!is && depth < deepest && holdsMessage(item)) {
            message(item.bytes, undefined, String(id), undefined, depth + 1);
            continue;
          }
          const [kind, text, note] = bareLeaf(item, t(is ? 'unknown field' : 'field'));
          out.leaf(kind, text, String(id), note);
        }
      }
    }
    if (!out.full) out.close();
  }

  message(payload, type);
}

/** The field of that name, as the .proto has it or in lowerCamelCase. */
function fieldNamed(type: Type, name: string): Field | undefined {
  if (Object.hasOwn(type.fields, name)) return type.fields[name];
  return type.fieldsArray.find((field) => protobuf.util.camelCase(field.name) === name);
}

function checkPresence(type: Type, present: ReadonlyMap<Field, Value>, path: string): void {
  for (const field of type.fieldsArray) {
    if (field.required && !present.has(field))
      fail(`${path}${field.name}`, () => t('is required but missing'));
  }
  for (const { fieldsArray } of type.oneofsArray) {
    const [first, second] = fieldsArray.filter((field) => present.has(field));
    if (first && second)
      fail(`${path}${second.name}`, () =>
        t('cannot be set together with {field}', { field: visible(first.name) }),
      );
  }
}

/** Throws PayloadError, whose message begins with the field. */
export function encodeMessage(value: Value, type: Type, wraps: Wraps = () => false): Uint8Array {
  const out: number[] = [];

  function put(bytes: Iterable<number>): void {
    for (const byte of bytes) out.push(byte);
  }

  const tag = (id: number, wire: number): void => put(varint(BigInt(id * 8 + wire)));

  /** With its length before it, which is known when it is written. */
  function sized(write: () => void): void {
    const start = out.length;
    write();
    const bytes = out.splice(start);
    put(varint(BigInt(bytes.length)));
    put(bytes);
  }

  function scalar(field: FieldBase, item: Value, path: string): void {
    if (field.resolvedType instanceof protobuf.Enum) put(enumeration(field.resolvedType, item, path));
    else if (field.type === 'bool') {
      if (typeof item !== 'boolean')
        fail(path, () => t('{value} is neither true nor false', { value: shown(item) }));
      out.push(item ? 1 : 0);
    } else if (field.type === 'float' || field.type === 'double') put(float(field, item, path));
    else if (field.type === 'string' || field.type === 'bytes') {
      const bytes = typed(item, path, field.type === 'string' ? fromText : fromBase64);
      put(varint(BigInt(bytes.length)));
      put(bytes);
    } else put(integer(field, item, path, wraps));
  }

  function one(field: FieldBase, id: number, item: Value, path: string): void {
    const of = field.resolvedType;
    if (!(of instanceof protobuf.Type)) {
      tag(id, wireOf(field));
      scalar(field, item, path);
    } else if (field instanceof protobuf.Field && field.delimited) {
      tag(id, 3);
      message(item, of, `${path}.`);
      tag(id, 4);
    } else {
      tag(id, 2);
      sized(() => message(item, of, `${path}.`));
    }
  }

  /** A map's key, which JSON has as text. */
  function keyOf({ keyType }: MapField, text: string, path: string): Value {
    if (keyType !== 'bool') return text;
    return (
      text === 'true' || (text === 'false' ? false : fail(path, () => t('the key is neither true nor false')))
    );
  }

  function map(field: MapField, item: Value, path: string): void {
    const keyField = new protobuf.Field('key', 1, field.keyType);
    for (const [key, each] of Object.entries(objectOf(item, path))) {
      const at = `${path}[${JSON.stringify(key)}]`;
      tag(field.id, 2);
      sized(() => {
        one(keyField, 1, keyOf(field, key, at), at);
        one(field, 2, each, at);
      });
    }
  }

  function several(field: Field, item: Value, path: string): void {
    if (!Array.isArray(item)) fail(path, () => t('{value} is not a list', { value: shown(item) }));
    if (item.length === 0) return;
    if (!field.packed || wireOf(field) === 2) {
      for (const [index, each] of item.entries()) one(field, field.id, each, `${path}[${index}]`);
      return;
    }
    tag(field.id, 2);
    sized(() => {
      for (const [index, each] of item.entries()) scalar(field, each, `${path}[${index}]`);
    });
  }

  function message(item: Value, of: Type, path: string): void {
    const present = new Map<Field, Value>();
    for (const [name, each] of Object.entries(objectOf(item, path.slice(0, -1) || of.name))) {
      const field = fieldNamed(of, name);
      if (!field)
        fail(`${path}${name}`, () =>
          t('there is no such field in {type}', { type: visible(of.fullName.slice(1)) }),
        );
      if (each !== null) present.set(field, each); // null is absent, in ProtoJSON
    }
    checkPresence(of, present, path);
    for (const [field, each] of [...present].sort(([a], [b]) => a.id - b.id)) {
      const at = `${path}${field.name}`;
      if (field instanceof protobuf.MapField) map(field, each, at);
      else if (field.repeated) several(field, each, at);
      else one(field, field.id, each, at);
    }
  }

  message(value, type, '');
  return Uint8Array.from(out);
}

function objectOf(value: Value, path: string): { [key: string]: Value } {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value;
  return fail(path, () => t('{value} is not an object', { value: shown(value) }));
}

function typeOf({ type, files = [] }: Definition): Type | undefined {
  if (files.length === 0) return undefined;
  const schema = schemaOf(files);
  const name = chosenOf(schema, type);
  return name === undefined ? undefined : schema.root.lookupType(name);
}

/** Throws PayloadError. Without a type, field numbers are shown. */
export function decode(payload: Uint8Array, out: Sink, context: Context = {}): void {
  decodeMessage(payload, typeOf(context), out);
}

/** Throws PayloadError, also when no definition is loaded or none of its types chosen. */
export function encode(text: string, definition: Definition = {}): Uint8Array {
  const value = parseValue(text, integers.protobuf);
  const type = typeOf(definition);
  if (type) return encodeMessage(value, type);
  throw new PayloadError(() =>
    t(
      definition.files?.length
        ? 'choose the message type, under Properties'
        : 'load the .proto files that define it, under Properties',
    ),
  );
}
