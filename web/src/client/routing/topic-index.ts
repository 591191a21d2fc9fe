import { matchedPart } from './topic-filter';

/** One level of filters. `+` is a key of `next` like others, since no topic has a level of that name. */
interface Level<T> {
  next: Map<string, Level<T>>;
  /** Values of filters that end here. */
  here: Set<T>;
  /** Values of filters that end here with `#`. */
  below: Set<T>;
}

/** Values by topic filter: those of a topic are found without looking at every filter. */
export function createTopicIndex<T>() {
  const root = newLevel<T>();

  function add(filter: string, value: T): void {
    let level = root;
    for (const name of pathOf(filter)) {
      let next = level.next.get(name);
      if (!next) {
        next = newLevel();
        level.next.set(name, next);
      }
      level = next;
    }
    (isOpen(filter) ? level.below : level.here).add(value);
  }

  function remove(filter: string, value: T): void {
    const path = pathOf(filter);
    const levels = [root];
    for (const name of path) {
      const next = levels.at(-1)?.next.get(name);
      if (!next) return;
      levels.push(next);
    }
    (isOpen(filter) ? levels.at(-1)?.below : levels.at(-1)?.here)?.delete(value);
    for (let depth = path.length; depth > 0 && isEmpty(levels[depth] as Level<T>); depth--) {
      levels[depth - 1]?.next.delete(path[depth - 1] as string);
    }
  }

  /** In no particular order. */
  function match(topic: string): T[] {
    const found: T[] = [];
    collect(root, topic, 0, found);
    return found;
  }

  return { add, remove, match, empty: () => isEmpty(root) };
}

/** Collects what matches the topic levels from `start` on. It runs for each message. */
function collect<T>(level: Level<T>, topic: string, start: number, found: T[]): void {
  const { next, here, below } = level;
  const hidden = start === 0 && topic.startsWith('$'); // [MQTT-4.7.2-1]
  // `a/#` matches its parent level, too (4.7.1.2).
  if (!hidden) for (const value of below) found.push(value);
  if (start > topic.length) {
    for (const value of here) found.push(value);
    return;
  }
  if (next.size === 0) return;
  const slash = topic.indexOf('/', start);
  const end = slash < 0 ? topic.length : slash;
  const named = next.get(topic.slice(start, end));
  if (named) collect(named, topic, end + 1, found);
  const any = hidden ? undefined : next.get('+');
  if (any) collect(any, topic, end + 1, found);
}

function newLevel<T>(): Level<T> {
  return { next: new Map(), here: new Set(), below: new Set() };
}

function isEmpty<T>({ next, here, below }: Level<T>): boolean {
  return next.size === 0 && here.size === 0 && below.size === 0;
}

function isOpen(filter: string): boolean {
  const part = matchedPart(filter);
  return part === '#' || part.endsWith('/#');
}

/** Its levels, without a `#`. */
function pathOf(filter: string): string[] {
  const path = matchedPart(filter).split('/');
  return isOpen(filter) ? path.slice(0, -1) : path;
}
