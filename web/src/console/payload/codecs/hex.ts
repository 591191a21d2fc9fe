import { mark, t } from '../../core/i18n/i18n';
import { PayloadError, refuse } from '../error';

/** Throws PayloadError. */
export function encode(text: string): Uint8Array {
  const spaced = text.replace(/\b0x/gi, '  ');
  refuse(spaced, /[^0-9a-f\s:,-]/i, mark('a hexadecimal digit'));
  const digits = spaced.replace(/[^0-9a-f]/gi, '');
  if (digits.length % 2)
    throw new PayloadError(() => t('each byte needs two digits, and their number is odd'));
  const bytes = new Uint8Array(digits.length / 2);
  for (let at = 0; at < bytes.length; at++) bytes[at] = Number.parseInt(digits.slice(2 * at, 2 * at + 2), 16);
  return bytes;
}
