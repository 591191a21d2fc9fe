/** Checks of topic names and filters (MQTT 5, 4.7 and 4.8.2). */

import { matchedPart } from '../routing/topic-filter';
import { bad, type Check, text } from './rules';

/** A topic to publish to. */
export const topicName: Check<string> = (value, field) => {
  const topic = text(value, field);
  if (topic === '') throw bad(field, 'must not be empty'); // [MQTT-4.7.3-1]
  if (/[+#]/.test(topic)) {
    throw bad(field, `must not contain the wildcards + and #: ${JSON.stringify(topic)}`); // [MQTT-3.3.2-2]
  }
  return topic;
};

export const topicFilter: Check<string> = (value, field) => {
  const filter = text(value, field);
  const said = JSON.stringify(filter);
  if (filter === '') throw bad(field, 'must not be empty'); // [MQTT-4.7.3-1]
  if (filter === '$share' || filter.startsWith('$share/')) {
    const [, name, ...rest] = filter.split('/');
    if (!name || rest.join('/') === '') {
      throw bad(field, `must be $share/name/filter: ${said}`); // [MQTT-4.8.2-1]
    }
    if (/[+#]/.test(name)) throw bad(field, `must have no wildcard in the share name: ${said}`); // [MQTT-4.8.2-2]
  }
  const levels = matchedPart(filter).split('/');
  for (const [index, level] of levels.entries()) {
    if (level.includes('#') && (level !== '#' || index !== levels.length - 1)) {
      throw bad(field, `# must be the last level, alone: ${said}`); // [MQTT-4.7.1-1]
    }
    if (level.includes('+') && level !== '+') {
      throw bad(field, `+ must be alone in its level: ${said}`); // [MQTT-4.7.1-2]
    }
  }
  return filter;
};

/** What `subscribe` and `unsubscribe` take: one filter or several. */
export function topicFilters(given: unknown): string[] {
  const filters = Array.isArray(given) ? given : [given];
  // [MQTT-3.8.3-2], [MQTT-3.10.3-2]
  if (filters.length === 0) throw bad('filter', 'must be at least one');
  return filters.map((filter) => topicFilter(filter, 'filter'));
}
