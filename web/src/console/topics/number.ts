/** Numbers in payloads: the payload itself, or the value at a path. */

import { limits } from '../core/limits';
import { decodeUtf8 } from '../core/text';
import type { Choice } from '../payload/choices';
import type { TreeCodec } from '../payload/codecs/codec';
import { scanJson } from '../payload/codecs/json';
import { codecOf, isText } from '../payload/codecs/table';
import type { Format, ViewFormat } from '../payload/format';
import { guess, type Readable } from '../payload/guess';
import { createWalk, formatPath } from '../payload/path';
import type { Scalar, Sink } from '../payload/sink';

/** Longer payloads are not searched for numbers. */
export const maxPayload = 64 * 1024;

/** In seconds, of 2001; few other values are as large. */
const leastTime = 1e9;

function toNumber(value: unknown): number | undefined {
  if (typeof value === 'boolean') return value ? 1 : 0;
  if (typeof value === 'string' && value.trim() !== '') {
    const number = Number(value);
    return Number.isFinite(number) ? number : undefined;
  }
  return typeof value === 'number' && Number.isFinite(value) ? value : undefined;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** The number in text or JSON, also from a string; true is 1, false 0. */
export function numberAt(payload: Uint8Array, steps: string[]): number | undefined {
  if (payload.length === 0 || payload.length > maxPayload) return undefined;
  const text = decodeUtf8(payload)?.replace(/^\ufeff/, '');
  if (text === undefined) return undefined;
  if (steps.length === 0) {
    return toNumber(text) ?? (text.length <= 64 ? toNumber(parseJson(text)) : undefined);
  }
  let value = parseJson(text);
  for (const step of steps) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, step)) return undefined;
    value = (value as Record<string, unknown>)[step];
  }
  return toNumber(value);
}

/** The format of a payload's values: the one chosen for its topic, or the most likely one. */
function treeOf(message: Readable, choice: Choice): Format | 'script' | undefined {
  const formats = [choice.format, guess(message).format];
  const isTree = (format: ViewFormat | undefined): format is Format | 'script' =>
    format === 'script' || (format !== undefined && format !== 'image' && !isText(format));
  return formats.find(isTree);
}

/** Visits each value with its path; returns false if that fails, or the decoder is not loaded yet. */
function walk(
  message: Readable,
  format: Format | 'script',
  choice: Choice,
  birth: Uint8Array | undefined,
  out: Sink,
): boolean {
  if (format === 'script') {
    scanJson(message.decoded?.json ?? 'null', out);
    return true;
  }
  const codec = codecOf(format) as TreeCodec | Promise<TreeCodec>;
  if (codec instanceof Promise) {
    codec.catch(() => {}); // the next call tries again
    return false;
  }
  try {
    codec.decode(message.payload, out, { ...choice, birth });
    return true;
  } catch {
    return false;
  }
}

function fromLeaf(kind: Scalar, text: string): number | undefined {
  return kind === 'number' ? toNumber(text) : toNumber(parseJson(text));
}

/**
 * The number at a path in a payload of any format. `birth` is the BIRTH that a Sparkplug B message
 * refers to.
 */
export function numberIn(
  message: Readable,
  choice: Choice,
  wanted: string[],
  birth?: Uint8Array,
): number | undefined {
  const { payload, decoded } = message;
  if (!decoded && (payload.length === 0 || payload.length > maxPayload)) return undefined;
  const format = treeOf(message, choice);
  if (!format || format === 'json') return numberAt(payload, wanted);
  let found: number | undefined;
  const pick = createWalk((steps, kind, text) => {
    if (steps.length !== wanted.length || !wanted.every((step, index) => steps[index] === step)) return;
    found = fromLeaf(kind, text);
  });
  return walk(message, format, choice, birth, pick) ? found : undefined;
}

/**
 * Paths to numbers in the payload, at most `limit`; strings and booleans that count as numbers come
 * last, and so do times and aliases. An empty path if the payload itself is a number.
 */
export function pathsIn(message: Readable, choice: Choice, limit: number, birth?: Uint8Array): string[] {
  if (!message.decoded && message.payload.length > maxPayload) return [];
  const format = treeOf(message, choice);
  if (!format) return numberAt(message.payload, []) === undefined ? [] : [''];
  const paths: string[] = [];
  const others: string[] = [];
  const look = createWalk((steps, kind, text) => {
    const value = fromLeaf(kind, text);
    if (steps.length > limits.paths.depth || value === undefined) return;
    // Of a Sparkplug B metric the number that stands for its name.
    const wanted = kind === 'number' && value < leastTime && steps.at(-1) !== 'alias';
    if (paths.length + others.length < limit) (wanted ? paths : others).push(formatPath(steps));
  });
  return walk(message, format, choice, birth, look) ? [...paths, ...others] : [];
}
