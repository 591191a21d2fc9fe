/** The arrays of Sparkplug B (3.0, 6.4.1.8): bytes, least significant first. */

import { decodeUtf8 } from '../../core/text';
import { floatLeaf, timeNote } from '../scalars';

/** Values shown of one array. */
const most = 64;

type Read = (view: DataView, at: number) => string;

/** By number of the data type: bytes of a value, and the value as text. */
const numbers: Record<number, readonly [size: number, read: Read]> = {
  22: [1, (view, at) => `${view.getInt8(at)}`],
  23: [2, (view, at) => `${view.getInt16(at, true)}`],
  24: [4, (view, at) => `${view.getInt32(at, true)}`],
  25: [8, (view, at) => `${view.getBigInt64(at, true)}`],
  26: [1, (view, at) => `${view.getUint8(at)}`],
  27: [2, (view, at) => `${view.getUint16(at, true)}`],
  28: [4, (view, at) => `${view.getUint32(at, true)}`],
  29: [8, (view, at) => `${view.getBigUint64(at, true)}`],
  30: [4, (view, at) => floatLeaf(view.getFloat32(at, true))[1]],
  31: [8, (view, at) => `${view.getFloat64(at, true)}`],
  34: [8, (view, at) => timeNote(Number(view.getBigInt64(at, true))) ?? '?'],
};
const [booleans, strings] = [32, 33];

function valuesOf(type: number, bytes: Uint8Array): string[] | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  if (type === strings) {
    const text = decodeUtf8(bytes);
    return text?.endsWith('\0')
      ? text
          .split('\0', most + 2)
          .slice(0, -1)
          .map((one) => JSON.stringify(one))
      : undefined;
  }
  if (type === booleans) {
    const count = bytes.length < 4 ? Number.POSITIVE_INFINITY : view.getUint32(0, true);
    if (count > 8 * (bytes.length - 4)) return undefined;
    // From the most significant bit of each byte.
    const bit = (_: unknown, at: number) => `${(view.getUint8(4 + (at >> 3)) & (0x80 >> (at & 7))) > 0}`;
    return Array.from({ length: Math.min(count, most + 1) }, bit);
  }
  const [size, read] = numbers[type] ?? [];
  if (!size || !read || bytes.length % size > 0) return undefined;
  return Array.from({ length: Math.min(bytes.length / size, most + 1) }, (_, at) => read(view, at * size));
}

/** Such as `[1.5, 2]`; undefined if it is no array, or one that is cut. */
export function arrayOf(type: number, bytes: Uint8Array): string | undefined {
  const values = valuesOf(type, bytes);
  if (values && values.length > most) values.splice(most, values.length, '…');
  return values && `[${values.join(', ')}]`;
}
