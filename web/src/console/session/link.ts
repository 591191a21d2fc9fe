/**
 * A page address that fills the forms: `#broker=…&sub=1:plant/%23&topic=…`. It contains no user
 * name, no password, and no other credentials.
 */

import type { QoS } from '../../client';
import { isFormat } from '../payload/format';

import { emptyMessage, type Message, type Pair, type Properties } from './message';
import { withoutSecrets } from './settings';
import { type Wanted, wantedFrom } from './wanted';

export interface Shared {
  /** Empty: the page's own choice. */
  broker: string;
  subscriptions: Wanted[];
  message: Message | undefined;
}

/** Characters of a link, and subscriptions in it, that are read. */
const longest = 200_000;
const mostSubscriptions = 50;

const texts = [
  'contentType',
  'messageExpiryInterval',
  'responseTopic',
  'correlationData',
  'topicAlias',
] as const;

/** Whether the fragment is a link of this kind, and not a place on the page. */
export function isLink(fragment: string): boolean {
  return /^#(broker|sub|topic)=/.test(fragment);
}

export function linkTo(page: string, { broker, subscriptions, message }: Shared): string {
  const query = new URLSearchParams();
  const address = withoutSecrets(broker);
  if (address) query.append('broker', address);
  for (const wanted of subscriptions) {
    const { filter, qos, ...options } = wanted;
    const plain = Object.keys(options).length === 0;
    query.append('sub', plain ? `${qos}:${filter}` : JSON.stringify(wanted));
  }
  if (message) {
    query.append('topic', message.topic);
    query.append('payload', message.payload);
    if (message.qos) query.append('qos', String(message.qos));
    if (message.retain) query.append('retain', '1');
    if (message.format !== 'text') query.append('format', message.format);
    if (message.type) query.append('type', message.type);
    const { properties } = message;
    for (const name of texts) if (properties[name]) query.append(name, properties[name]);
    if (properties.payloadFormatIndicator) query.append('utf8', '1');
    for (const pair of properties.userProperties) query.append('user', JSON.stringify(pair));
  }
  const url = new URL(page);
  url.search = '';
  url.hash = query.toString();
  return url.href;
}

function qosFrom(text: string | null): QoS {
  return text === '1' ? 1 : text === '2' ? 2 : 0;
}

/** `1:plant/#`, or with more to say an object as JSON. */
function subscriptionFrom(text: string): [filter: string, Wanted][] {
  const [, qos, filter = ''] = /^([012]):(.+)$/s.exec(text) ?? [];
  let wanted: Wanted | undefined;
  try {
    wanted = wantedFrom(qos === undefined ? JSON.parse(text) : { filter, qos: Number(qos) });
  } catch {
    // Neither.
  }
  return wanted?.filter ? [[wanted.filter, wanted]] : [];
}

function pairFrom(text: string): Pair[] {
  try {
    const value: unknown = JSON.parse(text);
    if (!Array.isArray(value) || value.length !== 2) return [];
    const [name, content]: unknown[] = value;
    return typeof name === 'string' && typeof content === 'string' ? [[name, content]] : [];
  } catch {
    return [];
  }
}

function messageFrom(query: URLSearchParams): Message | undefined {
  const topic = query.get('topic');
  if (topic === null) return undefined;
  const properties: Properties = {
    ...emptyMessage.properties,
    payloadFormatIndicator: query.get('utf8') === '1',
    userProperties: query.getAll('user').flatMap(pairFrom),
  };
  for (const name of texts) properties[name] = query.get(name) ?? '';
  const format = query.get('format') ?? '';
  return {
    ...emptyMessage,
    topic,
    payload: query.get('payload') ?? '',
    qos: qosFrom(query.get('qos')),
    retain: query.get('retain') === '1',
    format: isFormat(format) ? format : 'text',
    type: query.get('type') ?? '',
    properties,
  };
}

/** Foreign text: what is missing or invalid is left out. */
export function readLink(fragment: string): Shared {
  const query = new URLSearchParams(fragment.length > longest ? '' : fragment.replace(/^#/, ''));
  const filters = new Map(query.getAll('sub').flatMap(subscriptionFrom));
  return {
    broker: withoutSecrets(query.get('broker') ?? ''),
    subscriptions: [...filters.values()].slice(0, mostSubscriptions),
    message: messageFrom(query),
  };
}
