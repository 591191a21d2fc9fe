/** Names and values as the rows and the details show them. */

import { bytes } from '../core/counts';
import { t } from '../core/i18n/i18n';
import { decodeUtf8, formatCount, headOf, hex, hexDump, visible, visibleLines } from '../core/text';
import { prettyJson } from '../payload/preview';
import type { TopicNode, Value } from './model';

const nameLength = 200;
/** Bytes of a value in a row. */
const rowBytes = 160;
const rowHexBytes = 24;
const hexBytes = 8 * 1024;

export function nameOf(node: TopicNode): string {
  if (node.name === '') return t('(empty)');
  return brief(node.name, nameLength);
}

/** The head of a text, with nothing invisible in it. */
export function brief(text: string, length: number): string {
  return visible(text.length > length ? `${text.slice(0, length)}…` : text);
}

const previews = new WeakMap<Value, string>();

/** One line of the value, made when its row first comes into sight. */
export function previewOf(value: Value): string {
  // In words, of a language that may change.
  if (!value.payload?.length) return lineOf(value.payload, value.size);
  let preview = previews.get(value);
  if (preview === undefined) {
    preview = lineOf(value.payload, value.size);
    previews.set(value, preview);
  }
  return preview;
}

export function lineOf(payload: Uint8Array | undefined, size: number): string {
  if (!payload) return bytes(size);
  if (payload.length === 0) return t('empty');
  const head = headOf(payload, rowBytes);
  const text = decodeUtf8(head);
  const more = size > (text === undefined ? rowHexBytes : head.length) ? '…' : '';
  return `${text === undefined ? hex(payload.subarray(0, rowHexBytes)) : visible(text)}${more}`;
}

export interface Shown {
  kind: 'JSON' | 'Text' | 'Hex';
  text: string;
  /** Bytes left out. */
  more: number;
}

/** The value in the form that says most, of its first `limit` bytes. */
export function shownOf(payload: Uint8Array, limit: number): Shown {
  const head = headOf(payload, limit);
  const text = decodeUtf8(head);
  if (text === undefined) {
    const part = payload.subarray(0, hexBytes);
    return { kind: 'Hex', text: hexDump(part), more: payload.length - part.length };
  }
  const more = payload.length - head.length;
  const pretty = more === 0 ? prettyJson(text) : undefined;
  return { kind: pretty ? 'JSON' : 'Text', text: visibleLines(pretty ?? text), more };
}

export function formatRate(rate: number): string {
  if (rate < 0.05) return '';
  return `${rate >= 10 ? formatCount(Math.round(rate)) : rate.toFixed(1)}/s`;
}
