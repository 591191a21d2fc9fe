/** Checks of topic names and filters (MQTT 5, 4.7 and 4.8.2). */

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

/** Forms that are wrong in a filter. */
const mistakes: [form: RegExp, problem: string][] = [
  [/^\$share(?!\/[^/]+\/[\s\S])(\/|$)/, 'must be $share/name/filter'], // [MQTT-4.8.2-1]
  [/^\$share\/[^/]*[+#]/, 'must have no wildcard in the share name'], // [MQTT-4.8.2-2]
  [/[^/]#|#[\s\S]/, '# must be the last level, alone'], // [MQTT-4.7.1-1]
  [/[^/]\+|\+[^/]/, '+ must be alone in its level'], // [MQTT-4.7.1-2]
];

export const topicFilter: Check<string> = (value, field) => {
  const filter = text(value, field);
  if (filter === '') throw bad(field, 'must not be empty'); // [MQTT-4.7.3-1]
  const problem = mistakes.find(([form]) => form.test(filter))?.[1];
  if (problem) throw bad(field, `${problem}: ${JSON.stringify(filter)}`);
  return filter;
};

/** Checks the argument of `subscribe` and `unsubscribe`: one filter or several. */
export function topicFilters(given: unknown): string[] {
  const filters = Array.isArray(given) ? given : [given];
  // [MQTT-3.8.3-2], [MQTT-3.10.3-2]
  if (filters.length === 0) throw bad('filter', 'must be at least one');
  return filters.map((filter) => topicFilter(filter, 'filter'));
}
