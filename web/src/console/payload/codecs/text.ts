/** Text in UTF-8. */

import { t } from '../../core/i18n/i18n';
import { PayloadError } from '../error';

/** Throws PayloadError. */
export function encode(text: string): Uint8Array {
  // TextEncoder would replace it with another character.
  if (/\p{Surrogate}/u.test(text))
    throw new PayloadError(() => t('it contains half a character (a lone surrogate)'));
  return new TextEncoder().encode(text);
}
