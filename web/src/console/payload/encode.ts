/** Payloads to publish, from what was typed. */

import { MqttError } from '../../client';
import { mark } from '../core/i18n/i18n';
import type { Format } from './format';
import { scanJson } from './json';
import { fromBase64, fromHex, fromText } from './typed';
import { integers, parseValue } from './value';

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

function fromJson(text: string): Uint8Array {
  scanJson(text, { full: false, open() {}, leaf() {}, close() {} });
  return fromText(text);
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
