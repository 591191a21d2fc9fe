/** A payload made ready to look at. Never rejects: what cannot be decoded is shown as bytes, with the reason. */

import type { Message } from '../../client';
import { mark, t } from '../core/i18n/i18n';
import { limits } from '../core/limits';
import { decodeUtf8, formatBytes, headOf, hexDump, visible, visibleLines } from '../core/text';
import type { Choice } from './choices';
import { PayloadError } from './error';
import type { ViewFormat } from './format';
import { guess, pictureType } from './guess';
import type { Picture } from './image';
import { scanJson } from './json';
import { createLines, type Line } from './lines';
import type { Sink } from './sink';

export const labels: Record<ViewFormat, string> = {
  text: mark('Text'),
  json: 'JSON',
  hex: mark('Hex'),
  base64: 'Base64',
  cbor: 'CBOR',
  msgpack: 'MessagePack',
  protobuf: 'Protobuf',
  sparkplug: 'Sparkplug B',
  image: mark('Image'),
};

export type Shown = {
  format: ViewFormat;
  /** Why it is not in the format that was wanted. */
  error?: string;
} /** `wide`: its lines are not to be wrapped. */ & (
  | { kind: 'text'; text: string; left: number; wide: boolean }
  | { kind: 'lines'; lines: Line[]; shown: number; whole: boolean }
  /** With its source where it is drawn only when asked for: a small SVG can take for ever. */
  | { kind: 'image'; picture: Picture; source?: string }
);

type Decode = (
  payload: Uint8Array,
  out: Sink,
  type: string | undefined,
  birth: Uint8Array | undefined,
) => void;

const { decoded: largest } = limits.payload;

export function base64(bytes: Uint8Array): string {
  let text = '';
  // Whole groups of three bytes, and no more arguments than a call takes.
  for (let at = 0; at < bytes.length; at += 0x6000) {
    text += btoa(String.fromCharCode(...bytes.subarray(at, at + 0x6000)));
  }
  return text;
}

function readText(format: 'text' | 'hex' | 'base64', payload: Uint8Array, step: number): Shown {
  const limit = limits.payload[format] * 4 ** step;
  const head = format === 'text' ? headOf(payload, limit) : payload.subarray(0, limit);
  const shown = { kind: 'text', format, left: payload.length - head.length, wide: format === 'hex' } as const;
  if (format === 'hex') return { ...shown, text: hexDump(head) };
  if (format === 'base64') return { ...shown, text: base64(head) };
  const text = decodeUtf8(head);
  if (text !== undefined) return { ...shown, text: visibleLines(text) };
  const error = t('Not UTF-8: � stands for what is malformed.');
  return { ...shown, text: visibleLines(new TextDecoder().decode(head)), error };
}

function decodeJson(payload: Uint8Array, out: Sink): void {
  const text = decodeUtf8(payload);
  if (text === undefined) throw new PayloadError(t('not UTF-8'));
  scanJson(text.replace(/^\ufeff/, ''), out);
}

type Structured = Exclude<ViewFormat, 'text' | 'hex' | 'base64' | 'image'>;

/** Each is loaded when it is first used. */
const decoders: Record<Structured, () => Promise<Decode>> = {
  json: async () => decodeJson,
  cbor: async () => (await import('./cbor')).decode,
  msgpack: async () => (await import('./msgpack')).decode,
  protobuf: async () => (await import('./protobuf')).decode,
  sparkplug: async () => (await import('./sparkplug')).decode,
};

async function load(format: Structured): Promise<Decode> {
  try {
    return await decoders[format]();
  } catch (cause) {
    throw new PayloadError(t('its decoder could not be loaded; is the server there?'), { cause });
  }
}

async function readAs(
  format: ViewFormat,
  payload: Uint8Array,
  step: number,
  type?: string,
  birth?: Uint8Array,
): Promise<Shown> {
  if (format === 'text' || format === 'hex' || format === 'base64') return readText(format, payload, step);
  if (format === 'image') {
    const { pictureOf } = await import('./image');
    const picture = pictureOf(payload, pictureType(payload));
    if (picture.type !== 'image/svg+xml') return { kind: 'image', format, picture };
    const head = decodeUtf8(headOf(payload, limits.payload.text)) ?? '';
    return { kind: 'image', format, picture, source: visibleLines(head) };
  }
  if (payload.length > largest) {
    throw new PayloadError(
      t('only payloads up to {size} are decoded; save it to use another program', {
        size: formatBytes(largest),
      }),
    );
  }
  const decode = await load(format);
  const shown = limits.payload.lines + limits.payload.moreLines * step;
  const out = createLines(Math.max(limits.payload.decodedLines, shown));
  decode(payload, out, type, birth);
  return { kind: 'lines', format, lines: out.lines, shown, whole: !out.full };
}

function wordsFor(error: unknown): string {
  if (error instanceof PayloadError) return error.message;
  const message = error instanceof Error ? error.message : String(error);
  return visible(message.replace(/^CBOR decode error: /, '').slice(0, 300));
}

/** Each step shows more of a payload. `birth` is what a Sparkplug B message stands on. */
export async function read(
  message: Message,
  choice: Choice,
  step: number,
  birth?: Uint8Array,
): Promise<Shown> {
  const { payload } = message;
  const { format, orElse } = choice.format ? { format: choice.format } : guess(message);
  try {
    return await readAs(format, payload, step, choice.type, birth);
  } catch (error) {
    if (orElse) return readText(orElse === 'text' ? 'text' : 'hex', payload, step);
    return {
      ...readText('hex', payload, step),
      format,
      error: t('Not {format}: {reason}', { format: t(labels[format]), reason: wordsFor(error) }),
    };
  }
}
