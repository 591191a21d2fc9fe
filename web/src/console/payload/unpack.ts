/** Payloads that are compressed with gzip or zlib (RFC 1950 to 1952). */

import { limits } from '../core/limits';

export interface Unpacked {
  by: 'gzip' | 'zlib';
  bytes: Uint8Array;
}

/** What it seems to be compressed with, by its first bytes. */
export function packerOf([first = 0, second = 0, third]: Uint8Array): Unpacked['by'] | undefined {
  if (first === 0x1f && second === 0x8b && third === 8) return 'gzip';
  // Deflate with a window of 32 KiB, no dictionary, and a checksum.
  return first === 0x78 && (second & 0x20) === 0 && (256 * first + second) % 31 === 0 ? 'zlib' : undefined;
}

/**
 * Undefined if it is not compressed, or is cut, or would be larger than what is decoded; of such a
 * one the head that decides a row, if `headOnly`.
 */
export async function unpack(payload: Uint8Array, headOnly = false): Promise<Unpacked | undefined> {
  const by = packerOf(payload);
  if (!by) return undefined;
  const most = (headOnly ? limits.row : limits.payload).decoded;
  const packed = new Blob([payload.slice(0, most)]).stream();
  const reader = packed.pipeThrough(new DecompressionStream(by === 'gzip' ? 'gzip' : 'deflate')).getReader();
  const parts: Uint8Array<ArrayBuffer>[] = [];
  let size = 0;
  const unpacked = async () => ({ by, bytes: new Uint8Array(await new Blob(parts).arrayBuffer()) });
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return await unpacked();
      parts.push(value as Uint8Array<ArrayBuffer>);
      size += value.length;
      if (size > most) {
        // A few kilobytes can unpack into gigabytes.
        reader.cancel().catch(() => {});
        return headOnly ? await unpacked() : undefined;
      }
    }
  } catch {
    return undefined;
  }
}
