/** Bytes from text that was typed. Each throws PayloadError. */

import { mark, t } from '../core/i18n/i18n';
import { visible } from '../core/text';
import { PayloadError } from './error';

export function fromText(text: string): Uint8Array {
  // TextEncoder would send another character in its place.
  if (/\p{Surrogate}/u.test(text))
    throw new PayloadError(t('there is half a character in it (a lone surrogate)'));
  return new TextEncoder().encode(text);
}

function refuse(text: string, bad: RegExp, what: string): void {
  const at = text.search(bad);
  if (at < 0) return;
  const char = String.fromCodePoint(text.codePointAt(at) ?? 0);
  throw new PayloadError(
    t('“{character}” (character {number}) is not {what}', {
      character: visible(char),
      number: at + 1,
      what: t(what),
    }),
  );
}

export function fromHex(text: string): Uint8Array {
  const spaced = text.replace(/\b0x/gi, '  ');
  refuse(spaced, /[^0-9a-f\s:,-]/i, mark('a hexadecimal digit'));
  const digits = spaced.replace(/[^0-9a-f]/gi, '');
  if (digits.length % 2)
    throw new PayloadError(t('a byte has two digits, and here is an odd number of them'));
  const bytes = new Uint8Array(digits.length / 2);
  for (let at = 0; at < bytes.length; at++) bytes[at] = Number.parseInt(digits.slice(2 * at, 2 * at + 2), 16);
  return bytes;
}

/** Both alphabets of RFC 4648, with or without the padding. */
export function fromBase64(text: string): Uint8Array {
  refuse(text, /[^0-9a-z+/_\-=\s]/i, mark('a Base64 digit'));
  const digits = text.replace(/\s/g, '').replace(/=+$/, '').replace(/-/g, '+').replace(/_/g, '/');
  refuse(digits, /=/, mark('at the end, where padding belongs'));
  if (digits.length % 4 === 1) throw new PayloadError(t('the last Base64 digit is missing'));
  return Uint8Array.from(atob(digits), (char) => char.charCodeAt(0));
}
