import { bad } from '../client/checks/rules';

/** Bytes that turn into their text by themselves, as those of Node's Buffer do: tutorials print `message.toString()`. */
export class Bytes extends Uint8Array {
  /** Malformed UTF-8 becomes U+FFFD. Throws `bad-option` for encodings other than these. */
  override toString(encoding: 'utf8' | 'utf-8' | 'hex' | 'base64' = 'utf8'): string {
    switch (encoding) {
      case 'utf8':
      case 'utf-8':
        return new TextDecoder('utf-8', { ignoreBOM: true }).decode(this);
      case 'hex':
        return Array.from(this, (byte) => byte.toString(16).padStart(2, '0')).join('');
      case 'base64':
        return btoa(Array.from(this, (byte) => String.fromCharCode(byte)).join(''));
      default:
        throw bad('encoding', `must be utf8, hex or base64, not ${encoding}`);
    }
  }
}

/** The same memory. */
export function asBytes(view: Uint8Array): Bytes {
  return new Bytes(view.buffer as ArrayBuffer, view.byteOffset, view.byteLength);
}
