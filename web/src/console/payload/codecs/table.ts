/** The codecs, of which the heavy ones are loaded when they are first used. */

import { mark, t } from '../../core/i18n/i18n';
import { PayloadError } from '../error';
import type { Format } from '../format';
import type { Definition } from '../schema';
import { integers, parseValue } from '../value';
import { encode as encodeBase64 } from './base64';
import type { Encoder, TreeCodec } from './codec';
import { encode as encodeHex } from './hex';
import { decode as decodeJson, encode as encodeJson } from './json';
import { encode as encodeText } from './text';

// Not the modules themselves, for which the bundler would add more code than these lines.
const texts = {
  text: { encode: encodeText },
  hex: { encode: encodeHex },
  base64: { encode: encodeBase64 },
} satisfies Record<string, Encoder>;
const json: TreeCodec = { decode: decodeJson, encode: encodeJson };

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

/** Throws PayloadError if it can't be loaded. */
export async function load(format: TreeFormat): Promise<TreeCodec> {
  try {
    const codec = await loaders[format]();
    loaded[format] = codec;
    return codec;
  } catch (cause) {
    throw new PayloadError(
      () => t('its decoder could not be loaded; check that the server of this page can be reached'),
      { cause },
    );
  }
}

/** A promise only if it has to be loaded first. */
export function codecOf(format: Format): Encoder | TreeCodec | Promise<TreeCodec> {
  return isText(format) ? texts[format] : (loaded[format] ?? load(format));
}

/** Throws what is wrong with what was typed, as far as the codecs are loaded. */
export function check(format: Format, typed: string, definition?: Definition): void {
  const codec = isText(format) ? texts[format] : loaded[format];
  if (codec) codec.encode(typed, definition);
  else parseValue(typed, format === 'cbor' || format === 'msgpack' ? integers[format] : integers.protobuf);
}
