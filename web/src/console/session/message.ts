/** A message as the form has it, and as the client needs it. */

import type { PublishProperties, QoS } from '../../client';
import { mark, t } from '../core/i18n/i18n';
import { encodeSoon, problemWith } from '../payload/encode';
import type { Format } from '../payload/format';
import type { Definition, ProtoFile } from '../payload/schema';
import { expand } from './template';

export type Pair = [name: string, value: string];

/** As typed; what is empty is not sent. */
export const noProperties = {
  payloadFormatIndicator: false,
  /** Seconds. */
  messageExpiryInterval: '',
  contentType: '',
  responseTopic: '',
  correlationData: '',
  topicAlias: '',
  userProperties: [] as Pair[],
};
export type Properties = typeof noProperties;

export interface Message {
  topic: string;
  payload: string;
  /** Instead of what is typed. */
  file: { name: string; bytes: Uint8Array } | undefined;
  format: Format;
  /** Full name of the Protobuf message that the payload is; empty where it is none. */
  type: string;
  qos: QoS;
  retain: boolean;
  properties: Properties;
  /** Correlation data of the request that this answers, in place of what is typed. */
  correlation?: Uint8Array | undefined;
}

export const emptyMessage: Message = {
  topic: '',
  payload: '',
  file: undefined,
  format: 'text',
  type: '',
  qos: 0,
  retain: false,
  properties: noProperties,
  correlation: undefined,
};

export const isQoS = (value: unknown): value is QoS => value === 0 || value === 1 || value === 2;

/** The name that a field of the client's options has in a form. */
export function formField(path = ''): string {
  return path.replace(/\b(properties|scram)\./, '');
}

/** What is not a number becomes NaN, which the client refuses with the field's name. */
export function numberOf(typed: string): number | undefined {
  return typed.trim() === '' ? undefined : Number(typed);
}

/** Only what was filled in, since the client distinguishes absent fields from empty ones. */
export function filled<T extends object>(fields: { [K in keyof T]: T[K] | undefined | '' | false }): T {
  return Object.fromEntries(
    Object.entries(fields).filter(([, value]) => value !== undefined && value !== '' && value !== false),
  ) as T;
}

/** Without rows that were added and left empty. */
export function pairsOf(rows: Pair[]): Pair[] | undefined {
  const used = rows.filter(([name, value]) => name !== '' || value !== '');
  return used.length > 0 ? used : undefined;
}

export function propertiesOf(typed: Properties): PublishProperties {
  return filled<PublishProperties>({
    ...typed,
    messageExpiryInterval: numberOf(typed.messageExpiryInterval),
    topicAlias: numberOf(typed.topicAlias),
    userProperties: pairsOf(typed.userProperties),
  });
}

/** How many properties are filled in. */
export function countProperties(typed: Properties): number {
  return Object.keys(propertiesOf(typed)).length;
}

const isJson = ({ contentType }: Properties): boolean => /[/+]json\s*(;|$)/i.test(contentType);

const formatNames: Record<Exclude<Format, 'text'>, string> = {
  json: 'JSON',
  hex: mark('hexadecimal'),
  base64: 'Base64',
  cbor: mark('JSON that CBOR can hold'),
  msgpack: mark('JSON that MessagePack can hold'),
  protobuf: mark('JSON of the Protobuf message'),
  sparkplug: mark('JSON of a Sparkplug payload'),
};

/** The predicate of a sentence about the payload. */
function wrongWith(
  text: string,
  format: keyof typeof formatNames,
  definition: Definition,
): string | undefined {
  const problem = problemWith(format, text, definition);
  return problem === undefined
    ? undefined
    : t('is not {format}: {problem}', { format: t(formatNames[format]), problem });
}

/** Longer than typed text, and too long to validate at each key. */
const checkedAsTyped = 500_000;

/** What is wrong with the payload, shown while it is typed. `files` are the .proto files. */
export function payloadProblem(
  { payload, file, format, type, properties }: Message,
  files?: readonly ProtoFile[],
): string | undefined {
  if (file || payload === '' || payload.length > checkedAsTyped) return undefined;
  const means = format === 'text' && isJson(properties) ? 'json' : format;
  return means === 'text' ? undefined : wrongWith(expand(payload, 0), means, { type, files });
}

/**
 * With all placeholders filled in. Throws or rejects with `bad-option` if it is not valid in its
 * format.
 */
export function payloadOf(
  { payload, file, format, type }: Message,
  n: number,
  files?: readonly ProtoFile[],
): string | Uint8Array | Promise<Uint8Array> {
  if (file) return file.bytes;
  const text = expand(payload, n);
  return format === 'text' ? text : encodeSoon(format, text, { type, files });
}
