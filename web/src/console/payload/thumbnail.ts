/** A picture as small as a row, and as still. */

import { limits } from '../core/limits';
import { pictureType } from './guess';
import { pictureOf } from './image';

export interface Thumbnail {
  /** The kind of picture, such as `PNG`. */
  kind: string;
  size: readonly [width: number, height: number];
  /** Pixels of the page. */
  shown: readonly [width: number, height: number];
  /** Until the returned is called. */
  draw(canvas: HTMLCanvasElement): () => void;
}

/**
 * Undefined if it is too large for a row, or of a kind that can keep the page busy. Throws
 * PayloadError.
 */
export function thumbnailOf(payload: Uint8Array): Thumbnail | undefined {
  const { type, size } = pictureOf(payload, pictureType(payload));
  const { bytes, pixels, width: widest, height: highest } = limits.thumbnail;
  // An SVG has no size of its own.
  if (!size || payload.length > bytes || size[0] * size[1] > pixels) return undefined;
  const scale = Math.min(widest / size[0], highest / size[1], 1);
  const scaled = (length: number) => Math.max(1, Math.round(length * scale));
  const shown = [scaled(size[0]), scaled(size[1])] as const;

  function draw(canvas: HTMLCanvasElement): () => void {
    let wanted = true;
    const put = (bitmap: ImageBitmap | null) =>
      canvas.getContext('bitmaprenderer')?.transferFromImageBitmap(bitmap);
    // Decoded off the main thread, and in the size that is shown, so that a large one is not kept.
    createImageBitmap(new Blob([payload.slice()], { type }), {
      resizeWidth: shown[0] * devicePixelRatio,
      resizeHeight: shown[1] * devicePixelRatio,
      resizeQuality: 'medium',
    }).then(
      (bitmap) => (wanted ? put(bitmap) : bitmap.close()),
      // It can't be decoded: nothing is drawn.
      () => {},
    );
    return () => {
      wanted = false;
      put(null);
    };
  }

  return { kind: type.slice('image/'.length).toUpperCase(), size, shown, draw };
}
