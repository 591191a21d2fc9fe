/** Text in UTF-8. */

import { t } from '../../core/i18n/i18n';
import { decodeUtf8, headOf, visibleLines } from '../../core/text';
import { PayloadError } from '../error';

export function decode(payload: Uint8Array, most: number) {
  const head = headOf(payload, most);
  const left = payload.length - head.length;
  const text = decodeUtf8(head);
  if (text !== undefined) return { text: visibleLines(text), left };
  const error = t('Not UTF-8: � stands for what is malformed.');
  return { text: visibleLines(new TextDecoder().decode(head)), left, error };
}

/** Throws PayloadError. */
export function encode(text: string): Uint8Array {
  // TextEncoder would replace it with another character.
  if (/\p{Surrogate}/u.test(text))
    throw new PayloadError(() => t('it contains half a character (a lone surrogate)'));
  return new TextEncoder().encode(text);
}
