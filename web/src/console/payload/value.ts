/** JSON as values for the binary formats, without the rounding of `JSON.parse`. */

import { t } from '../core/i18n/i18n';
import { limits } from '../core/limits';
import { scanJson } from './codecs/json';
import { PayloadError, tooDeep } from './error';
import type { Sink } from './sink';

export type Value = null | boolean | number | bigint | string | Value[] | { [key: string]: Value };

/** The least and the greatest integer that the formats have. */
export const integers = {
  cbor: [-(2n ** 64n), 2n ** 64n - 1n],
  msgpack: [-(2n ** 63n), 2n ** 64n - 1n],
  protobuf: [-(2n ** 1024n), 2n ** 1024n], // each type has its own, a double this one
} as const;

const words: Record<string, Value> = { true: true, false: false, null: null };

function numberOf(text: string, [least, greatest]: readonly [bigint, bigint]): number | bigint {
  const value = Number(text);
  if (!Number.isFinite(value))
    throw new PayloadError(() => t('{number} is too large', { number: text.slice(0, 40) }));
  // Up to 32 bits every encoder treats a number as an integer.
  if (/[.eE]/.test(text) || Math.abs(value) <= 0x7fffffff) return value;
  const exact = BigInt(text);
  if (exact < least || exact > greatest) {
    throw new PayloadError(() => t('{number} has more than 64 bits', { number: text.slice(0, 40) }));
  }
  return exact;
}

/** Throws PayloadError. */
export function parseValue(text: string, range: readonly [bigint, bigint]): Value {
  let top: Value = null;
  const open: (Value[] | { [key: string]: Value })[] = [];

  function add(value: Value, key: string | undefined): void {
    const inside = open.at(-1);
    if (inside === undefined) top = value;
    else if (Array.isArray(inside)) inside.push(value);
    else {
      // Defined, not assigned: the key may be `__proto__`.
      const property = { value, enumerable: true, configurable: true, writable: true };
      Object.defineProperty(inside, JSON.parse(key ?? '""'), property);
    }
  }

  const sink: Sink = {
    full: false,
    open(bracket, key) {
      if (open.length === limits.depth) throw tooDeep();
      const value: Value = bracket === '[' ? [] : {};
      add(value, key);
      open.push(value);
    },
    leaf(kind, written, key) {
      if (kind === 'string') add(JSON.parse(written), key);
      else add(kind === 'number' ? numberOf(written, range) : (words[written] ?? null), key);
    },
    close() {
      open.pop();
    },
  };
  scanJson(text, sink);
  return top;
}
