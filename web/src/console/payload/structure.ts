/** Whether bytes are one map or array in CBOR or MessagePack, from their heads alone. */

import { limits } from '../core/limits';

/** As few could be anything, unless they are a map whose first key is a string. */
const enough = 8;

interface Cursor {
  bytes: Uint8Array;
  at: number;
  /** Of what is open: values to come, or Infinity up to a break. */
  left: number[];
}

/** An unsigned integer of so many bytes. */
function take(cursor: Cursor, size: number): number {
  let value = 0;
  for (let n = 0; n < size; n++) value = value * 256 + (cursor.bytes[cursor.at++] ?? 0);
  return value;
}

const pass = (cursor: Cursor, bytes: number): void => {
  cursor.at += bytes;
};

/** Each returns false if the value that begins there is not well-formed. */
type Skip = (cursor: Cursor, head: number) => boolean;

/** RFC 8949, 3. */
const cbor: Skip = (cursor, head) => {
  const [kind, info] = [head >> 5, head & 31];
  if (info === 31) {
    if (kind < 2 || kind > 5) return false;
    cursor.left.push(Number.POSITIVE_INFINITY);
    return true;
  }
  if (info > 27) return false;
  const value = info > 23 ? take(cursor, 1 << (info - 24)) : info;
  if (kind === 2 || kind === 3) pass(cursor, value);
  else if (kind > 3 && kind < 7) cursor.left.push(kind === 6 ? 1 : value * (kind - 3));
  return true;
};

/** Bytes that follow the heads from 0xca to 0xd8, with the type of an extension. */
const sizes = [4, 8, 1, 2, 4, 8, 1, 2, 4, 8, 2, 3, 5, 9, 17];

/** https://github.com/msgpack/msgpack/blob/master/spec.md */
const msgpack: Skip = (cursor, head) => {
  const { left } = cursor;
  if (head < 0x80 || head >= 0xe0) return true;
  if (head < 0x90) left.push(2 * (head & 15));
  else if (head < 0xa0) left.push(head & 15);
  else if (head < 0xc0) pass(cursor, head & 31);
  else if (head < 0xc4) return head !== 0xc1;
  else if (head < 0xca) pass(cursor, take(cursor, 1 << ((head - 0xc4) % 3)) + (head < 0xc7 ? 0 : 1));
  else if (head < 0xd9) pass(cursor, sizes[head - 0xca] ?? 0);
  else if (head < 0xdc) pass(cursor, take(cursor, 1 << (head - 0xd9)));
  else left.push(take(cursor, head & 1 ? 4 : 2) * (head < 0xde ? 1 : 2));
  return true;
};

/** Steps from one value to the next, which take some milliseconds. */
const most = 200_000;

/** Whether they are one value, no more and no less. */
function isOne(bytes: Uint8Array, skip: Skip): boolean {
  const cursor: Cursor = { bytes, at: 0, left: [1] };
  for (let step = 0; step < most; step++) {
    const inside = cursor.left.at(-1);
    if (inside === undefined) return cursor.at === bytes.length;
    if (inside === 0) {
      cursor.left.pop();
      continue;
    }
    const head = bytes[cursor.at++];
    if (head === undefined || cursor.left.length > limits.depth) return false;
    if (head === 0xff && inside === Number.POSITIVE_INFINITY) {
      cursor.left.pop();
      continue;
    }
    cursor.left[cursor.left.length - 1] = inside - 1;
    if (!skip(cursor, head)) return false;
  }
  return false;
}

const within = (byte: number, from: number, to: number) => byte >= from && byte <= to;

export function structureOf(payload: Uint8Array): 'cbor' | 'msgpack' | undefined {
  const [first = 0, second = 0, third = 0] = payload;
  // Self-described CBOR (RFC 8949, 3.4.6).
  if (first === 0xd9 && second === 0xd9 && third === 0xf7) return 'cbor';
  const inCbor = within(first, 0x81, 0xbf) && (first & 31) > 0;
  const inMsgpack = within(first, 0x81, 0x9f) || within(first, 0xdc, 0xdf);
  const named = first < 0xa0 ? within(second, 0xa0, 0xbf) || second === 0xd9 : within(second, 0x60, 0x78);
  if (payload.length < enough && !named) return undefined;
  const packed = inMsgpack && isOne(payload, msgpack);
  // A map of MessagePack begins like an array of CBOR: its keys are strings more often than not.
  if (inCbor && !(packed && named) && isOne(payload, cbor)) return 'cbor';
  return packed ? 'msgpack' : undefined;
}
