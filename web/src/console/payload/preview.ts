/** A message as the list and the details show it. */

import type { Message } from '../../client';
import { t } from '../core/i18n/i18n';
import { limits } from '../core/limits';
import { brief, decodeUtf8, formatCount, headOf, hex, textOf, unescaped, visible } from '../core/text';
import type { Recall } from './choices';
import type { Readable } from './guess';
import type { Birth, Decoded } from './in-row';
import { type Token, tokensOf } from './tokens';

/** Bytes that decide in a row whether a payload is text; the details look at all of them. */
const inspected = 64 * 1024;
const looksLikeJson = /^\s*[[{]/;

export interface Preview {
  topic: string;
  kind: 'text' | 'binary' | 'empty' | 'decoded';
  text: string;
  /** Bytes the row leaves out. */
  more: number;
  /** The text in its parts. */
  tokens?: readonly Token[];
  /** What was decoded. */
  format?: string;
  thumbnail?: Decoded['thumbnail'];
  /** Settles when there is a better preview. */
  ready?: Promise<unknown>;
  /** What it was made with. */
  decoded?: Readable['decoded'];
  /** Whether to make another one. */
  stale?: () => boolean;
}

const previews = new WeakMap<object, Preview>();
let decoders: typeof import('./in-row') | undefined;

function textIn(payload: Uint8Array): string {
  const text = decodeUtf8(headOf(payload, limits.row.text)) ?? '';
  // Without the line breaks of formatted JSON.
  return looksLikeJson.test(text) ? unescaped(text.replace(/[\r\n]\s*/g, ' ')) : text;
}

function plain({ topic: whole, payload }: Readable): Preview {
  const topic = brief(whole, limits.row.topic);
  if (payload.length === 0) return { topic, kind: 'empty', text: '', more: 0 };
  if (textOf(headOf(payload, inspected)) === undefined) {
    const head = payload.subarray(0, limits.row.hex);
    return { topic, kind: 'binary', text: hex(head), more: payload.length - head.length };
  }
  const text = visible(textIn(payload));
  const base: Preview = {
    topic,
    kind: 'text',
    text,
    more: payload.length - headOf(payload, limits.row.text).length,
  };
  return looksLikeJson.test(text) ? { ...base, tokens: tokensOf(text) } : base;
}

function keep(message: Readable, preview: Preview): Preview {
  previews.set(message, preview);
  return preview;
}

/** With the decoded bytes, at once if their decoder is loaded. */
function decoded(message: Readable, bare: Preview, recall: Recall, birth: Birth): Preview {
  if (!decoders) {
    const ready = import('./in-row').then((loaded) => {
      decoders = loaded;
      return keep(message, decoded(message, bare, recall, birth)).ready;
    });
    return { ...bare, ready: ready.catch(() => {}) };
  }
  const { found, stale } = decoders.inRow(message, recall, birth);
  const better = (of?: Decoded): Preview =>
    of
      ? { ...bare, stale, ...of, kind: 'decoded', text: of.tokens.map(([, text]) => text).join(''), more: 0 }
      : { ...bare, stale };
  if (!(found instanceof Promise)) return better(found);
  const settle = (of?: Decoded) => keep(message, better(of));
  return { ...bare, stale, ready: found.then(settle, () => settle()) };
}

/** Whether a row shows what was, or may be, decoded of it. */
export function isOpaque({ topic, payload, decoded, pending }: Readable): boolean {
  if (decoded || pending) return true;
  if (payload.length === 0) return false;
  return topic.startsWith('spBv1.0/') || textOf(headOf(payload, inspected)) === undefined;
}

const noBirth = () => undefined;

/** Made when a row first becomes visible. */
export function previewOf(message: Readable, recall: Recall, birth: Birth = noBirth): Preview {
  const known = previews.get(message);
  if (known && known.decoded === message.decoded && !known.stale?.()) return known;
  const { decoded: reading } = message;
  const bare = { ...plain(message), decoded: reading };
  const opaque =
    reading || bare.kind === 'binary' || (bare.kind === 'text' && message.topic.startsWith('spBv1.0/'));
  return keep(message, opaque ? decoded(message, bare, recall, birth) : bare);
}

/** The beginnings of topic and text that a row shows; no text for bytes. */
export function headsOf(message: Message, recall: Recall): [topic: string, text: string] {
  const { kind, text } = previewOf(message, recall);
  const head = kind === 'text' ? textIn(message.payload) : kind === 'decoded' ? text : '';
  return [message.topic.slice(0, limits.row.topic), head];
}

/** The MQTT 5 properties with their names in the specification's words (3.3.2.3), up to a limit. */
export function propertiesOf({ properties }: Pick<Message, 'properties'>): [name: string, value: string][] {
  const rows: [string, string][] = [];
  const add = (name: string, value: string | number | undefined) => {
    if (value !== undefined) rows.push([name, brief(String(value))]);
  };
  if (properties.payloadFormatIndicator !== undefined) {
    add(t('Payload format'), t(properties.payloadFormatIndicator ? 'UTF-8 text' : 'bytes'));
  }
  add(t('Content type'), properties.contentType);
  if (properties.messageExpiryInterval !== undefined)
    add(t('Expires in'), t('{seconds} s', { seconds: properties.messageExpiryInterval }));
  add(t('Response topic'), properties.responseTopic);
  if (properties.correlationData) {
    const text = textOf(properties.correlationData);
    add(t('Correlation data'), text ?? hex(properties.correlationData.subarray(0, limits.text)));
  }
  const identifiers = [properties.subscriptionIdentifier ?? []].flat();
  for (const id of identifiers.slice(0, limits.properties)) add(t('Subscription identifier'), id);
  const pairs = properties.userProperties ?? [];
  for (const [name, value] of pairs.slice(0, limits.properties)) {
    rows.push([t('User: {name}', { name: brief(name, limits.name) }), brief(value)]);
  }
  const shown = Math.min(identifiers.length, limits.properties) + Math.min(pairs.length, limits.properties);
  const more = identifiers.length + pairs.length - shown;
  if (more > 0) rows.push([t('Not shown'), t('… and {count} more', { count: formatCount(more) })]);
  return rows;
}
