/** A received message as elements keep it: a copy, bounded, decoded once for all of them. */

import type { Message } from '../client/index';
import { type Path, pick } from './path';

/** Bytes of a payload that are kept. A larger one is counted, but not shown. */
export const maxPayload = 256 << 10;

const notRead = Symbol();

export interface Reading {
  readonly topic: string;
  /** Bytes of the payload as it came. */
  readonly size: number;
  readonly retain: boolean;
  /** Milliseconds since 1970. */
  readonly receivedAt: number;
  /** The connection that it came over, as an object of its own. */
  readonly session: object;
  /** Undefined if the payload is not UTF-8, or too large. */
  text(): string | undefined;
  /** The value at the path of the JSON; without a path also numbers and text that is not JSON. */
  value(path: Path): unknown;
  /** The beginning: at most so many characters of text, or bytes in hexadecimal. */
  preview(characters: number): string;
  /** The first bytes in hexadecimal, and the number of all. */
  hex(): string;
}

export function createReading(message: Message, session: object): Reading {
  const { topic, retain, receivedAt } = message;
  const size = message.payload.length;
  // A copy, since the message's own bytes would keep the whole batch in memory.
  const payload = size > maxPayload ? undefined : message.payload.slice();
  let text: string | undefined | typeof notRead = notRead;
  let json: unknown = notRead;

  const reading: Reading = {
    topic,
    size,
    retain,
    receivedAt,
    session,
    text() {
      if (text === notRead) text = payload && decode(payload);
      return text;
    },
    value(path) {
      if (json === notRead) json = parse(reading.text());
      if (json === undefined && path.length === 0) return reading.text();
      return pick(json, path);
    },
    preview(characters) {
      if (!payload) return reading.hex();
      // Decodes no more than is shown: a substring keeps the whole string in memory.
      const bytes = payload.subarray(0, characters * 4 + 4);
      const begins = decode(bytes, bytes.length < size);
      if (begins !== undefined) return cut(begins, characters);
      return reading.hex();
    },
    hex() {
      const first = Array.from(payload?.subarray(0, 16) ?? [], (byte) => byte.toString(16).padStart(2, '0'));
      const begins = `${first.join(' ')}${size > 16 ? '…' : ''}`;
      return payload ? `${begins} (${size} B)` : `${size} B`;
    },
  };
  return reading;
}

/** Undefined if it is not UTF-8. With `more` the last character may be incomplete. */
function decode(payload: Uint8Array, more = false): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(payload, { stream: more });
  } catch {
    return undefined;
  }
}

/** Undefined if it is not JSON. */
function parse(text: string | undefined): unknown {
  if (!text) return undefined;
  try {
    const value: unknown = JSON.parse(text);
    // A number that JavaScript cannot represent is shown as it arrived.
    const lost = typeof value === 'number' && Math.abs(value) > Number.MAX_SAFE_INTEGER;
    return lost ? undefined : value;
  } catch {
    return undefined;
  }
}

/** A number, also if it arrived as text. */
export function toNumber(value: unknown): number | undefined {
  if (typeof value === 'boolean') return Number(value);
  const number = typeof value === 'string' && value.trim() !== '' ? Number(value) : value;
  return typeof number === 'number' && Number.isFinite(number) ? number : undefined;
}

function cut(text: string, characters: number): string {
  return text.length > characters ? `${text.slice(0, characters)}…` : text;
}

/**
 * A topic without the levels before the filter's first wildcard, which all topics share; at most
 * 200 characters.
 */
export function shortTopic(topic: string, filter: string): string {
  const levels = filter.replace(/^\$share\/[^/]*\//, '').split('/');
  const wild = levels.findIndex((level) => level === '+' || level === '#');
  if (wild < 0) return '';
  // `a/#` matches `a`, too.
  return cut(topic.split('/').slice(wild).join('/') || topic, 200);
}
