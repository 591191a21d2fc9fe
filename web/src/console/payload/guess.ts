/** Which format a payload most likely has. */

import type { Message } from '../../client';
import { decodeUtf8, headOf, textOf } from '../core/text';
import type { ViewFormat } from './format';
import { structureOf } from './structure';

/** What decides how a payload is read, and what it is saved as. */
export interface Readable extends Pick<Message, 'topic' | 'payload' | 'properties'> {
  /** What a script returned for it, shown instead of the bytes. */
  decoded?: Reading | undefined;
  /** A script may still return something for it. */
  pending?: Promise<void> | undefined;
}

export interface Reading {
  json: string;
  /** The script's name. */
  by: string;
}

export interface Guess {
  format: ViewFormat;
  /** Used silently if the first one turns out wrong, since that was a guess. */
  orElse?: ViewFormat;
}

/** Bytes that decide whether a payload is text. */
const inspected = 64 * 1024;

const types = new Map<string, ViewFormat>([
  ['application/json', 'json'],
  ['text/json', 'json'],
  ['application/cbor', 'cbor'],
  ['application/msgpack', 'msgpack'],
  ['application/x-msgpack', 'msgpack'],
  ['application/vnd.msgpack', 'msgpack'],
  ['application/protobuf', 'protobuf'],
  ['application/x-protobuf', 'protobuf'],
  ['application/vnd.google.protobuf', 'protobuf'],
]);
const suffixes = new Map<string, ViewFormat>([
  ['json', 'json'],
  ['cbor', 'cbor'],
]);

/** The type of a picture, by its first bytes and never by the message's content type. */
export function pictureType(payload: Uint8Array): string | undefined {
  const head = String.fromCharCode(...payload.subarray(0, 12));
  if (head.startsWith('\x89PNG\r\n\x1a\n')) return 'image/png';
  if (head.startsWith('\xff\xd8\xff')) return 'image/jpeg';
  if (/^GIF8[79]a/.test(head)) return 'image/gif';
  if (/^RIFF[\s\S]{4}WEBP/.test(head)) return 'image/webp';
  const text = decodeUtf8(headOf(payload, 1024)) ?? '';
  return /^\ufeff?\s*(?:<\?xml[^>]*>\s*)?(?:<!--[^>]*-->\s*)?<svg[\s>]/.test(text)
    ? 'image/svg+xml'
    : undefined;
}

function bySniffing(payload: Uint8Array): Guess {
  const picture = pictureType(payload);
  const text = textOf(headOf(payload, inspected));
  if (picture) return { format: 'image', orElse: picture === 'image/svg+xml' ? 'text' : 'hex' };
  if (text !== undefined)
    return /^\s*[[{]/.test(text) ? { format: 'json', orElse: 'text' } : { format: 'text' };

  const format = structureOf(payload);
  if (format) return { format, orElse: 'hex' };
  return { format: 'hex' };
}

/** By topic, content type (3.3.2.3.9), payload format indicator (3.3.2.3.2), and the first bytes. */
export function guess({ topic, payload, properties, decoded }: Readable): Guess {
  if (decoded) return { format: 'script' };
  if (/^spBv1\.0\/(?!STATE\/)[^/]+\/[ND]/.test(topic)) return { format: 'sparkplug' };
  const type = (properties.contentType ?? '').split(';')[0]?.trim().toLowerCase() ?? '';
  const named = types.get(type) ?? suffixes.get(type.slice(type.lastIndexOf('+') + 1));
  if (named) return { format: named };
  const sniffed = bySniffing(payload);
  const isText = properties.payloadFormatIndicator || type.startsWith('text/');
  if (isText && !['text', 'json', 'image'].includes(sniffed.format)) return { format: 'text' };
  return sniffed;
}
