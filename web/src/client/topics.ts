/** Topic names and filters (MQTT 5, 4.7 and 4.8.2). */

import { bad, type Check, text } from './check';

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

/** Whether a valid topic is one that a valid filter selects. */
export function matches(filter: string, topic: string): boolean {
  return compile(filter)(topic);
}

/** `matches` for one filter and many topics. */
export function compile(filter: string): (topic: string) => boolean {
  const part = matchedPart(filter);
  if (!/[+#]/.test(part)) return (topic) => topic === part;
  const wanted = part.split('/');
  const open = wanted.at(-1) === '#';
  if (open) wanted.pop();
  const wildFirst = part.startsWith('+') || part.startsWith('#');
  return (topic) => {
    if (wildFirst && topic.startsWith('$')) return false; // [MQTT-4.7.2-1]
    const levels = topic.split('/');
    // `a/#` selects its parent level too (4.7.1.2), so `open` asks for no further level.
    if (open ? levels.length < wanted.length : levels.length !== wanted.length) return false;
    return wanted.every((level, index) => level === '+' || level === levels[index]);
  };
}

/** A shared subscription's filter without `$share/name/` (4.8.2). */
function matchedPart(filter: string): string {
  return filter.startsWith('$share/') ? filter.split('/').slice(2).join('/') : filter;
}
