import { matchedPart } from './topic-filter';

/** One level of filters. `+` is a key of `next` like others: no topic has a level of that name. */
interface Level<T> {
  next: Map<string, Level<T>>;
  /** Of filters that end here. */
  here: Set<T>;
  /** Of filters that end here with `#`. */
  below: Set<T>;
}

/** Topics whose values are remembered. */
const remembered = 4096;
/** Characters of one of them. */
const longest = 256;

/** Values by topic filter: a topic's are found without a look at every filter. */
export function createTopicIndex<T>() {
  const root = newLevel<T>();
  /** Found before: topics come again and again. */
  const known = new Map<string, readonly T[]>();

  function add(filter: string, value: T): void {
    known.clear();
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
    known.clear();
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
  function match(topic: string): readonly T[] {
    let found = known.get(topic);
    if (found) return found;
    found = search(topic);
    if (topic.length > longest) return found;
    if (known.size >= remembered) known.clear();
    known.set(topic, found);
    return found;
  }

  function search(topic: string): T[] {
    const found: T[] = [];
    const names = topic.split('/');
    collect(root, 0);
    return found;

    function collect(level: Level<T>, depth: number): void {
      const hidden = depth === 0 && topic.startsWith('$'); // [MQTT-4.7.2-1]
      // `a/#` selects its parent level too (4.7.1.2).
      if (!hidden) for (const value of level.below) found.push(value);
      if (depth === names.length) {
        for (const value of level.here) found.push(value);
        return;
      }
      const next = level.next.get(names[depth] as string);
      if (next) collect(next, depth + 1);
      const any = hidden ? undefined : level.next.get('+');
      if (any) collect(any, depth + 1);
    }
  }

  return { add, remove, match, empty: () => isEmpty(root) };
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
