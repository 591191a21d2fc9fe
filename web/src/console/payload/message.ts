/** One Protobuf message, as its type says or, without one, by field numbers. */

import protobuf, { type FieldBase, type MapField, type Type } from 'protobufjs';
import { t } from '../core/i18n/i18n';
import { decodeUtf8 } from '../core/text';
import { bytesLeaf, floatLeaf, type Leaf, numberLeaf, stringLeaf } from './scalars';
import type { Sink } from './sink';
import { createReader, readFields, type WireField, wireTypes } from './wire';

export type Fields = ReadonlyMap<number, WireField[]>;

/** Says more about a number than its type does. */
export type Interpret = (field: FieldBase, value: bigint, among: Fields) => Leaf | undefined;

// Maps, because a .proto may call a type `constructor`.
const varints = new Map<string, (value: bigint) => bigint | boolean>([
  ['int32', (value) => BigInt.asIntN(32, value)],
  ['uint32', (value) => BigInt.asUintN(32, value)],
  ['sint32', (value) => zigzag(BigInt.asUintN(32, value))],
  ['int64', (value) => BigInt.asIntN(64, value)],
  ['uint64', (value) => value],
  ['sint64', zigzag],
  ['bool', (value) => value !== 0n],
]);

const fixed = new Map<string, readonly [wire: number, read: (view: DataView) => Leaf]>([
  ['fixed32', [5, (view) => numberLeaf(view.getUint32(0, true))]],
  ['sfixed32', [5, (view) => numberLeaf(view.getInt32(0, true))]],
  ['float', [5, (view) => floatLeaf(view.getFloat32(0, true))]],
  ['fixed64', [1, (view) => numberLeaf(view.getBigUint64(0, true))]],
  ['sfixed64', [1, (view) => numberLeaf(view.getBigInt64(0, true))]],
  ['double', [1, (view) => numberLeaf(view.getFloat64(0, true))]],
]);

function zigzag(value: bigint): bigint {
  return (value >> 1n) ^ -(value & 1n);
}

function wireOf(field: FieldBase): number {
  if (field.resolvedType instanceof protobuf.Enum || varints.has(field.type)) return 0;
  return fixed.get(field.type)?.[0] ?? 2;
}

function view(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
}

function textLeaf(bytes: Uint8Array): Leaf {
  const text = decodeUtf8(bytes);
  if (text !== undefined) return stringLeaf(text);
  const [kind, shown, note] = bytesLeaf(bytes);
  return [kind, shown, t('{size} of a string that is not UTF-8', { size: note ?? '' })];
}

function varintLeaf(field: FieldBase, value: bigint): Leaf {
  if (field.resolvedType instanceof protobuf.Enum) {
    const number = BigInt.asIntN(32, value);
    const name = field.resolvedType.valuesById[Number(number)];
    return name === undefined ? numberLeaf(number) : ['word', name, String(number)];
  }
  const read = varints.get(field.type)?.(value) ?? value;
  return typeof read === 'boolean' ? ['word', String(read)] : numberLeaf(read);
}

/** Of a field that no type describes, or that is not as its type describes it. */
function bareLeaf({ wire, value, bytes }: WireField, why: string): Leaf {
  if (wire === 0) return ['number', String(value), `${why}, ${wireTypes[wire]}`];
  if (wire === 2 && bytes.length > 0) {
    const text = decodeUtf8(bytes);
    // biome-ignore lint/suspicious/noControlCharactersInRegex: they tell messages from text
    if (text !== undefined && !/[\u0000-\u0008\u000e-\u001f]/.test(text)) {
      return ['string', JSON.stringify(text), `${why}, ${wireTypes[wire]}`];
    }
  }
  const [kind, shown, size] = bytesLeaf(bytes);
  return [kind, shown, `${why}, ${size}`];
}

export function decodeMessage(
  payload: Uint8Array,
  type: Type | undefined,
  out: Sink,
  interpret: Interpret = () => undefined,
): void {
  function scalar(field: FieldBase, { value, bytes }: WireField, among: Fields): Leaf {
    if (wireOf(field) === 0) return interpret(field, value, among) ?? varintLeaf(field, value);
    const read = fixed.get(field.type)?.[1];
    if (read) return read(view(bytes));
    return field.type === 'string' ? textLeaf(bytes) : bytesLeaf(bytes);
  }

  function one(field: FieldBase, raw: WireField, among: Fields, key?: string): void {
    if (field.resolvedType instanceof protobuf.Type && (raw.wire === 2 || raw.wire === 3)) {
      message(raw.bytes, field.resolvedType, key);
      return;
    }
    const fits = raw.wire === wireOf(field);
    const [kind, text, note] = fits
      ? scalar(field, raw, among)
      : bareLeaf(raw, t('not {type}', { type: field.type }));
    out.leaf(kind, text, key, note);
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
      // Of several the last one counts, and the others are shown for what they are: sent.
      for (const item of raw) if (!out.full) one(field, item, among, key);
      return;
    }
    out.open('[', key);
    for (const item of raw) {
      if (out.full) return;
      if (item.wire === 2 && wireOf(field) !== 2) packed(field, item, among);
      else one(field, item, among);
    }
    if (!out.full) out.close();
  }

  function message(bytes: Uint8Array, is: Type | undefined, key?: string): void {
    out.open('{', key);
    const fields = readFields(bytes);
    for (const [id, raw] of fields) {
      if (out.full) return;
      const field = is?.fieldsById[id];
      if (field) described(field, raw, fields);
      else {
        for (const item of raw) {
          if (out.full) return;
          const [kind, text, note] = bareLeaf(item, t(is ? 'unknown field' : 'field'));
          out.leaf(kind, text, String(id), note);
        }
      }
    }
    if (!out.full) out.close();
  }

  message(payload, type);
}
