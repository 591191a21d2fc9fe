/** The name of the first field in which two sets of options differ, such as `properties.receiveMaximum`. */
export function difference(one: unknown, other: unknown, field = ''): string | undefined {
  if (Object.is(one, other)) return undefined;
  if (isList(one) && isList(other)) {
    const same = one.length === other.length && one.every((item, index) => !differ(item, other[index]));
    return same ? undefined : field;
  }
  // `properties: {}` means the same as no properties.
  const first = fieldsOf(one ?? {});
  const second = fieldsOf(other ?? {});
  if (!first || !second) return field;
  for (const name of new Set([...Object.keys(first), ...Object.keys(second)])) {
    const found = difference(first[name], second[name], field === '' ? name : `${field}.${name}`);
    if (found !== undefined) return found;
  }
  return undefined;
}

const differ = (one: unknown, other: unknown): boolean => difference(one, other) !== undefined;

function isList(value: unknown): value is unknown[] | Uint8Array {
  return Array.isArray(value) || value instanceof Uint8Array;
}

function fieldsOf(value: unknown): Record<string, unknown> | undefined {
  if (typeof value !== 'object' || isList(value)) return undefined;
  return value as Record<string, unknown>;
}
