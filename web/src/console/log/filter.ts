/** Which messages the list shows. */

import type { QoS } from '../../client';
import { topicFilter } from '../../client/checks/topics';
import { compile } from '../../client/routing/topic-filter';
import { atField, type Failure } from '../core/failure';
import { t, type Words } from '../core/i18n/i18n';
import { visible, wordsOf } from '../core/text';
import type { Entry } from './entry';
import { type Pattern, patternFor } from './find';
import type { Selected } from './log';
import type { Search } from './matches';

export interface Filter {
  /** A topic filter; empty matches every topic. */
  topic: string;
  /** Topic filters whose messages are left out. */
  muted: readonly string[];
  /** A connection's name; empty: all. */
  connection: string;
  direction: 'received' | 'sent' | 'both';
  qos: QoS | 'any';
  retain: 'any' | 'yes' | 'no';
  search: string;
  /** Whether `search` is a regular expression. */
  expression: boolean;
  matchCase: boolean;
}

/** Without sent messages: those that match a subscription come back, and would be shown twice. */
export const noFilter: Filter = {
  topic: '',
  muted: [],
  connection: '',
  direction: 'received',
  qos: 'any',
  retain: 'any',
  search: '',
  expression: false,
  matchCase: false,
};

/** The selection of a filter, or the errors of its fields. */
export function selectionOf(
  filter: Filter,
  searchFor: (pattern: Pattern) => Search<Entry>,
): Selected<Entry, Filter> {
  const errors: { topic?: Words; search?: Words } = {};
  let matches: ((topic: string) => boolean) | undefined;
  let pattern: Pattern | undefined;
  try {
    if (filter.topic) matches = compile(topicFilter(filter.topic, 'topic'));
  } catch (error) {
    errors.topic = () => atField(error as Failure);
  }
  try {
    if (filter.search) pattern = patternFor(filter.search, filter.expression, filter.matchCase);
  } catch (error) {
    const reason = wordsOf(error).replace(/^.*: /s, '');
    errors.search = () => t('Not a regular expression: {reason}', { reason: visible(reason) });
  }
  if (errors.topic || errors.search) return { errors };

  const { connection, direction, qos, retain } = filter;
  const mutes = filter.muted.map(compile);
  const test = ({ sent, message, via }: Entry): boolean =>
    (connection === '' || via.name === connection) &&
    (direction === 'both' || sent === (direction === 'sent')) &&
    (qos === 'any' || message.qos === qos) &&
    (retain === 'any' || message.retain === (retain === 'yes')) &&
    (!matches || matches(message.topic)) &&
    !mutes.some((muted) => muted(message.topic));
  return { selection: { test, search: pattern && searchFor(pattern) } };
}

/** How many conditions there are besides the search. */
export function conditionsOf(filter: Filter): number {
  const names = ['topic', 'connection', 'direction', 'qos', 'retain'] as const;
  const changed = names.filter((name) => filter[name] !== noFilter[name]).length;
  return changed + Math.min(1, filter.muted.length);
}
