/**
 * Prepares a payload for display. Never rejects: what cannot be decoded is shown as bytes, with the
 * reason.
 */

import { mark, t } from '../core/i18n/i18n';
import { limits } from '../core/limits';
import { visibleLines } from '../core/lines';
import { decodeUtf8, formatBytes, headOf, visible, wordsOf } from '../core/text';
import type { Choice } from './choices';
import { scanJson } from './codecs/json';
import { isText, load, labels as ofFormats } from './codecs/table';
import { writers } from './codecs/written';
import { PayloadError } from './error';
import type { ViewFormat } from './format';
import { type Guess, guess, pictureType, type Readable } from './guess';
import type { Picture } from './image';
import { createLines, type Line, written } from './lines';
import type { Definition } from './schema';
import { type Unpacked, unpack } from './unpack';

export const labels: Record<ViewFormat, string> = {
  ...ofFormats,
  image: mark('Image'),
  script: mark('Script'),
};

export type Shown = {
  format: ViewFormat;
  /** Why it is not shown in the format that was wanted. */
  error?: string;
  /** What was compressed, and is shown instead of the payload. */
  unpacked?: Unpacked;
} /** `wide`: its lines are not to be wrapped. */ & (
  | { kind: 'text'; text: string; left: number; wide: boolean }
  | { kind: 'lines'; lines: Line[]; shown: number; whole: boolean }
  /** With its source if it is drawn only on request: a small SVG can take for ever. */
  | { kind: 'image'; picture: Picture; source?: string }
);

const { decoded: largest } = limits.payload;

function readText(format: keyof typeof writers, payload: Uint8Array, step: number): Shown {
  const limit = limits.payload[format] * 4 ** step;
  return { kind: 'text', format, wide: format === 'hex', ...writers[format](payload, limit) };
}

async function readAs(
  format: ViewFormat,
  { payload, decoded }: Readable,
  step: number,
  definition: Definition,
  birth?: Uint8Array,
  widest?: number,
): Promise<Shown> {
  if (format === 'image') {
    const { pictureOf } = await import('./image');
    const picture = pictureOf(payload, pictureType(payload));
    if (picture.type !== 'image/svg+xml') return { kind: 'image', format, picture };
    const head = decodeUtf8(headOf(payload, limits.payload.text)) ?? '';
    return { kind: 'image', format, picture, source: visibleLines(head) };
  }
  const shown = limits.payload.lines + limits.payload.moreLines * step;
  const out = createLines(Math.max(limits.payload.decodedLines, shown), widest);
  const lines = (): Shown => ({ kind: 'lines', format, lines: out.lines, shown, whole: !out.full });
  if (format === 'script') {
    scanJson(decoded?.json ?? 'null', out);
    return lines();
  }
  if (isText(format)) return readText(format, payload, step);
  if (payload.length > largest) {
    throw new PayloadError(() =>
      t('only payloads up to {size} are decoded; save it to use another program', {
        size: formatBytes(largest),
      }),
    );
  }
  const { decode } = await load(format);
  decode(payload, out, { ...definition, birth });
  return lines();
}

function wordsFor(error: unknown): string {
  if (error instanceof PayloadError) return error.message;
  const message = wordsOf(error);
  return visible(message.replace(/^CBOR decode error: /, '').slice(0, 300));
}

/**
 * Each step shows more of a payload. `birth` is the BIRTH that a Sparkplug B message refers to;
 * `widest` is how many characters of one key or text are shown.
 */
export async function read(
  message: Readable,
  choice: Choice,
  step: number,
  birth?: Uint8Array,
  widest?: number,
): Promise<Shown> {
  const wanted: Guess = choice.format ? { format: choice.format } : guess(message);
  const unpacked = choice.format || wanted.format !== 'hex' ? undefined : await unpack(message.payload);
  if (!unpacked) return readOne(message, wanted, choice, step, birth, widest);
  // A message has getters, which would not be copied.
  const { topic, properties } = message;
  const inner = { topic, properties, payload: unpacked.bytes };
  return { ...(await readOne(inner, guess(inner), choice, step, birth, widest)), unpacked };
}

async function readOne(
  message: Readable,
  { format, orElse }: Guess,
  choice: Choice,
  step: number,
  birth?: Uint8Array,
  widest?: number,
): Promise<Shown> {
  const { payload } = message;
  try {
    return await readAs(format, message, step, choice, birth, widest);
  } catch (error) {
    if (orElse) return readText(orElse === 'text' ? 'text' : 'hex', payload, step);
    return {
      ...readText('hex', payload, step),
      format,
      error: t('Not {format}: {reason}', { format: t(labels[format]), reason: wordsFor(error) }),
    };
  }
}

/** A payload as text for comparing; undefined if it is too large for that. */
export async function readPlain(message: Readable, choice: Choice): Promise<string | undefined> {
  const shown = await read(message, choice, 0, undefined, Number.POSITIVE_INFINITY);
  if (shown.kind === 'image') return readPlain(message, { format: 'hex' });
  if (shown.kind === 'lines') return shown.whole ? written(shown.lines) : undefined;
  return shown.left > 0 || tooManyLines(shown.text) ? undefined : shown.text;
}

/** Two payloads of one topic: as bytes if one of them is, since some numbers happen to be text. */
export function readBoth(before: Readable, after: Readable, choice: Choice) {
  const both = [before, after];
  const ofBytes = !choice.format && both.some((message) => guess(message).format === 'hex');
  const as: Choice = ofBytes ? { ...choice, format: 'hex' } : choice;
  return Promise.all(both.map((message) => readPlain(message, as)));
}

function tooManyLines(text: string): boolean {
  let end = -1;
  for (let line = 0; line < limits.diff.lines; line++) {
    end = text.indexOf('\n', end + 1);
    if (end < 0) return false;
  }
  return true;
}
