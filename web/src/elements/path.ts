/** Paths to values in a JSON payload: `temperature`, `sensors[0].value`, `$['a key']`. */

import { MqttError } from '../client/index';

export type Path = readonly (string | number)[];

const step = /(?:^|\.)([^.[\]'"\s]+)|\[(\d+)\]|\[(?:'([^']*)'|"([^"]*)")\]/y;

/** Throws an `MqttError` of code `bad-option`. An empty path is the whole payload. */
export function parsePath(text: string): Path {
  const path: (string | number)[] = [];
  step.lastIndex = text.startsWith('$') && /^\$(?:$|[.[])/.test(text) ? 1 : 0;
  while (step.lastIndex < text.length) {
    const at = step.lastIndex;
    const [, name, index, single, double] = step.exec(text) ?? [];
    const key = name ?? single ?? double;
    if (key !== undefined) path.push(key);
    else if (index !== undefined) path.push(Number(index));
    else {
      const like = "write it like sensors[0].value or ['a key']";
      throw new MqttError(
        'bad-option',
        `path: not understood from ${JSON.stringify(text.slice(at))} on; ${like}`,
        {
          field: 'path',
        },
      );
    }
  }
  return path;
}

/** Undefined if there is nothing. It finds own properties only, not inherited ones. */
export function pick(value: unknown, path: Path): unknown {
  let found = value;
  for (const key of path) {
    if (typeof found !== 'object' || found === null || !Object.hasOwn(found, key)) return undefined;
    found = (found as Record<string | number, unknown>)[key];
  }
  return found;
}
