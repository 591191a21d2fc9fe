/** Which topics a filter matches (MQTT 5, 4.7 and 4.8.2); for the page and for the worker. */

/** Whether a valid filter matches a valid topic. */
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
    // `a/#` matches its parent level, too (4.7.1.2), so `open` needs no further level.
    if (open ? levels.length < wanted.length : levels.length !== wanted.length) return false;
    return wanted.every((level, index) => level === '+' || level === levels[index]);
  };
}

/** A shared subscription's filter without `$share/name/` (4.8.2). */
export function matchedPart(filter: string): string {
  return filter.startsWith('$share/') ? filter.split('/').slice(2).join('/') : filter;
}
