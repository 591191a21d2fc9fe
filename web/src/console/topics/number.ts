/** Numbers in payloads: the payload itself, or what a path leads to in its JSON. */

import { limits } from '../core/limits';
import { decodeUtf8 } from '../core/text';

/** Longer payloads are no numbers here. */
export const maxPayload = 64 * 1024;

/**
 * The steps of a path such as `$.pump.litres`, `readings[0]` or `["a b"].c`;
 * none for an empty one. Undefined for what is no path.
 */
export function parsePath(path: string): string[] | undefined {
  const steps: string[] = [];
  const rest = path.trim().replace(/^\$(?=$|[.[])/, '');
  const step = /\.?([^.[\]"\s][^.[\]"]*)|\[(\d+)\]|\[("(?:[^"\\]|\\.)*")\]/y;
  while (step.lastIndex < rest.length) {
    const found = step.exec(rest);
    if (!found) return undefined;
    if (found[3] !== undefined) {
      try {
        steps.push(String(JSON.parse(found[3])));
      } catch {
        return undefined;
      }
    } else steps.push((found[1] ?? found[2] ?? '').trim());
  }
  return steps;
}

function formatPath(steps: string[]): string {
  return steps
    .map((step, index) => {
      if (/^\d+$/.test(step)) return `[${step}]`;
      if (!/^[^.[\]"\s$][^.[\]"\s]*$/.test(step)) return `[${JSON.stringify(step)}]`;
      return index === 0 ? step : `.${step}`;
    })
    .join('');
}

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

/** The number there, also from a text that is one; true is 1, false 0. */
export function numberAt(payload: Uint8Array, steps: string[]): number | undefined {
  if (payload.length === 0 || payload.length > maxPayload) return undefined;
  const text = decodeUtf8(payload);
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

/**
 * Paths to numbers in the payload, at most `limit`, those that are numbers only
 * by another reading last; an empty path when the payload is one itself.
 */
export function pathsIn(payload: Uint8Array, limit: number): string[] {
  if (numberAt(payload, []) !== undefined) return [''];
  const text = payload.length <= maxPayload ? decodeUtf8(payload) : undefined;
  const paths: string[] = [];
  const others: string[] = [];
  function look(value: unknown, steps: string[]): void {
    if (typeof value !== 'object' || value === null) {
      if (steps.length === 0 || toNumber(value) === undefined) return;
      (typeof value === 'number' ? paths : others).push(formatPath(steps));
      return;
    }
    if (steps.length === limits.paths.depth) return;
    for (const [key, inner] of Object.entries(value)) {
      if (paths.length + others.length >= limit) return;
      look(inner, [...steps, key]);
    }
  }
  if (text !== undefined && /^\s*[[{]/.test(text)) look(parseJson(text), []);
  return [...paths, ...others];
}
