/**
 * MessagePack. The library decodes into an array of the announced length before
 * it looks for the values, which a few bytes can turn into gigabytes; and it
 * refuses keys that are no strings or numbers. So the values are read here.
 */

import { decodeTimestampExtension, encode as encodeValue } from '@msgpack/msgpack';
import { t } from '../../core/i18n/i18n';
import { PayloadError } from '../error';
import { createNest } from '../nest';
import { bytesLeaf, floatLeaf, type Leaf, numberLeaf, textLeaf, timeNote } from '../scalars';
import type { Sink } from '../sink';
import { integers, parseValue } from '../value';

/** Extension type of timestamps. */
const timestamp = -1;

/** Throws PayloadError. */
export function decode(payload: Uint8Array, out: Sink): void {
  const view = new DataView(payload.buffer, payload.byteOffset, payload.length);
  const nest = createNest(out);
  let at = 0;

  function take(size: number): number {
    if (size > payload.length - at)
      throw new PayloadError(() => t('the payload ends in the middle of a value'));
    at += size;
    return at - size;
  }

  function bytes(size: number): Uint8Array {
    const from = take(size);
    return payload.subarray(from, at);
  }

  /** Unsigned, of 1, 2 or 4 bytes. */
  function length(size: number): number {
    const from = take(size);
    return size === 1 ? view.getUint8(from) : size === 2 ? view.getUint16(from) : view.getUint32(from);
  }

  function extension(size: number): Leaf {
    const type = view.getInt8(take(1));
    const raw = bytes(size);
    const [kind, text, note] = bytesLeaf(raw);
    if (type === timestamp && [4, 8, 12].includes(size)) {
      const time = timeNote(decodeTimestampExtension(raw).getTime());
      if (time) return [kind, text, t('timestamp {time}', { time })];
    }
    return [kind, text, t('extension {type}, {size}', { type, size: note ?? '' })];
  }

  function value(): void {
    const first = view.getUint8(take(1));
    if (first <= 0x7f) nest.leaf(numberLeaf(first));
    else if (first <= 0x8f) nest.begin(true, first & 0x0f);
    else if (first <= 0x9f) nest.begin(false, first & 0x0f);
    else if (first <= 0xbf) nest.leaf(textLeaf(bytes(first & 0x1f)));
    else if (first >= 0xe0) nest.leaf(numberLeaf(first - 0x100));
    else if (first === 0xc0) nest.leaf(['word', 'null']);
    else if (first === 0xc2) nest.leaf(['word', 'false']);
    else if (first === 0xc3) nest.leaf(['word', 'true']);
    else if (first === 0xc1) throw new PayloadError(() => t('byte c1 is never used'));
    else if (first <= 0xc6) nest.leaf(bytesLeaf(bytes(length(1 << (first - 0xc4)))));
    else if (first <= 0xc9) nest.leaf(extension(length(1 << (first - 0xc7))));
    else if (first === 0xca) nest.leaf(floatLeaf(view.getFloat32(take(4))));
    else if (first === 0xcb) nest.leaf(numberLeaf(view.getFloat64(take(8))));
    else if (first <= 0xce) nest.leaf(numberLeaf(length(1 << (first - 0xcc))));
    else if (first === 0xcf) nest.leaf(numberLeaf(view.getBigUint64(take(8))));
    else if (first === 0xd0) nest.leaf(numberLeaf(view.getInt8(take(1))));
    else if (first === 0xd1) nest.leaf(numberLeaf(view.getInt16(take(2))));
    else if (first === 0xd2) nest.leaf(numberLeaf(view.getInt32(take(4))));
    else if (first === 0xd3) nest.leaf(numberLeaf(view.getBigInt64(take(8))));
    else if (first <= 0xd8) nest.leaf(extension(1 << (first - 0xd4)));
    else if (first <= 0xdb) nest.leaf(textLeaf(bytes(length(1 << (first - 0xd9)))));
    else if (first <= 0xdd) nest.begin(false, length(2 << (first - 0xdc)));
    else nest.begin(true, length(2 << (first - 0xde)));
  }

  while (!nest.done && !out.full) value();
  const rest = payload.length - at;
  if (nest.done && rest > 0)
    throw new PayloadError(() => t('{count} more bytes follow the value', { count: rest }));
}

/** From JSON. */
export function encode(text: string): Uint8Array {
  const value = parseValue(text, integers.msgpack);
  return encodeValue(value, { useBigInt64: true, maxDepth: Number.POSITIVE_INFINITY });
}
