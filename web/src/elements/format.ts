/** Formats values for people. */

import { toNumber } from './reading';

export interface Style {
  format: string;
  /** Digits after the decimal point. */
  digits: number | undefined;
  /** A language tag; the browser's own if it is empty or invalid. */
  locale: string;
}

/** Characters of one value that are shown. */
const maxText = 1000;

/** Makes a function that formats values; it returns undefined if there is nothing to show. */
export function createFormat({ format, digits, locale }: Style): (value: unknown) => string | undefined {
  const places = digits === undefined || !(digits >= 0) ? undefined : Math.min(Math.trunc(digits), 20);
  const fixed = places === undefined ? {} : { minimumFractionDigits: places, maximumFractionDigits: places };
  const numbers = localised(locale, (tag) => new Intl.NumberFormat(tag, fixed));
  if (format === 'datetime') {
    const times = localised(
      locale,
      (tag) => new Intl.DateTimeFormat(tag, { dateStyle: 'short', timeStyle: 'medium' }),
    );
    return (value) => {
      const time = toTime(value);
      return time && times.format(time);
    };
  }
  return (value) => {
    if (value === undefined) return undefined;
    const number = typeof value === 'number' || format === 'number' ? toNumber(value) : undefined;
    if (number !== undefined && format !== 'text') return numbers.format(number);
    if (format === 'number') return undefined;
    const text = typeof value === 'string' ? value : JSON.stringify(value);
    return text.length > maxText ? `${text.slice(0, maxText)}…` : text;
  };
}

/** ISO 8601, or seconds or milliseconds since 1970. */
function toTime(value: unknown): Date | undefined {
  const number = typeof value === 'boolean' ? undefined : toNumber(value);
  const given = number === undefined ? value : number < 1e11 ? number * 1000 : number;
  if (typeof given !== 'number' && typeof given !== 'string') return undefined;
  const time = new Date(given);
  return Number.isNaN(time.getTime()) ? undefined : time;
}

export function localised<T>(tag: string, make: (tag: string | undefined) => T): T {
  try {
    return make(tag || undefined);
  } catch {
    return make(undefined); // a page's lang may be anything
  }
}
