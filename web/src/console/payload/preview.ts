/** A message as the list and the details show it. */

import type { Message } from '../../client';
import { t } from '../core/i18n/i18n';
import { limits } from '../core/limits';
import { brief, decodeUtf8, formatCount, headOf, hex, visible } from '../core/text';

/** Bytes that decide in a row whether a payload is text; the details look at all of them. */
const inspected = 64 * 1024;

export interface Preview {
  topic: string;
  kind: 'text' | 'binary' | 'empty';
  text: string;
  /** Bytes the row leaves out. */
  more: number;
}

const previews = new WeakMap<Message, Preview>();

function make(message: Message): Preview {
  const { payload } = message;
  const base = { topic: brief(message.topic, limits.row.topic) };
  if (payload.length === 0) return { ...base, kind: 'empty', text: '', more: 0 };

  const text = decodeUtf8(headOf(payload, inspected));
  if (text === undefined) {
    const head = payload.subarray(0, limits.row.hex);
    return { ...base, kind: 'binary', text: hex(head), more: payload.length - head.length };
  }
  const head = headOf(payload, limits.row.text);
  const shown = head.length === payload.length ? text : (decodeUtf8(head) ?? '');
  return { ...base, kind: 'text', text: visible(shown), more: payload.length - head.length };
}

/** Made when a row first comes into sight. */
export function previewOf(message: Message): Preview {
  let preview = previews.get(message);
  if (!preview) {
    preview = make(message);
    previews.set(message, preview);
  }
  return preview;
}

/** The beginnings of topic and text that a row shows, as they came; no text for bytes. */
export function headsOf(message: Message): [topic: string, text: string] {
  const { kind } = previewOf(message);
  const head = kind === 'text' ? decodeUtf8(headOf(message.payload, limits.row.text)) : '';
  return [message.topic.slice(0, limits.row.topic), head ?? ''];
}

/** The MQTT 5 properties with their names in the specification's words (3.3.2.3). The first of a great many. */
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
    const text = decodeUtf8(properties.correlationData);
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
