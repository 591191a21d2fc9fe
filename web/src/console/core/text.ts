/** Foreign bytes and text, made safe to show. */

import { limits } from './limits';

/**
 * Characters that hide or reorder others: line and paragraph separators,
 * zero-width and bidirectional controls (Unicode TR 36), except the joiners
 * that emoji and several scripts are written with.
 */
const deceptive =
  /[\u0080-\u009f\u00ad\u061c\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]/g;
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are the characters to show
const controls = /[\u0000-\u001f\u007f]/g;

function controlPicture(char: string): string {
  return char === '\u007f' ? '␡' : String.fromCharCode(0x2400 + char.charCodeAt(0));
}

function escaped(char: string): string {
  return `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`;
}

/** One line in which nothing is invisible: `a\n` reads `a␊`. */
export function visible(text: string): string {
  return text.replace(controls, controlPicture).replace(deceptive, escaped);
}

/** The head of a text, in one line in which nothing is invisible. */
export function brief(text: string, most: number = limits.text): string {
  return visible(text.length > most ? `${text.slice(0, most)}…` : text);
}

const strict = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** The bytes as text, or undefined when they are not UTF-8. */
export function decodeUtf8(bytes: Uint8Array): string | undefined {
  try {
    return strict.decode(bytes);
  } catch {
    return undefined;
  }
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: these are the characters to look for
const neverTyped = /[\u0000-\u0008\u000e-\u001a\u001c-\u001f]/g;

/**
 * The bytes as text, or undefined when they are something else. Small numbers are UTF-8 too, but mostly
 * of control characters; text may be framed by a few, and end with the NUL of a C string.
 */
export function textOf(bytes: Uint8Array): string | undefined {
  const text = decodeUtf8(bytes);
  const head = text?.slice(0, 256).replace(/(?<=.)\0$/s, '') ?? '';
  return head.replace(neverTyped, '').length * 4 < head.length * 3 ? undefined : text;
}

/** JSON with the characters beyond ASCII themselves, where it has escapes such as `\u00b0` (RFC 8259, 7). */
export function unescaped(json: string): string {
  return json.replace(/\\\\|(?:\\u[\da-f]{4})+/gi, (run) => {
    const characters = JSON.parse(`"${run}"`);
    return /[\p{ASCII}\p{Cc}\p{Cs}]/u.test(characters) ? run : characters;
  });
}

/** The longest head of at most `limit` bytes that does not cut a UTF-8 character in two. */
export function headOf(bytes: Uint8Array, limit: number): Uint8Array {
  if (bytes.length <= limit) return bytes;
  let end = limit;
  // A character has at most three continuation bytes (RFC 3629, 3).
  while (end > limit - 4 && end > 0 && ((bytes[end] ?? 0) & 0xc0) === 0x80) end--;
  return bytes.subarray(0, end);
}

export function hex(bytes: Uint8Array): string {
  let out = '';
  for (const byte of bytes) out += `${out ? ' ' : ''}${byte.toString(16).padStart(2, '0')}`;
  return out;
}

/** The message of any thrown value. */
export const wordsOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

const integer = new Intl.NumberFormat('en');

export function formatCount(count: number): string {
  return integer.format(count);
}

/** With a decimal digit if that is significant. */
export function formatSmall(value: number): string {
  return value < 10 && !Number.isInteger(value) ? value.toFixed(1) : formatCount(Math.round(value));
}

export function formatBytes(bytes: number): string {
  if (bytes < 1024) return `${bytes} B`;
  let [value, unit] = [bytes / 1024, 'KiB'];
  for (const larger of ['MiB', 'GiB']) {
    if (Math.round(value) < 1024) break;
    [value, unit] = [value / 1024, larger];
  }
  return `${value < 10 ? value.toFixed(1).replace(/\.0$/, '') : Math.round(value)} ${unit}`;
}

/** Local time of day to the millisecond. */
export function formatTime(milliseconds: number): string {
  const date = new Date(milliseconds);
  return `${date.toTimeString().slice(0, 8)}.${String(date.getMilliseconds()).padStart(3, '0')}`;
}

/**
 * A topic or a filter as a head, which may be shortened, and the last level that is neither empty
 * nor a wildcard, which distinguishes it from its neighbours.
 */
export function splitTopic(topic: string): [head: string, tail: string] {
  const at = Math.max(0, topic.search(/(?:^|\/)[^/]*(?:\/[+#])*\/?$/));
  return [topic.slice(0, at), topic.slice(at)];
}
