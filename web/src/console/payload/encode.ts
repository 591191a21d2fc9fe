/** Payloads to publish, from what was typed. */

import { MqttError } from '../../client';
import { saying } from '../core/i18n/i18n';
import { wordsOf } from '../core/text';
import { check, codecOf, labels } from './codecs/table';
import type { Format } from './format';
import type { Definition } from './schema';

/** For a choice. */
export const formats = Object.entries(labels) as (readonly [Format, string])[];

/** Whether it is meant to be JSON, valid or not. */
export const looksLikeJson = (text: string): boolean => /^\s*(?:\{(?!\{)|\[)/.test(text);

/** What is wrong with the text as it is typed, undefined when nothing is. */
export function problemWith(format: Format, text: string, definition?: Definition): string | undefined {
  try {
    check(format, text, definition);
    return undefined;
  } catch (error) {
    // The error may quote the whole of a long text.
    return wordsOf(error).slice(0, 160);
  }
}

/**
 * The bytes; a promise if an encoder has to be loaded first. Invalid text is an MqttError
 * `bad-option` with the field `payload`.
 */
export function encodeSoon(
  format: Format,
  text: string,
  definition?: Definition,
): Uint8Array | Promise<Uint8Array> {
  const wrong = (cause: unknown): MqttError => {
    const error = new MqttError('bad-option', '', { field: 'payload', cause });
    return saying(error, () => `payload: ${wordsOf(cause)}`);
  };
  try {
    const codec = codecOf(format);
    if (!(codec instanceof Promise)) return codec.encode(text, definition);
    return codec
      .then(({ encode }) => encode(text, definition))
      .catch((cause) => {
        throw wrong(cause);
      });
  } catch (cause) {
    throw wrong(cause);
  }
}

export async function encode(format: Format, text: string, definition?: Definition): Promise<Uint8Array> {
  return encodeSoon(format, text, definition);
}
