/** Names and values as the rows and the details show them. */

import { bytes } from '../core/counts';
import { t } from '../core/i18n/i18n';
import { limits } from '../core/limits';
import { brief, decodeUtf8, formatSmall, headOf, hex, visible } from '../core/text';
import { type TopicNode, topicOf } from './model';

/**
 * The name of the levels from `head` down to `node`, which are one row; only the last ones if there
 * are many.
 */
export function nameOf(node: TopicNode, head = node): string {
  let name = brief(node.name, limits.name);
  for (let up = node.parent; up && up.depth >= head.depth; up = up.parent) {
    if (name.length > limits.name) return `…/${name}`;
    name = `${brief(up.name, limits.name)}/${name}`;
  }
  return name || t('(empty)');
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
  return rate < 0.05 ? '' : `${formatSmall(rate)}/s`;
}

/** Of a topic and of all below it. */
export const filterOf = (node: TopicNode) => (node.children ? `${topicOf(node)}/#` : topicOf(node));
