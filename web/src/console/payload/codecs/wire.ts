/** Protocol Buffers' wire format, https://protobuf.dev/programming-guides/encoding/ */

import { t } from '../../core/i18n/i18n';
import { limits } from '../../core/limits';
import { PayloadError, tooDeep } from '../error';

export const wireTypes = ['varint', '64 bits', 'bytes', 'group', 'end of group', '32 bits'] as const;

export interface WireField {
  id: number;
  /** Index of `wireTypes`; a group's end never appears. */
  wire: number;
  /** Of a varint. */
  value: bigint;
  /** Of the others: the bytes without tag and length. */
  bytes: Uint8Array;
}

/** A payload of a megabyte may have half a million. */
const most = 100_000;
const nothing = new Uint8Array(0);

export function createReader(bytes: Uint8Array) {
  let at = 0;

  function cut(): never {
    throw new PayloadError(() => t('a message ends in the middle of a value'));
  }

  function varint(): bigint {
    let low = 0;
    // 28 bits without a bigint, which most need.
    for (let shift = 0; shift < 28; shift += 7) {
      const byte = bytes[at++] ?? cut();
      low |= (byte & 0x7f) << shift;
      if (byte < 0x80) return BigInt(low);
    }
    let value = BigInt(low);
    for (let shift = 28n; shift < 70n; shift += 7n) {
      const byte = bytes[at++] ?? cut();
      value |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) return BigInt.asUintN(64, value);
    }
    throw new PayloadError(() => t('a varint is longer than 10 bytes'));
  }

  function take(size: number): Uint8Array {
    if (size > bytes.length - at) cut();
    at += size;
    return bytes.subarray(at - size, at);
  }

  function field(depth: number): WireField {
    const tag = Number(varint());
    const id = Math.floor(tag / 8);
    const wire = tag % 8;
    if (id === 0 || id > 0x1fffffff)
      throw new PayloadError(() => t('there is no field number {number}', { number: String(id) }));
    if (wire === 0) return { id, wire, value: varint(), bytes: nothing };
    if (wire === 1) return { id, wire, value: 0n, bytes: take(8) };
    if (wire === 2) return { id, wire, value: 0n, bytes: take(Number(varint())) };
    if (wire === 5) return { id, wire, value: 0n, bytes: take(4) };
    if (wire === 4) return { id, wire, value: 0n, bytes: nothing };
    if (wire !== 3) throw new PayloadError(() => t('there is no wire type {number}', { number: wire }));
    if (depth === limits.depth) throw tooDeep();
    const start = at;
    for (;;) {
      const end = at;
      const inner = field(depth + 1);
      if (inner.wire !== 4) continue;
      if (inner.id !== id)
        throw new PayloadError(() =>
          t('group {number} ends as group {other}', { number: String(id), other: String(inner.id) }),
        );
      return { id, wire, value: 0n, bytes: bytes.subarray(start, end) };
    }
  }

  return {
    done: () => at >= bytes.length,
    varint,
    take,
    field: () => field(0),
  };
}

/** The fields of one message by their numbers, in the order in which each came first. */
export function readFields(bytes: Uint8Array): Map<number, WireField[]> {
  const fields = new Map<number, WireField[]>();
  const reader = createReader(bytes);
  for (let count = 0; !reader.done(); count++) {
    if (count === most)
      throw new PayloadError(() => t('more than {count} fields in one message', { count: most }));
    const field = reader.field();
    if (field.wire === 4)
      throw new PayloadError(() =>
        t('group {number} ends without having begun', { number: String(field.id) }),
      );
    const same = fields.get(field.id);
    if (same) same.push(field);
    else fields.set(field.id, [field]);
  }
  return fields;
}
