/** A received message as elements hold it: a copy, bounded, decoded once for all of them. */

import type { Message } from '../client/index';
import { type Path, pick } from './path';

/** Bytes of a payload that are kept. One that is larger is counted, and not shown. */
export const maxPayload = 256 << 10;

const utf8 = new TextDecoder('utf-8', { fatal: true });
const notRead = Symbol();

export interface Reading {
  readonly topic: string;
  /** Bytes of the payload as it came. */
  readonly size: number;
  readonly retain: boolean;
  /** Milliseconds since 1970. */
  readonly receivedAt: number;
  /** Which connection of the client's it came over. */
  readonly session: number;
  /** Undefined where the payload is not UTF-8, or too large. */
  text(): string | undefined;
  /** What is at the path of the JSON; without a path numbers and text that is not JSON too. */
  value(path: Path): unknown;
  /** For people: text, or the first bytes in hexadecimal, of at most so many characters. */
  preview(characters: number): string;
}

export function createReading(message: Message, session: number): Reading {
  const { topic, retain, receivedAt } = message;
  const size = message.payload.length;
  // The message's own bytes are part of a whole batch.
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
      const whole = reading.text();
      if (whole !== undefined) return whole.length > characters ? `${whole.slice(0, characters)}…` : whole;
      if (!payload) return `${size} B`;
      const first = Array.from(payload.subarray(0, 16), (byte) => byte.toString(16).padStart(2, '0'));
      return `${first.join(' ')}${size > 16 ? '…' : ''} (${size} B)`;
    },
  };
  return reading;
}

function decode(payload: Uint8Array): string | undefined {
  try {
    return utf8.decode(payload);
  } catch {
    return undefined;
  }
}

/** Undefined where it is not JSON. */
function parse(text: string | undefined): unknown {
  if (!text) return undefined;
  try {
    const value: unknown = JSON.parse(text);
    // A number of more digits than JavaScript has is shown as it came.
    const lossy = typeof value === 'number' && text.replace(/\D/g, '').length > 15;
    return lossy ? undefined : value;
  } catch {
    return undefined;
  }
}

/** A number, also where it came as text. */
export function toNumber(value: unknown): number | undefined {
  if (typeof value === 'boolean') return Number(value);
  const number = typeof value === 'string' && value.trim() !== '' ? Number(value) : value;
  return typeof number === 'number' && Number.isFinite(number) ? number : undefined;
}

/** A topic without the levels that the filter has before its first wildcard: those all have. */
export function shortTopic(topic: string, filter: string): string {
  const levels = filter.replace(/^\$share\/[^/]*\//, '').split('/');
  const wild = levels.findIndex((level) => level === '+' || level === '#');
  if (wild < 0) return '';
  // `a/#` selects `a` too.
  return topic.split('/').slice(wild).join('/') || topic;
}
