/**
 * Validation of arguments: each check returns the value as it crosses the boundary, or throws
 * `bad-option`.
 */

import type { QoS, UserPropertyPairs } from '../../protocol/boundary';
import { MqttError } from '../errors';
import type { UserProperties } from '../properties';

export type Check<T> = (value: unknown, field: string) => T;

export function bad(field: string, problem: string): MqttError {
  return new MqttError('bad-option', `${field}: ${problem}`, { field });
}

/** An object's known fields, each by its own check; absent ones stay absent. */
export function shape<S extends Record<string, Check<unknown>>>(
  checks: S,
): Check<{ [K in keyof S]?: ReturnType<S[K]> }> {
  return (value, field) => {
    if (typeof value !== 'object' || value === null)
      throw bad(field || 'options', `must be an object, not ${kind(value)}`);
    const known: { [K in keyof S]?: ReturnType<S[K]> } = {};
    for (const key of Object.keys(checks) as (keyof S & string)[]) {
      const given = (value as Record<string, unknown>)[key];
      if (given === undefined) continue;
      const path = field === '' ? key : `${field}.${key}`;
      known[key] = checks[key]?.(given, path) as ReturnType<S[typeof key]>;
    }
    return known;
  };
}

export const u16 = 0xffff;
export const u32 = 0xffff_ffff;
/** The longest delay of timers; longer ones fire at once. */
export const maxMilliseconds = 0x7fff_ffff;

/** A check that returns the value unchanged if it `holds`. */
function must<T>(what: string, holds: (value: unknown) => boolean): Check<T> {
  return (value, field) => {
    if (!holds(value)) throw bad(field, `must be ${what}, not ${kind(value)}`);
    return value as T;
  };
}

export const integer = (min: number, max: number): Check<number> =>
  must(
    `a whole number from ${min} to ${max}`,
    (value) => Number.isInteger(value) && (value as number) >= min && (value as number) <= max,
  );

export const boolean: Check<boolean> = must('true or false', (value) => typeof value === 'boolean');

export const oneOf = <T extends string>(...words: T[]): Check<T> =>
  must(words.map((word) => `'${word}'`).join(' or '), (value) => words.includes(value as T));

/** A function of the caller; what it returns is checked when it is called. */
export const callback: Check<(...args: never[]) => unknown> = must(
  'a function',
  (value) => typeof value === 'function',
);

export const qos: Check<QoS> = must('0, 1 or 2', (value) => value === 0 || value === 1 || value === 2);

const string: Check<string> = must('a string', (value) => typeof value === 'string');

/** A UTF-8 Encoded String (1.5.4). */
export const text: Check<string> = (given, field) => {
  const value = string(given, field);
  // With the u flag a paired surrogate is one code point of another category [MQTT-1.5.4-1].
  if (/\p{Surrogate}/u.test(value)) throw bad(field, 'has half of a surrogate pair, which UTF-8 cannot hold');
  if (value.includes('\0')) throw bad(field, 'must not contain U+0000'); // [MQTT-1.5.4-2]
  // No UTF-16 unit takes more than 3 bytes, so most need no counting.
  if (value.length * 3 > u16 && new TextEncoder().encode(value).length > u16) {
    throw bad(field, 'is longer than 65,535 bytes as UTF-8');
  }
  return value;
};

/** Any bytes; the result is a copy whose buffer may be transferred. */
export const payload: Check<Uint8Array> = (value, field) => {
  if (typeof value === 'string') return new TextEncoder().encode(value);
  try {
    if (ArrayBuffer.isView(value)) {
      return new Uint8Array(value.buffer, value.byteOffset, value.byteLength).slice();
    }
    if (value instanceof ArrayBuffer) return new Uint8Array(value.slice(0));
  } catch {
    throw bad(field, 'has a buffer that was transferred elsewhere');
  }
  throw bad(
    field,
    `must be a string or bytes, not ${kind(value)}; convert it, for example with JSON.stringify`,
  );
};

/** Binary Data (1.5.6): its length is two bytes. */
export const binary: Check<Uint8Array> = (value, field) => {
  const bytes = payload(value, field);
  if (bytes.length > u16) throw bad(field, 'is longer than 65,535 bytes');
  return bytes;
};

export const userProperties: Check<UserPropertyPairs> = (value, field) => {
  if (typeof value !== 'object' || value === null) {
    throw bad(field, `must be an object or an array of pairs, not ${kind(value)}`);
  }
  const given = value as UserProperties;
  const pairs: unknown[][] = Array.isArray(given)
    ? given
    : Object.entries(given).flatMap(([name, values]) => [values].flat().map((one) => [name, one]));
  return pairs.map((pair) => {
    if (!Array.isArray(pair) || pair.length !== 2) throw bad(field, 'each must be a pair of name and value');
    return [text(pair[0], field), text(pair[1], field)];
  });
};

export const signal: Check<AbortSignal> = must('an AbortSignal', (value) => value instanceof AbortSignal);

export const timeout = integer(0, maxMilliseconds);

/** The value itself if that helps, otherwise its type. */
function kind(value: unknown): string {
  const type = typeof value;
  if (typeof value === 'string') return `the string ${JSON.stringify(value.slice(0, 40))}`;
  if (value === null || /^[unb]/.test(type)) return String(value); // undefined, a number, a boolean or a bigint
  if (Array.isArray(value)) return 'an array';
  return type === 'object' ? 'an object' : `a ${type}`;
}
