import { bad } from '../client/checks/rules';

/** Bytes that turn into their text by themselves, as those of Node's Buffer do: tutorials print `message.toString()`. */
export class Bytes extends Uint8Array {
  /** Malformed UTF-8 becomes U+FFFD. Throws `bad-option` for encodings other than these. */
  override toString(encoding: 'utf8' | 'utf-8' | 'hex' | 'base64' = 'utf8'): string {
    if (/^utf-?8$/.test(encoding)) return new TextDecoder('utf-8', { ignoreBOM: true }).decode(this);
    if (encoding === 'hex') return Array.from(this, (byte) => byte.toString(16).padStart(2, '0')).join('');
    if (encoding === 'base64') return btoa(Array.from(this, (byte) => String.fromCharCode(byte)).join(''));
    throw bad('encoding', `must be utf8, hex or base64, not ${encoding}`);
  }
}

/** The same memory. */
export function asBytes(view: Uint8Array): Bytes {
  return new Bytes(view.buffer as ArrayBuffer, view.byteOffset, view.byteLength);
}
