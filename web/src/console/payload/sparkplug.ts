/** Sparkplug B, whose payloads are Protobuf with types of their own inside. */

import type { FieldBase } from 'protobufjs';
import { decodeMessage, type Fields } from './message';
import { type Leaf, numberLeaf, timeNote } from './scalars';
import { readSchema } from './schema';
import type { Sink } from './sink';
import source from './sparkplug.proto?raw';

export const payloadType = readSchema([{ name: 'sparkplug.proto', text: source }]).root.lookupType(
  'sparkplug.Payload',
);

/** Negative integers are sent as unsigned ones; bits by data type. */
const signed: Record<number, number> = { 1: 8, 2: 16, 3: 32, 4: 64 };
const dateTime = 13;

function interpret(field: FieldBase, value: bigint, among: Fields): Leaf | undefined {
  if (field.name === 'timestamp') return ['number', String(value), timeNote(Number(value))];
  if (field.name !== 'int_value' && field.name !== 'long_value') return undefined;
  const described = field.parent?.get('datatype') ?? field.parent?.get('type');
  const id = described && 'id' in described ? Number(described.id) : 0;
  const type = Number(among.get(id)?.at(-1)?.value ?? 0n);
  if (type === dateTime) return ['number', String(value), timeNote(Number(value))];
  const bits = signed[type];
  return bits ? numberLeaf(BigInt.asIntN(bits, value)) : undefined;
}

/** Throws PayloadError. */
export function decode(payload: Uint8Array, out: Sink): void {
  decodeMessage(payload, payloadType, out, interpret);
}
