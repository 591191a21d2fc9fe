/** Decodes bytes for a row. Loaded with the first row that needs it. */

import { t } from '../core/i18n/i18n';
import { limits } from '../core/limits';
import { brief, formatCount } from '../core/text';
import type { Choice, Recall } from './choices';
import type { TreeCodec } from './codecs/codec';
import { scanJson } from './codecs/json';
import { codecOf, isText, labels } from './codecs/table';
import type { Format } from './format';
import { guess, type Readable } from './guess';
import { createOneLine } from './one-line';
import { type Thumbnail, thumbnailOf } from './thumbnail';
import type { Token } from './tokens';

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

/** Undefined if they are not in the guessed format; a promise while the decoder is loaded. */
function decode(
  message: Readable,
  choice: Choice,
  birth: Birth,
): Decoded | undefined | Promise<Decoded | undefined> {
  const { topic, payload } = message;
  const format = choice.format ?? guess(message).format;
  if (format === 'image') return picture(payload);
  if (format === 'script') {
    const line = createOneLine(limits.row.text);
    scanJson(message.decoded?.json ?? 'null', line);
    return { format: brief(message.decoded?.by ?? '', limits.row.by), tokens: line.tokens };
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
