/** The codecs, of which the heavy ones are loaded when they are first used. */

import { mark, t } from '../../core/i18n/i18n';
import { PayloadError } from '../error';
import type { Format } from '../format';
import { integers, parseValue } from '../value';
import * as base64 from './base64';
import type { TextCodec, TreeCodec } from './codec';
import * as hex from './hex';
import * as json from './json';
import * as text from './text';

export const texts = { text, hex, base64 } satisfies Record<string, TextCodec>;

const loaders = {
  json: async () => json,
  cbor: () => import('./cbor'),
  msgpack: () => import('./msgpack'),
  protobuf: () => import('./protobuf'),
  sparkplug: () => import('./sparkplug'),
} satisfies Record<string, () => Promise<TreeCodec>>;

type TextFormat = keyof typeof texts;
type TreeFormat = keyof typeof loaders;

/** In the order of a choice. What has a binary form of its own is typed as JSON. */
export const labels: Record<Format, string> = {
  text: mark('Text'),
  json: 'JSON',
  hex: mark('Hex'),
  base64: 'Base64',
  cbor: 'CBOR',
  msgpack: 'MessagePack',
  protobuf: 'Protobuf',
  sparkplug: 'Sparkplug B',
};

const loaded: Partial<Record<TreeFormat, TreeCodec>> = { json };

export const isText = (format: Format): format is TextFormat => format in texts;

/** Throws PayloadError where the server does not deliver it. */
export async function load(format: TreeFormat): Promise<TreeCodec> {
  try {
    const codec = await loaders[format]();
    loaded[format] = codec;
    return codec;
  } catch (cause) {
    throw new PayloadError(t('its decoder could not be loaded; is the server there?'), { cause });
  }
}

/** A promise only where it has to be loaded first. */
export function codecOf(format: Format): TextCodec | TreeCodec | Promise<TreeCodec> {
  return isText(format) ? texts[format] : (loaded[format] ?? load(format));
}

/** Throws what is wrong with what was typed, as far as it can be told by now. */
export function check(format: Format, typed: string, type: string): void {
  const codec = isText(format) ? texts[format] : loaded[format];
  if (codec) codec.encode(typed, type);
  else parseValue(typed, format === 'cbor' || format === 'msgpack' ? integers[format] : integers.protobuf);
}
