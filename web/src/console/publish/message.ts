/** A message as the form holds it, and as the client takes it. */

import { MqttError, type PublishProperties, type QoS } from '../../client';
import { expand } from './template';

export type Pair = [name: string, value: string];

/** As typed; what is empty is not sent. */
export interface Properties {
  payloadFormatIndicator: boolean;
  /** Seconds. */
  messageExpiryInterval: string;
  contentType: string;
  responseTopic: string;
  correlationData: string;
  topicAlias: string;
  userProperties: Pair[];
}

/** How the bytes of a payload are written in the form. */
export type Format = 'text' | 'json' | 'hex' | 'base64';

/** A file that is the payload. */
export interface FilePayload {
  name: string;
  bytes: Uint8Array;
}

export interface Message {
  topic: string;
  payload: string;
  /** Instead of what is typed. */
  file: FilePayload | undefined;
  format: Format;
  qos: QoS;
  retain: boolean;
  properties: Properties;
}

export const noProperties: Properties = {
  payloadFormatIndicator: false,
  messageExpiryInterval: '',
  contentType: '',
  responseTopic: '',
  correlationData: '',
  topicAlias: '',
  userProperties: [],
};

export const emptyMessage: Message = {
  topic: '',
  payload: '',
  file: undefined,
  format: 'text',
  qos: 0,
  retain: false,
  properties: noProperties,
};

/** The name that a field of the client's options has in a form. */
export function formField(path = ''): string {
  return path.replace(/\b(properties|scram)\./, '');
}

/** What is not a number stays NaN, which the client refuses by the field's name. */
export function numberOf(typed: string): number | undefined {
  return typed.trim() === '' ? undefined : Number(typed);
}

/** Only what was filled in: the client tells an absent field from an empty one. */
export function filled<T extends object>(fields: { [K in keyof T]: T[K] | undefined | '' | false }): T {
  return Object.fromEntries(
    Object.entries(fields).filter(([, value]) => value !== undefined && value !== '' && value !== false),
  ) as T;
}

/** A row that was added and left empty counts for nothing. */
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

/** The text's bytes; throws words about what is wrong with it. */
function parse(text: string, format: Format): string | Uint8Array {
  switch (format) {
    case 'json':
      JSON.parse(text);
      return text;
    case 'hex': {
      const digits = text.replace(/\s/g, '');
      if (!/^([0-9a-f]{2})*$/i.test(digits)) throw new Error('two hexadecimal digits make a byte');
      return Uint8Array.from({ length: digits.length / 2 }, (_, i) =>
        Number.parseInt(digits.slice(2 * i, 2 * i + 2), 16),
      );
    }
    case 'base64':
      return Uint8Array.from(atob(text), (char) => char.charCodeAt(0));
  }
  return text;
}

const formatNames = { text: 'text', json: 'JSON', hex: 'hexadecimal', base64: 'Base64' };

function wrongWith(text: string, format: Format): string | undefined {
  try {
    parse(text, format);
    return undefined;
  } catch (error) {
    // The whole of a long text may be quoted.
    const words = error instanceof Error ? error.message.slice(0, 160) : '';
    return `is not ${formatNames[format]}: ${words}`;
  }
}

/** Longer than anybody types, and long to read at each key. */
const checkedAsTyped = 500_000;

/** What is wrong with the payload as it stands, told while it is typed. */
export function payloadProblem({ payload, file, format, properties }: Message): string | undefined {
  if (file || payload === '' || payload.length > checkedAsTyped) return undefined;
  const means = format === 'text' && isJson(properties) ? 'json' : format;
  return means === 'text' ? undefined : wrongWith(expand(payload, 0), means);
}

/** With every place filled in. Throws `bad-option` when the payload is not of its format. */
export function payloadOf({ payload, file, format }: Message, n: number): string | Uint8Array {
  if (file) return file.bytes;
  const text = expand(payload, n);
  const wrong = wrongWith(text, format);
  if (wrong) throw new MqttError('bad-option', `payload: ${wrong}`, { field: 'payload' });
  return parse(text, format);
}
