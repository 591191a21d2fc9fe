/**
 * Protobuf from JSON as it is typed, in the manner of ProtoJSON
 * (https://protobuf.dev/programming-guides/json/): names as in the .proto or in
 * lowerCamelCase, 64 bits as numbers or text, bytes in Base64, enumerations by
 * name or number. What is typed is sent, also where it is the default.
 *
 * By reflection, like the decoder: protobufjs would generate code, which the
 * page's policy forbids.
 */

import protobuf, { type Enum, type Field, type FieldBase, type MapField, type Type } from 'protobufjs';
import { t } from '../core/i18n/i18n';
import { visible } from '../core/text';
import { chosenType } from './definitions';
import { PayloadError } from './error';
import { payloadType } from './sparkplug';
import { fromBase64, fromText } from './typed';
import { integers, parseValue, type Value } from './value';

type Fields = { [key: string]: Value };

/** Says that a negative number may be put into an unsigned field, as its two's complement. */
type Wraps = (field: FieldBase) => boolean;

// Maps, because a .proto may call a type `constructor`.
const whole = new Map<string, { bits: 32 | 64; signed: boolean; wire: 0 | 1 | 5; zigzag?: true }>([
  ['int32', { bits: 32, signed: true, wire: 0 }],
  ['uint32', { bits: 32, signed: false, wire: 0 }],
  ['sint32', { bits: 32, signed: true, wire: 0, zigzag: true }],
  ['int64', { bits: 64, signed: true, wire: 0 }],
  ['uint64', { bits: 64, signed: false, wire: 0 }],
  ['sint64', { bits: 64, signed: true, wire: 0, zigzag: true }],
  ['fixed32', { bits: 32, signed: false, wire: 5 }],
  ['sfixed32', { bits: 32, signed: true, wire: 5 }],
  ['fixed64', { bits: 64, signed: false, wire: 1 }],
  ['sfixed64', { bits: 64, signed: true, wire: 1 }],
]);

function fail(path: string, what: string): never {
  throw new PayloadError(`${visible(path.slice(0, 100))}: ${what}`);
}

function shown(value: Value): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return t('a list');
  if (typeof value === 'object') return t('an object');
  return visible(typeof value === 'string' ? JSON.stringify(value.slice(0, 40)) : String(value));
}

function varint(value: bigint): number[] {
  const bytes: number[] = [];
  let rest = BigInt.asUintN(64, value);
  while (rest > 0x7fn) {
    bytes.push(Number(rest & 0x7fn) | 0x80);
    rest >>= 7n;
  }
  bytes.push(Number(rest));
  return bytes;
}

/** Little endian. */
function fixed(size: 4 | 8, set: (view: DataView) => void): Uint8Array {
  const bytes = new Uint8Array(size);
  set(new DataView(bytes.buffer));
  return bytes;
}

function wireOf(field: FieldBase): number {
  if (field.resolvedType instanceof protobuf.Enum || field.type === 'bool') return 0;
  if (field.type === 'double') return 1;
  if (field.type === 'float') return 5;
  return whole.get(field.type)?.wire ?? 2;
}

function integerOf(value: Value, path: string): bigint {
  if (typeof value === 'bigint') return value;
  if (typeof value === 'number' && Number.isInteger(value)) return BigInt(value);
  if (typeof value === 'string' && /^-?\d{1,20}$/.test(value)) return BigInt(value);
  return fail(path, t('{value} is not a whole number', { value: shown(value) }));
}

function integer(field: FieldBase, value: Value, path: string, wraps: Wraps): Iterable<number> {
  const type = whole.get(field.type);
  if (!type) return fail(path, t('there is no type {type}', { type: visible(field.type) }));
  const { bits, signed, wire, zigzag } = type;
  const number = integerOf(value, path);
  const least = signed || wraps(field) ? -(2n ** BigInt(bits - 1)) : 0n;
  const most = 2n ** BigInt(signed ? bits - 1 : bits) - 1n;
  if (number < least || number > most)
    fail(path, t('{number} does not fit in {type}', { number: String(number), type: field.type }));
  if (wire === 1) return fixed(8, (view) => view.setBigUint64(0, BigInt.asUintN(64, number), true));
  if (wire === 5) return fixed(4, (view) => view.setUint32(0, Number(BigInt.asUintN(32, number)), true));
  if (zigzag) return varint(number < 0n ? -2n * number - 1n : 2n * number);
  // A negative int32 is sent in 64 bits, a wrapped uint32 is not.
  return varint(signed ? number : BigInt.asUintN(bits, number));
}

