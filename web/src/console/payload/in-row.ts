/** Decodes bytes for a row. Loaded with the first row that needs it. */

import { t } from '../core/i18n/i18n';
import { limits } from '../core/limits';
import { brief, decodeUtf8, formatCount, headOf, hex, textOf, visible } from '../core/text';
import type { Choice, Recall } from './choices';
import type { TreeCodec } from './codecs/codec';
import { scanJson } from './codecs/json';
import { codecOf, isText, labels } from './codecs/table';
import type { Format, ViewFormat } from './format';
import { guess, type Readable } from './guess';
import { createOneLine } from './one-line';
import { type Thumbnail, thumbnailOf } from './thumbnail';
import type { Token } from './tokens';
import { packerOf, unpack } from './unpack';

export interface Decoded {
  /** What it is, such as `CBOR`, `NDATA` or `PNG`. */
  format: string;
  tokens: readonly Token[];
  thumbnail?: Thumbnail;
}

/** Returns the BIRTH that a Sparkplug B message refers to. */
export type Birth = () => Uint8Array | undefined;

function picture(payload: Uint8Array): Decoded | undefined {
  const thumbnail = thumbnailOf(payload);
  if (!thumbnail) return undefined;
  const { kind, size } = thumbnail;
  return { format: kind, tokens: [['plain', size.map(formatCount).join(' × ')]], thumbnail };
}

type Found = Decoded | undefined | Promise<Decoded | undefined>;

function jsonTokens(json: string): Token[] {
  const line = createOneLine(limits.row.text);
  scanJson(json, line);
  return line.tokens;
}

/** Text, or bytes that no decoder takes. */
function plain(bytes: Uint8Array): Token[] {
  const text = textOf(headOf(bytes, limits.row.text));
  return [['plain', text === undefined ? hex(bytes.subarray(0, limits.row.hex)) : visible(text)]];
}

/** What is in a compressed payload; of a large one, the head. */
async function unpacked({ topic, payload, properties }: Readable, choice: Choice, birth: Birth) {
  const found = await unpack(payload, true);
  if (!found) return undefined;
  const { by, bytes } = found;
  const inner = { topic, properties, payload: bytes };
  try {
    const { format } = guess(inner);
    if (format === 'json') return { format: by, tokens: jsonTokens(decodeUtf8(bytes) ?? '') };
    const better = await decodeAs(format, inner, choice, birth);
    if (better) return { ...better, format: `${by} ${better.format}` };
  } catch {}
  return { format: by, tokens: plain(bytes) };
}

/** Undefined if they are not in the guessed format; a promise while they are unpacked or the decoder is loaded. */
function decode(message: Readable, choice: Choice, birth: Birth): Found {
  const format = choice.format ?? guess(message).format;
  const packed = !choice.format && format === 'hex' && packerOf(message.payload);
  return packed ? unpacked(message, choice, birth) : decodeAs(format, message, choice, birth);
}

function decodeAs(format: ViewFormat, message: Readable, choice: Choice, birth: Birth): Found {
  const { topic, payload } = message;
  if (format === 'image') return picture(payload);
  if (format === 'script') {
    const { by, json } = message.decoded ?? { by: '', json: 'null' };
    return { format: brief(by, limits.row.by), tokens: jsonTokens(json) };
  }
  if (isText(format) || format === 'json' || payload.length > limits.row.decoded) return undefined;

  function by(codec: TreeCodec, format: Format): Decoded {
    const line = createOneLine(limits.row.text);
    const { inRow = codec.decode } = codec;
    inRow(payload, line, { ...choice, birth: format === 'sparkplug' ? birth() : undefined });
    if (line.full) line.tokens.push(['plain', '…']);
    const kind = format === 'sparkplug' ? topic.split('/', 3)[2] : undefined;
    return { format: kind ?? t(labels[format]), tokens: line.tokens };
  }
  const codec = codecOf(format) as TreeCodec | Promise<TreeCodec>;
  return codec instanceof Promise ? codec.then((loaded) => by(loaded, format)) : by(codec, format);
}

/** The decoded row, and whether it is out of date because another choice was made for the topic. */
export function inRow(message: Readable, recall: Recall, birth: Birth) {
  const choice = recall(message.topic);
  const stale = () => recall(message.topic) !== choice;
  try {
    return { found: decode(message, choice, birth), stale };
  } catch {
    return { found: undefined, stale };
  }
}
