/** Values of the binary formats as text. */

import { bytes as inWords } from '../core/counts';
import { t } from '../core/i18n/i18n';
import { decodeUtf8, hex } from '../core/text';
import type { Scalar } from './sink';

/** Bytes shown of one byte string. */
const shownBytes = 64;

export type Leaf = readonly [kind: Scalar, text: string, note?: string | undefined];

export function numberLeaf(value: number | bigint): Leaf {
  if (typeof value === 'number' && !Number.isFinite(value)) return ['word', String(value)];
  return ['number', Object.is(value, -0) ? '-0' : String(value)];
}

/** The shortest decimal that is this single-precision number, and not all digits of its double. */
export function floatLeaf(value: number): Leaf {
  for (let digits = 6; digits < 9; digits++) {
    const short = Number(value.toPrecision(digits));
    if (Math.fround(short) === value) return numberLeaf(short);
  }
  return numberLeaf(value);
}

export function stringLeaf(value: string): Leaf {
  return ['string', JSON.stringify(value)];
}

/** Of bytes that should be text. */
export function textLeaf(bytes: Uint8Array): Leaf {
  const text = decodeUtf8(bytes);
  if (text !== undefined) return stringLeaf(text);
  const [kind, shown, note] = bytesLeaf(bytes);
  return [kind, shown, t('{size} of a string that is not UTF-8', { size: note ?? '' })];
}

/** In the manner of CBOR's diagnostic notation (RFC 8949, 8). */
export function bytesLeaf(bytes: Uint8Array): Leaf {
  const size = inWords(bytes.length);
  const more = bytes.length > shownBytes ? '…' : '';
  return ['bytes', `h'${hex(bytes.subarray(0, shownBytes)).replaceAll(' ', '')}${more}'`, size];
}

/** A note, where the time is one that `Date` has. */
export function timeNote(milliseconds: number): string | undefined {
  const date = new Date(milliseconds);
  return Number.isNaN(date.getTime()) ? undefined : date.toISOString();
}
