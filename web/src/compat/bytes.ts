import { bad } from '../client/checks/rules';

/** In any case. */
type Encoding = 'utf8' | 'utf-8' | 'hex' | 'base64';

/**
 * Bytes with a `toString()` that decodes them, as in Node's Buffer: tutorials print
 * `message.toString()`.
 */
export class Bytes extends Uint8Array {
  /** Malformed UTF-8 becomes U+FFFD. Throws `bad-option` for encodings other than utf8, hex and base64. */
  override toString(encoding: Encoding = 'utf8', start?: number, end?: number): string {
    const bytes = this.subarray(start, end);
    switch (encoding.toLowerCase()) {
      case 'utf8':
      case 'utf-8':
        return new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes);
      case 'hex':
        return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
      case 'base64':
        return btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(''));
      default:
        throw bad('encoding', `must be utf8, hex or base64, not ${encoding}`);
    }
  }
}

/** The same memory. */
export function asBytes(view: Uint8Array): Bytes {
  return new Bytes(view.buffer as ArrayBuffer, view.byteOffset, view.byteLength);
}
