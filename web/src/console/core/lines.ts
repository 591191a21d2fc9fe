/** Foreign bytes and text in several lines. Apart from other text: only lazy parts need it. */

import { visible } from './text';

/** As `visible`, but line feeds and tabs stay what they are. */
export function visibleLines(text: string): string {
  return text.replace(/\r\n/g, '\n').replace(/[^\n\t]+/g, visible);
}

/** The classic three columns: offset, bytes, ASCII; with dots in place of what is hidden. */
export function hexDump(
  bytes: Uint8Array,
  perLine = 8,
  digits = 8,
  isHidden = (_at: number) => false,
): string {
  const lines: string[] = [];
  for (let at = 0; at < bytes.length; at += perLine) {
    const row = Array.from(bytes.subarray(at, at + perLine));
    const pairs = row.map((byte, n) => (isHidden(at + n) ? '••' : byte.toString(16).padStart(2, '0')));
    const ascii = row.map((byte, n) => {
      if (isHidden(at + n)) return '•';
      return byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : '·';
    });
    const offset = at.toString(16).padStart(digits, '0');
    lines.push(`${offset}  ${pairs.join(' ').padEnd(3 * perLine - 1)}  ${ascii.join('')}`);
  }
  return lines.join('\n');
}
