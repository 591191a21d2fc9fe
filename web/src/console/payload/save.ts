import { saveAs } from '../core/save-as';
import { headOf, textOf } from '../core/text';
import { guess, pictureType, type Readable } from './guess';

const extensions: Record<string, string> = {
  'image/png': 'png',
  'image/jpeg': 'jpg',
  'image/gif': 'gif',
  'image/webp': 'webp',
  'image/svg+xml': 'svg',
};

/**
 * Named after the topic's last level, without characters that file systems refuse or that could
 * disguise the name.
 */
export function fileName(message: Readable): string {
  const level = message.topic.split('/').findLast((part) => part !== '') ?? '';
  const base = level.replace(/[^\p{L}\p{N}_-]+/gu, '_').slice(0, 60) || 'payload';
  const picture = pictureType(message.payload);
  if (picture) return `${base}.${extensions[picture]}`;
  const isText = textOf(headOf(message.payload, 1024)) !== undefined;
  if (!isText) return `${base}.bin`;
  return `${base}.${guess(message).format === 'json' ? 'json' : 'txt'}`;
}

/** The raw bytes, as a download. */
export function save(message: Readable): void {
  // A copy, since the bytes are part of their batch.
  saveAs(fileName(message), new Blob([message.payload.slice()], { type: 'application/octet-stream' }));
}