const notNumbers = new Map([
  ['NaN', Number.NaN],
  ['Infinity', Number.POSITIVE_INFINITY],
  ['-Infinity', Number.NEGATIVE_INFINITY],
]);

function float(field: FieldBase, value: Value, path: string): Uint8Array {
  const number =
    typeof value === 'string'
      ? notNumbers.get(value)
      : typeof value === 'number' || typeof value === 'bigint'
        ? Number(value)
        : undefined;
  if (number === undefined) return fail(path, t('{value} is not a number', { value: shown(value) }));
  if (field.type === 'double') return fixed(8, (view) => view.setFloat64(0, number, true));
  if (Number.isFinite(number) && !Number.isFinite(Math.fround(number)))
    fail(path, t('{number} does not fit in {type}', { number, type: 'float' }));
  return fixed(4, (view) => view.setFloat32(0, number, true));
}

function enumeration({ name, values, valuesById }: Enum, value: Value, path: string): number[] {
  if (typeof value === 'number' && Number.isInteger(value) && Math.abs(value) <= 2 ** 31)
    return varint(BigInt(value));
  if (typeof value === 'string' && Object.hasOwn(values, value)) return varint(BigInt(values[value] ?? 0));
  const some = Object.values(valuesById).slice(0, 5).join(', ');
  const words = { value: shown(value), enumeration: visible(name), some: visible(some) };
  return fail(path, t('{value} is none of {enumeration}: {some}, …', words));
}

/** Text and bytes, which `read` gives or refuses. */
function typed(value: Value, path: string, read: (text: string) => Uint8Array): Uint8Array {
  if (typeof value !== 'string') return fail(path, t('{value} is not a text', { value: shown(value) }));
  try {
    return read(value);
  } catch (error) {
    return fail(path, error instanceof Error ? error.message : String(error));
  }
}

/** The field of that name, as the .proto has it or in lowerCamelCase. */
function fieldNamed(type: Type, name: string): Field | undefined {
  if (Object.hasOwn(type.fields, name)) return type.fields[name];
  return type.fieldsArray.find((field) => protobuf.util.camelCase(field.name) === name);
}

function checkPresence(type: Type, present: ReadonlyMap<Field, Value>, path: string): void {
  for (const field of type.fieldsArray) {
    if (field.required && !present.has(field)) fail(`${path}${field.name}`, t('is required, and missing'));
  }
  for (const { fieldsArray } of type.oneofsArray) {
    const [first, second] = fieldsArray.filter((field) => present.has(field));
    if (first && second)
      fail(
        `${path}${second.name}`,
        t('cannot be there together with {field}', { field: visible(first.name) }),
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
        fail(path, t('{value} is neither true nor false', { value: shown(item) }));
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
    return text === 'true' || (text === 'false' ? false : fail(path, t('the key is neither true nor false')));
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
    if (!Array.isArray(item)) fail(path, t('{value} is not a list', { value: shown(item) }));
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
        fail(
          `${path}${name}`,
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

function objectOf(value: Value, path: string): Fields {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value;
  return fail(path, t('{value} is not an object', { value: shown(value) }));
}

/** Throws PayloadError, also when no definition is loaded or none of its types chosen. */
export function encode(text: string, name: string): Uint8Array {
  return encodeMessage(parseValue(text, integers.protobuf), chosenType(name));
}

/** Sparkplug's negative integers go into unsigned fields. */
export function encodeSparkplug(text: string): Uint8Array {
  const value = parseValue(text, integers.protobuf);
  return encodeMessage(value, payloadType, ({ name }) => name === 'int_value' || name === 'long_value');
}
