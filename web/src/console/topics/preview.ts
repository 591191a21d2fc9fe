/** Names and values as the rows and the details show them. */

import { bytes } from '../core/counts';
import { t } from '../core/i18n/i18n';
import { limits } from '../core/limits';
import { brief, decodeUtf8, formatCount, headOf, hex, visible } from '../core/text';
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

export function formatRate(rate: number): string {
  if (rate < 0.05) return '';
  return `${rate >= 10 ? formatCount(Math.round(rate)) : rate.toFixed(1)}/s`;
}
