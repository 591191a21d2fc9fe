/** Single values of Protobuf: decoding by their types, and encoding what is typed. */

import protobuf, { type Enum, type FieldBase } from 'protobufjs';
import { t, type Words } from '../../core/i18n/i18n';
import { visible, wordsOf } from '../../core/text';
import { PayloadError } from '../error';
import { floatLeaf, type Leaf, numberLeaf } from '../scalars';
import type { Value } from '../value';

/** Says that a negative number may be put into an unsigned field, as its two's complement. */
export type Wraps = (field: FieldBase) => boolean;

// A map, because a .proto may call a type `constructor`.
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

export function wireOf(field: FieldBase): number {
  if (field.resolvedType instanceof protobuf.Enum || field.type === 'bool') return 0;
  if (field.type === 'double') return 1;
  if (field.type === 'float') return 5;
  return whole.get(field.type)?.wire ?? 2;
}

/** Of 32 or 64 bits, as they came. */
function wholeOf({ type }: FieldBase, raw: bigint): bigint {
  const { bits, signed, zigzag } = whole.get(type) ?? { bits: 64, signed: false };
  const value = BigInt.asUintN(bits, raw);
  if (zigzag) return (value >> 1n) ^ -(value & 1n);
  return signed ? BigInt.asIntN(bits, value) : value;
}

export function varintLeaf(field: FieldBase, value: bigint): Leaf {
  if (field.resolvedType instanceof protobuf.Enum) {
    const number = BigInt.asIntN(32, value);
    const name = field.resolvedType.valuesById[Number(number)];
    return name === undefined ? numberLeaf(number) : ['word', name, String(number)];
  }
  return field.type === 'bool' ? ['word', String(value !== 0n)] : numberLeaf(wholeOf(field, value));
}

/** Of 4 or 8 bytes, little endian. */
export function fixedLeaf(field: FieldBase, bytes: Uint8Array): Leaf {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  if (field.type === 'float') return floatLeaf(view.getFloat32(0, true));
  if (field.type === 'double') return numberLeaf(view.getFloat64(0, true));
  const raw = bytes.length === 4 ? BigInt(view.getUint32(0, true)) : view.getBigUint64(0, true);
  return numberLeaf(wholeOf(field, raw));
}

export function fail(path: string, what: Words): never {
  throw new PayloadError(() => `${visible(path.slice(0, 100))}: ${what()}`);
}

export function shown(value: Value): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return t('a list');
  if (typeof value === 'object') return t('an object');
  return visible(typeof value === 'string' ? JSON.stringify(value.slice(0, 40)) : String(value));
}

export function varint(value: bigint): number[] {
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

function integerOf(value: Value, path: string): bigint {
  if (typeof value === 'bigint') return value;
  if (typeof value === 'number' && Number.isInteger(value)) return BigInt(value);
  if (typeof value === 'string' && /^-?\d{1,20}$/.test(value)) return BigInt(value);
  return fail(path, () => t('{value} is not a whole number', { value: shown(value) }));
}

export function integer(field: FieldBase, value: Value, path: string, wraps: Wraps): Iterable<number> {
  const type = whole.get(field.type);
  if (!type) return fail(path, () => t('there is no type {type}', { type: visible(field.type) }));
  const { bits, signed, wire, zigzag } = type;
  const number = integerOf(value, path);
  const least = signed || wraps(field) ? -(2n ** BigInt(bits - 1)) : 0n;
  const most = 2n ** BigInt(signed ? bits - 1 : bits) - 1n;
  if (number < least || number > most)
    fail(path, () => t('{number} does not fit in {type}', { number: String(number), type: field.type }));
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

export function float(field: FieldBase, value: Value, path: string): Uint8Array {
  const number =
    typeof value === 'string'
      ? notNumbers.get(value)
      : typeof value === 'number' || typeof value === 'bigint'
        ? Number(value)
        : undefined;
  if (number === undefined) return fail(path, () => t('{value} is not a number', { value: shown(value) }));
  if (field.type === 'double') return fixed(8, (view) => view.setFloat64(0, number, true));
  if (Number.isFinite(number) && !Number.isFinite(Math.fround(number)))
    fail(path, () => t('{number} does not fit in {type}', { number: String(number), type: 'float' }));
  return fixed(4, (view) => view.setFloat32(0, number, true));
}

export function enumeration({ name, values, valuesById }: Enum, value: Value, path: string): number[] {
  if (typeof value === 'number' && Number.isInteger(value) && Math.abs(value) <= 2 ** 31)
    return varint(BigInt(value));
  if (typeof value === 'string' && Object.hasOwn(values, value)) return varint(BigInt(values[value] ?? 0));
  const some = Object.values(valuesById).slice(0, 5).join(', ');
  return fail(path, () =>
    t('{value} is not one of {enumeration}: {some}, …', {
      value: shown(value),
      enumeration: visible(name),
      some: visible(some),
    }),
  );
}

/** Text and bytes, which `read` gives or refuses. */
export function typed(value: Value, path: string, read: (text: string) => Uint8Array): Uint8Array {
  if (typeof value !== 'string') return fail(path, () => t('{value} is not text', { value: shown(value) }));
  try {
    return read(value);
  } catch (error) {
    return fail(path, () => wordsOf(error));
  }
}
