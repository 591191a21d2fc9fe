/** Names and values as the rows and the details show them. */

import { bytes } from '../core/counts';
import { t } from '../core/i18n/i18n';
import { limits } from '../core/limits';
import { brief, decodeUtf8, formatCount, headOf, hex, hexDump, visible, visibleLines } from '../core/text';
import { prettyJson } from '../payload/preview';
import type { TopicNode, Value } from './model';

export function nameOf(node: TopicNode): string {
  if (node.name === '') return t('(empty)');
  return brief(node.name, limits.name);
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
  const head = headOf(payload, limits.branch.text);
  const text = decodeUtf8(head);
  const more = size > (text === undefined ? limits.branch.hex : head.length) ? '…' : '';
  return `${text === undefined ? hex(payload.subarray(0, limits.branch.hex)) : visible(text)}${more}`;
}

export interface Shown {
  kind: 'JSON' | 'Text' | 'Hex';
  text: string;
  /** Bytes left out. */
  more: number;
  /** Whether lines are left out. */
  cut: boolean;
}

/** The value in the form that says most: of its first `limit` bytes, so many lines. */
export function shownOf(payload: Uint8Array, limit: number, lines: number): Shown {
  const head = headOf(payload, limit);
  const text = decodeUtf8(head);
  if (text === undefined) {
    const part = payload.subarray(0, limits.value.hex);
    return { kind: 'Hex', text: hexDump(part), more: payload.length - part.length, cut: false };
  }
  const more = payload.length - head.length;
  const pretty = more === 0 ? prettyJson(text, lines) : undefined;
  if (pretty) return { kind: 'JSON', text: visibleLines(pretty.text), more, cut: !pretty.whole };
  const first = firstLines(text, lines);
  return { kind: 'Text', text: visibleLines(first), more, cut: first.length < text.length };
}

function firstLines(text: string, lines: number): string {
  let end = -1;
  for (let line = 0; line < lines; line++) {
    end = text.indexOf('\n', end + 1);
    if (end < 0) return text;
  }
  return text.slice(0, end);
}

export function formatRate(rate: number): string {
  if (rate < 0.05) return '';
  return `${rate >= 10 ? formatCount(Math.round(rate)) : rate.toFixed(1)}/s`;
}
