/** What the page keeps in this browser from one visit to the next. */

// To be asked for at each use: a browser may forbid it.
const lasting = () => localStorage;

/** Undefined where there is nothing, or nothing to be read. */
export function readKept(key: string, storage = lasting): unknown {
  try {
    return JSON.parse(storage().getItem(key) ?? '');
  } catch {
    return undefined;
  }
}

/** Whether it was kept. */
export function keep(key: string, value: unknown, storage = lasting): boolean {
  try {
    storage().setItem(key, JSON.stringify(value));
    return true;
  } catch {
    // Full, or forbidden in the browser's settings.
    return false;
  }
}

export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function pairsIn(value: unknown): [string, string][] {
  if (!Array.isArray(value)) return [];
  return value.flatMap((pair: unknown): [string, string][] => {
    if (!Array.isArray(pair)) return [];
    const [name, text]: unknown[] = pair;
    return typeof name === 'string' && typeof text === 'string' ? [[name, text]] : [];
  });
}

/**
 * What foreign JSON holds of `model`: a field that is there and of the same
 * type is taken, any other is the model's, and nothing else comes along.
 * Lists are pairs of strings.
 */
export function inShapeOf<T extends object>(model: T, value: unknown): T {
  if (!isRecord(value)) return model;
  const fields = Object.entries(model).map(([key, own]: [string, unknown]): [string, unknown] => {
    const given = Object.hasOwn(value, key) ? value[key] : undefined;
    if (Array.isArray(own)) return [key, pairsIn(given)];
    if (isRecord(own)) return [key, inShapeOf(own, given)];
    return [key, typeof given === typeof own ? given : own];
  });
  return Object.fromEntries(fields) as T;
}
