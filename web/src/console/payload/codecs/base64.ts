import { mark, t } from '../../core/i18n/i18n';
import { PayloadError, refuse } from '../error';

export function base64(bytes: Uint8Array): string {
  let text = '';
  // Whole groups of three bytes, and no more arguments than a call allows.
  for (let at = 0; at < bytes.length; at += 0x6000) {
    text += btoa(String.fromCharCode(...bytes.subarray(at, at + 0x6000)));
  }
  return text;
}

/** Both alphabets of RFC 4648, with or without the padding. Throws PayloadError. */
export function encode(text: string): Uint8Array {
  refuse(text, /[^0-9a-z+/_\-=\s]/i, mark('a Base64 digit'));
  const digits = text.replace(/\s/g, '').replace(/=+$/, '').replace(/-/g, '+').replace(/_/g, '/');
  refuse(digits, /=/, mark('at the end, where padding belongs'));
  if (digits.length % 4 === 1) throw new PayloadError(() => t('the last Base64 digit is missing'));
  return Uint8Array.from(atob(digits), (char) => char.charCodeAt(0));
}
