/** What `{{…}}` in a topic or a payload stands for. */

import { hex } from '../core/text';

const place = /\{\{([^{}]{1,80})\}\}/g;

const counts = (words: string): boolean => words.trim() === 'n';

function uuid(): string {
  // crypto.randomUUID is missing on pages that came over plain http.
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x40; // version 4 (RFC 9562, 5.4)
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80;
  return hex(bytes)
    .replaceAll(' ', '')
    .replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-');
}

/** From `low` to `high`, both included. */
function random(low: number, high: number, decimals: number): string | undefined {
  const step = 10 ** -decimals;
  const steps = Math.floor((high - low) / step + 1e-9);
  const fits = Number.isSafeInteger(decimals) && decimals >= 0 && decimals <= 15;
  if (!fits || !(steps >= 0 && steps <= Number.MAX_SAFE_INTEGER)) return undefined;
  if (decimals === 0 && !(Number.isSafeInteger(low) && Number.isSafeInteger(high))) return undefined;
  return (low + Math.floor(Math.random() * (steps + 1)) * step).toFixed(decimals);
}

/** Undefined if it is not a known placeholder. */
function meaningOf(words: string, n: number, now: number): string | undefined {
  const [name, ...given] = words.trim().split(/\s+/);
  if (name === 'random') {
    const [low = Number.NaN, high = Number.NaN, decimals = 0, more] = given.map(Number);
    return more === undefined ? random(low, high, decimals) : undefined;
  }
  switch (words.trim().replace(/\s+/g, ' ')) {
    case 'n':
      return String(n);
    case 'now':
      return new Date(now).toISOString();
    case 'now ms':
      return String(now);
    case 'uuid':
      return uuid();
  }
  return undefined;
}

export function hasCounter(template: string): boolean {
  return Array.from(template.matchAll(place)).some(([, words = '']) => counts(words));
}

/** The placeholders that `expand` leaves as they are, each once. */
export function unknownPlaces(template: string): string[] {
  const places = Array.from(template.matchAll(place));
  const left = places.filter(([, words = '']) => meaningOf(words, 0, 0) === undefined);
  return [...new Set(left.map(([whole]) => whole))];
}

/** `messages: {{n}}` with n = 3 is `messages: 3`. `now` is in milliseconds since 1970. */
export function expand(template: string, n: number, now = Date.now()): string {
  return template.replace(place, (whole, words: string) => meaningOf(words, n, now) ?? whole);
}
