/** Names and values as the rows and the details show them. */

import { t } from '../core/i18n/i18n';
import { limits } from '../core/limits';
import { brief, formatSmall } from '../core/text';
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

export function formatRate(rate: number): string {
  return rate < 0.05 ? '' : `${formatSmall(rate)}/s`;
}

/** Of a topic and of all below it. */
export const filterOf = (node: TopicNode) => (node.children ? `${topicOf(node)}/#` : topicOf(node));
