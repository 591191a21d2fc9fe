/** What a snippet does: one connection, its subscriptions, and one message. */

import type { ConnectOptions, PublishProperties, QoS } from '../../../client';
import { base64 } from '../../payload/codecs/base64';
import { encodeSoon } from '../../payload/encode';
import type { ProtoFile } from '../../payload/schema';
import { defaultMethod } from '../login-fields';
import { type Message, propertiesOf } from '../message';
import { optionsOf, type Settings, withoutSecrets } from '../settings';
import { expand } from '../template';
import type { Wanted } from '../wanted';

/** Text, or the name of a file that holds the bytes, or the bytes in Base64. */
export type Body = { text: string } | { file: string } | { base64: string };

export interface Plan {
  url: string;
  connect: ConnectOptions;
  subscriptions: Wanted[];
  topic: string;
  body: Body;
  qos: QoS;
  retain: boolean;
  properties: PublishProperties;
  username: string | undefined;
  password: string | undefined;
}

/** The properties that a snippet has, but for user properties: of a message or a will, and of CONNECT. */
export const messageFields = [
  'payloadFormatIndicator',
  'messageExpiryInterval',
  'contentType',
  'responseTopic',
  'correlationData',
  'topicAlias',
  'willDelayInterval',
];
export const connectFields = [
  'sessionExpiryInterval',
  'receiveMaximum',
  'maximumPacketSize',
  'topicAliasMaximum',
  'requestResponseInformation',
  'requestProblemInformation',
  'authenticationMethod',
  'authenticationData',
];

/** Takes the place of the password in the snippet. */
export const placeholder = '<password>';

/** As it is typed until its encoder is loaded, and where it can't be published. */
function bodyOf({ payload, file, format, type }: Message, n: number, files?: readonly ProtoFile[]): Body {
  if (file) return { file: file.name };
  const text = expand(payload, n);
  if (format === 'text' || format === 'json') return { text };
  try {
    const bytes = encodeSoon(format, text, { type, files });
    if (!(bytes instanceof Promise)) return { base64: base64(bytes) };
    bytes.catch(() => {});
  } catch {
    // The form says what is wrong with it.
  }
  return { text };
}

/** The settings that result from the login. */
function loginOf({ login, secrets }: Settings): Partial<Settings> & { query: string } {
  const { kind = '', use = 'password', method = defaultMethod, authorizer, tokenKey = 'token' } = login;
  const asJwt = {
    query: '',
    username: '',
    password: '',
    authenticationMethod: method,
    authenticationData: '<token>',
  };
  switch (kind) {
    case 'sigv4':
      return { query: '?<signature>', username: '', password: '' };
    case 'authorizer': {
      const pairs = [
        authorizer && `x-amz-customauthorizer-name=${encodeURIComponent(authorizer)}`,
        secrets.token && `${encodeURIComponent(tokenKey)}=<token>`,
        secrets.signature && 'x-amz-customauthorizer-signature=<signature>',
      ].filter(Boolean);
      return { query: pairs.length > 0 ? `?${pairs.join('&')}` : '' };
    }
    case 'jwt':
      return asJwt;
    case 'url':
      if (use === 'jwt') return asJwt;
      return use === 'address' ? { query: '?<signature>' } : { query: '', password: placeholder };
    default:
      return { query: '' };
  }
}

export function planOf(
  settings: Settings,
  subscriptions: Plan['subscriptions'],
  message: Message,
  n = 0,
  files?: readonly ProtoFile[],
): Plan {
  const secret = settings.password === '' ? '' : placeholder;
  const data = settings.authenticationData === '' ? '' : placeholder;
  const known = { ...settings, password: secret, authenticationData: data };
  const { query, ...login } = loginOf(settings);
  const connect = optionsOf({ ...known, ...login });
  const { username, password } = connect.scram ?? connect;
  return {
    url: (withoutSecrets(settings.url) || 'ws://broker.example/mqtt') + query,
    connect,
    subscriptions,
    topic: expand(message.topic, n),
    body: bodyOf(message, n, files),
    qos: message.qos,
    retain: message.retain,
    properties: propertiesOf(message.properties),
    username,
    password: password === undefined ? undefined : String(password),
  };
}

/** In the form for programs outside a browser: an IPv6 address without its brackets. */
export function hostOf({ url }: Plan): string {
  return new URL(url).hostname.replace(/^\[|\]$/g, '');
}

/** Pairs as the form gives them. */
export function pairs(properties: { userProperties?: unknown } | undefined): [string, string][] {
  return (properties?.userProperties ?? []) as [string, string][];
}

const unseen = /[\u007f-\u009f\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]/g;

/** A string literal of JavaScript, Python and, but for `\b` and halves of pairs, Go. Nothing in it is invisible. */
export function literal(text: string): string {
  return JSON.stringify(text).replace(
    unseen,
    (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

/** The text as UTF-8 can hold it. */
export function wellFormed(text: string): string {
  return new TextDecoder('utf-8', { ignoreBOM: true }).decode(new TextEncoder().encode(text));
}
