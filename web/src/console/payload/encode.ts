/** Payloads to publish, from what was typed. */

import { MqttError } from '../../client';
import { mark, t } from '../language/language';
import { visible } from '../text';
import { PayloadError } from './error';
import { scanJson } from './json';
import { integers, parseValue } from './value';

export type Format = 'text' | 'json' | 'hex' | 'base64' | 'cbor' | 'msgpack' | 'protobuf' | 'sparkplug';

/** For a choice. What has a binary form of its own is typed as JSON. */
export const formats = [
  ['text', mark('Text')],
  ['json', 'JSON'],
  ['hex', mark('Hex')],
  ['base64', 'Base64'],
  ['cbor', 'CBOR'],
  ['msgpack', 'MessagePack'],
  ['protobuf', 'Protobuf'],
  ['sparkplug', 'Sparkplug B'],
] as const satisfies readonly (readonly [Format, string])[];

export function fromText(text: string): Uint8Array {
  // TextEncoder would send another character in its place.
  if (/\p{Surrogate}/u.test(text))
    throw new PayloadError(t('there is half a character in it (a lone surrogate)'));
  return new TextEncoder().encode(text);
}

function fromJson(text: string): Uint8Array {
  scanJson(text, { full: false, open() {}, leaf() {}, close() {} });
  return fromText(text);
}

function refuse(text: string, bad: RegExp, what: string): void {
  const at = text.search(bad);
  if (at < 0) return;
  const char = String.fromCodePoint(text.codePointAt(at) ?? 0);
  throw new PayloadError(
    t('“{character}” (character {number}) is not {what}', {
      character: visible(char),
      number: at + 1,
      what: t(what),
    }),
  );
}

function fromHex(text: string): Uint8Array {
  const spaced = text.replace(/\b0x/gi, '  ');
  refuse(spaced, /[^0-9a-f\s:,-]/i, mark('a hexadecimal digit'));
  const digits = spaced.replace(/[^0-9a-f]/gi, '');
  if (digits.length % 2)
    throw new PayloadError(t('a byte has two digits, and here is an odd number of them'));
  const bytes = new Uint8Array(digits.length / 2);
  for (let at = 0; at < bytes.length; at++) bytes[at] = Number.parseInt(digits.slice(2 * at, 2 * at + 2), 16);
  return bytes;
}

/** Both alphabets of RFC 4648, with or without the padding. */
export function fromBase64(text: string): Uint8Array {
  refuse(text, /[^0-9a-z+/_\-=\s]/i, mark('a Base64 digit'));
  const digits = text.replace(/\s/g, '').replace(/=+$/, '').replace(/-/g, '+').replace(/_/g, '/');
  refuse(digits, /=/, mark('at the end, where padding belongs'));
  if (digits.length % 4 === 1) throw new PayloadError(t('the last Base64 digit is missing'));
  return Uint8Array.from(atob(digits), (char) => char.charCodeAt(0));
}

async function fromJsonToCbor(text: string): Promise<Uint8Array> {
  // CBOR's integers reach from -2^64 to 2^64-1 (RFC 8949, 3.1).
  const value = parseValue(text, integers.cbor);
  const { encode } = await import('cborg');
  return encode(value, { mapSorter: () => 0 }); // as typed
}

async function fromJsonToMessagePack(text: string): Promise<Uint8Array> {
  const value = parseValue(text, integers.msgpack);
  const { encode } = await import('@msgpack/msgpack');
  return encode(value, { useBigInt64: true, maxDepth: Number.POSITIVE_INFINITY });
}

let protobuf: typeof import('./protobuf-encode') | undefined;

/** Fetches what Protobuf needs, once. From then on its mistakes are told as it is typed. */
export async function loadProtobuf(): Promise<typeof import('./protobuf-encode')> {
  protobuf = await import('./protobuf-encode');
  return protobuf;
}

const encoders: Record<Format, (text: string, type: string) => Uint8Array | Promise<Uint8Array>> = {
  text: fromText,
  json: fromJson,
  hex: fromHex,
  base64: fromBase64,
  cbor: fromJsonToCbor,
  msgpack: fromJsonToMessagePack,
  protobuf: async (text, type) => (await loadProtobuf()).encode(text, type),
  sparkplug: async (text) => (await loadProtobuf()).encodeSparkplug(text),
};

const checks: Record<Format, (text: string, type: string) => unknown> = {
  text: fromText,
  json: fromJson,
  hex: fromHex,
  base64: fromBase64,
  cbor: (text) => parseValue(text, integers.cbor),
  msgpack: (text) => parseValue(text, integers.msgpack),
  protobuf: (text, type) => (protobuf ? protobuf.encode(text, type) : parseValue(text, integers.protobuf)),
  sparkplug: (text) => (protobuf ? protobuf.encodeSparkplug(text) : parseValue(text, integers.protobuf)),
};

/** What is wrong with the text as it is typed, undefined when nothing is. `type` is Protobuf's. */
export function problemWith(format: Format, text: string, type = ''): string | undefined {
  try {
    checks[format](text, type);
    return undefined;
  } catch (error) {
    // The whole of a long text may be quoted.
    return error instanceof Error ? error.message.slice(0, 160) : String(error);
  }
}

/**
 * The bytes; a promise where an encoder has to be loaded first. What is wrong
 * with the text is an MqttError `bad-option` at the field `payload`.
 */
export function encodeSoon(format: Format, text: string, type = ''): Uint8Array | Promise<Uint8Array> {
  const wrong = (cause: unknown): MqttError => {
    const message = cause instanceof Error ? cause.message : String(cause);
    return new MqttError('bad-option', `payload: ${message}`, { field: 'payload', cause });
  };
  try {
    const bytes = encoders[format](text, type);
    if (bytes instanceof Uint8Array) return bytes;
    return bytes.catch((cause) => {
      throw wrong(cause);
    });
  } catch (cause) {
    throw wrong(cause);
  }
}

export async function encode(format: Format, text: string, type = ''): Promise<Uint8Array> {
  return encodeSoon(format, text, type);
}
