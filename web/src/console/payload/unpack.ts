/** Payloads that are compressed with gzip or zlib (RFC 1950 to 1952). */

import { limits } from '../core/limits';

export interface Unpacked {
  by: 'gzip' | 'zlib';
  bytes: Uint8Array;
}

function packerOf([first = 0, second = 0, third]: Uint8Array): Unpacked['by'] | undefined {
  if (first === 0x1f && second === 0x8b && third === 8) return 'gzip';
  // Deflate with a window of 32 KiB, no dictionary, and a checksum.
  return first === 0x78 && (second & 0x20) === 0 && (256 * first + second) % 31 === 0 ? 'zlib' : undefined;
}

/** Undefined if it is not compressed, or is cut, or would be larger than what is decoded. */
export async function unpack(payload: Uint8Array): Promise<Unpacked | undefined> {
  const by = packerOf(payload);
  if (!by) return undefined;
  const packed = new Blob([payload.slice()]).stream();
  const reader = packed.pipeThrough(new DecompressionStream(by === 'gzip' ? 'gzip' : 'deflate')).getReader();
  const parts: Uint8Array<ArrayBuffer>[] = [];
  let size = 0;
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return { by, bytes: new Uint8Array(await new Blob(parts).arrayBuffer()) };
      parts.push(value as Uint8Array<ArrayBuffer>);
      size += value.length;
      if (size > limits.payload.decoded) {
        // A few kilobytes can unpack into gigabytes.
        reader.cancel().catch(() => {});
        return undefined;
      }
    }
  } catch {
    return undefined;
  }
}
