/** Foreign files of messages: a JSON text on each line, as the page exports them. */

import type { MessageProperties, QoS } from '../../client';
import { topicName } from '../../client/checks/topics';
import { TranslatedError, t, type Words } from '../core/i18n/i18n';
import { isRecord } from '../core/storage';
import { decodeUtf8, visible, wordsOf } from '../core/text';
import { directions, type Entry } from '../log/entry';
import { entryOf } from './chunk';

/** Bytes of a line: the largest payload that the page takes, in base64 or in JSON's escapes, with what is around it. */
const longest = 128 * 1024 * 1024;

export interface FileLine {
  /** From 1. */
  number: number;
  bytes: Uint8Array;
  /** Longer than any message, and not kept. */
  tooLong: boolean;
}

/** Lines that are not empty, with at most one of them and a piece of the file in memory. */
export async function* linesIn(pieces: AsyncIterable<Uint8Array>, limit = longest): AsyncGenerator<FileLine> {
  let parts: Uint8Array[] = [];
  let size = 0;
  let number = 1;

  function take(piece: Uint8Array): void {
    size += piece.length;
    if (size <= limit) parts.push(piece);
    else parts = [];
  }
  function line(): FileLine {
    const [only, ...more] = parts;
    let bytes = only ?? new Uint8Array(0);
    if (more.length > 0) {
      bytes = new Uint8Array(size);
      let at = 0;
      for (const part of parts) {
        bytes.set(part, at);
        at += part.length;
      }
    }
    const made = { number: number++, bytes, tooLong: size > limit };
    parts = [];
    size = 0;
    return made;
  }

  for await (const piece of pieces) {
    let from = 0;
    for (let end = piece.indexOf(0x0a); end >= 0; end = piece.indexOf(0x0a, from)) {
      take(piece.subarray(from, end));
      const made = line();
      if (made.tooLong || !blank(made.bytes)) yield made;
      from = end + 1;
    }
    take(piece.subarray(from));
  }
  const made = line();
  if (made.tooLong || !blank(made.bytes)) yield made;
}

/** Spaces, tabs, the carriage return of CRLF, and the byte order mark that editors put first. */
function blank(bytes: Uint8Array): boolean {
  return bytes.length < 80 && /^\s*$/.test(new TextDecoder().decode(bytes));
}

/** A line that is not a message. The error names the field. */
export class LineError extends TranslatedError {
  override readonly name = 'LineError';
}

function bad(field: string, what: Words): LineError {
  return new LineError(() => `${field}: ${what()}`);
}

const encoder = new TextEncoder();

function text(value: unknown, field: string): string {
  if (typeof value !== 'string') throw bad(field, () => t('is not a string'));
  // TextEncoder would replace it with another character.
  if (/\p{Surrogate}/u.test(value)) throw bad(field, () => t('contains half a character (a lone surrogate)'));
  return value;
}

/** A text of MQTT, whose length has 16 bits (1.5.4). */
function shortText(value: unknown, field: string): string {
  const whole = text(value, field);
  if (encoder.encode(whole).length > 0xffff) throw bad(field, () => t('has more than 65,535 bytes'));
  return whole;
}

function bytes(value: unknown, encoding: unknown, field: string): Uint8Array {
  const whole = text(value, field);
  if (encoding === 'utf-8') return encoder.encode(whole);
  if (encoding !== 'base64') throw bad(`${field}Encoding`, () => t('is neither utf-8 nor base64'));
  try {
    return Uint8Array.from(atob(whole), (char) => char.charCodeAt(0));
  } catch {
    throw bad(field, () => t('is not base64'));
  }
}

function flag(value: unknown, field: string): boolean {
  if (typeof value !== 'boolean') throw bad(field, () => t('is neither true nor false'));
  return value;
}

function whole(value: unknown, field: string, least: number, most: number): number {
  if (typeof value === 'number' && Number.isInteger(value) && value >= least && value <= most) return value;
  throw bad(field, () => t('is not a whole number from {least} to {most}', { least, most }));
}

function pairs(value: unknown): [string, string][] {
  if (!Array.isArray(value)) throw bad('userProperties', () => t('is not a list'));
  return value.map((pair: unknown) => {
    if (!Array.isArray(pair) || pair.length !== 2)
      throw bad('userProperties', () => t('contains something that is not a pair'));
    return [shortText(pair[0], 'userProperties'), shortText(pair[1], 'userProperties')];
  });
}

function propertiesFrom(value: unknown): MessageProperties {
  if (!isRecord(value)) throw bad('properties', () => t('is not an object'));
  const readers: {
    [K in keyof MessageProperties]-?: (given: unknown, field: string) => NonNullable<MessageProperties[K]>;
  } = {
    payloadFormatIndicator: flag,
    messageExpiryInterval: (given, field) => whole(given, field, 0, 0xffff_ffff),
    contentType: shortText,
    responseTopic: shortText,
    correlationData: (given, field) => bytes(given, value.correlationDataEncoding, field),
    userProperties: pairs,
    subscriptionIdentifier(given, field) {
      const [first, ...more] = [given].flat().map((id) => whole(id, field, 1, 268_435_455)); // 3.3.2.3.8
      if (first === undefined) throw bad(field, () => t('is an empty list'));
      return more.length > 0 ? [first, ...more] : first;
    },
  };
  // In order, so that they are written again as they were read.
  const known = Object.entries(value).filter(([name]) => Object.hasOwn(readers, name));
  return Object.fromEntries(
    known.map(([name, given]) => [name, readers[name as keyof MessageProperties](given, name)]),
  );
}

/** The message of a line. Throws `LineError`; what is not of a message is left out. */
export function entryFrom({ bytes: raw, tooLong }: FileLine): Entry {
  if (tooLong) throw new LineError(() => t('longer than 128 MiB'));
  const line = decodeUtf8(raw);
  if (line === undefined) throw new LineError(() => t('not UTF-8'));
  let value: unknown;
  try {
    value = JSON.parse(line.replace(/^\ufeff/, ''));
  } catch {
    throw new LineError(() => t('not JSON'));
  }
  if (!isRecord(value)) throw new LineError(() => t('not a JSON object'));
  const own = (name: string): unknown => (Object.hasOwn(value, name) ? value[name] : undefined);
  const direction = directions.find((one) => one === own('direction'));
  if (!direction)
    throw bad('direction', () => t('is not one of {choices}', { choices: directions.join(', ') }));
  const receivedAt = Date.parse(text(own('time'), 'time'));
  if (Number.isNaN(receivedAt)) throw bad('time', () => t('is not a time such as 2026-01-02T03:04:05.678Z'));
  const topic = shortText(own('topic'), 'topic');
  try {
    topicName(topic, 'topic');
  } catch (error) {
    throw new LineError(() => visible(wordsOf(error)).slice(0, 200));
  }
  const connection = own('connection');
  return entryOf(
    {
      connection: connection === undefined ? '' : shortText(connection, 'connection'),
      topic,
      payload: bytes(own('payload'), own('payloadEncoding'), 'payload'),
      qos: whole(own('qos'), 'qos', 0, 2) as QoS,
      retain: flag(own('retain'), 'retain'),
      dup: flag(own('dup'), 'dup'),
      receivedAt,
      properties: propertiesFrom(own('properties')),
    },
    direction,
    0,
  );
}
