/** Pictures, by what their first bytes say. */

import { t } from '../core/i18n/i18n';
import { limits } from '../core/limits';
import { decodeUtf8, formatCount, headOf } from '../core/text';
import { PayloadError } from './error';

export interface Picture {
  type: string;
  /** In pixels; an SVG has none of its own. */
  size?: readonly [width: number, height: number];
}

function ascii(bytes: Uint8Array, from: number, to: number): string {
  return String.fromCharCode(...bytes.subarray(from, to));
}

/** From the frame header, behind segments of any number (ITU T.81, B.2.2). */
function jpegSize(bytes: Uint8Array, view: DataView): readonly [number, number] | undefined {
  let at = 2;
  while (at + 9 < bytes.length && bytes[at] === 0xff) {
    const marker = bytes[at + 1] ?? 0;
    if (marker >= 0xc0 && marker <= 0xcf && ![0xc4, 0xc8, 0xcc].includes(marker)) {
      return [view.getUint16(at + 7), view.getUint16(at + 5)];
    }
    at += marker === 0xff ? 1 : 2 + view.getUint16(at + 2);
  }
  return undefined;
}

/** The three kinds of RFC 9649. */
function webpSize(bytes: Uint8Array, view: DataView): readonly [number, number] | undefined {
  const kind = ascii(bytes, 12, 16);
  const three = (at: number) => view.getUint16(at, true) + (view.getUint8(at + 2) << 16) + 1;
  if (kind === 'VP8X') return [three(24), three(27)];
  if (kind === 'VP8 ') return [view.getUint16(26, true) & 0x3fff, view.getUint16(28, true) & 0x3fff];
  if (kind !== 'VP8L') return undefined;
  const bits = view.getUint32(21, true);
  return [(bits & 0x3fff) + 1, ((bits >> 14) & 0x3fff) + 1];
}

function sizeOf(type: string, bytes: Uint8Array): readonly [number, number] | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  if (type === 'image/png') return [view.getUint32(16), view.getUint32(20)];
  if (type === 'image/gif') return [view.getUint16(6, true), view.getUint16(8, true)];
  return type === 'image/jpeg' ? jpegSize(bytes, view) : webpSize(bytes, view);
}

/** Throws PayloadError if it is not a picture, or too large to show. */
export function pictureOf(payload: Uint8Array, type: string | undefined): Picture {
  if (type === undefined)
    throw new PayloadError(() => t('it does not begin like PNG, JPEG, GIF, WebP or SVG'));
  if (type === 'image/svg+xml') {
    if (payload.length > limits.picture.markup)
      throw new PayloadError(() => t('an SVG of more than 1 MiB is not drawn'));
    if (decodeUtf8(headOf(payload, limits.picture.markup)) === undefined)
      throw new PayloadError(() => t('the SVG is not UTF-8'));
    return { type };
  }
  let size: readonly [number, number] | undefined;
  try {
    size = sizeOf(type, payload);
  } catch {
    // The bytes end before it.
  }
  if (!size) throw new PayloadError(() => t('its size is missing'));
  const [width, height] = size;
  if (width * height > limits.picture.pixels) {
    const pixels = { width: formatCount(width), height: formatCount(height) };
    throw new PayloadError(() => t('{width} × {height} pixels are too many to show', pixels));
  }
  return { type, size };
}
