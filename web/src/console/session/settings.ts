/** A connection's settings as the form has them, and as the client needs them. */

import type { ConnectOptions, QoS, Will } from '../../client';
import { filled, noProperties, numberOf, type Pair, pairsOf, propertiesOf } from './message';

/** How a connection authenticates other than by user name and password: see login.ts. */
export const loginFields = ['kind', 'region', 'authorizer', 'tokenKey', 'method', 'tokenUrl', 'use'] as const;
export const secretFields = [
  'accessKeyId',
  'secretAccessKey',
  'sessionToken',
  'token',
  'signature',
  'tokenQuery',
] as const;
export type LoginField = (typeof loginFields)[number];
export type SecretField = (typeof secretFields)[number];

/** Of an empty form. Numbers are as typed; what is empty is left to the client or the broker. */
export const plainSettings = {
  url: '',
  username: '',
  password: '',
  clientId: '',
  /** Seconds. */
  keepalive: '60',
  clean: true,
  /** Seconds. */
  sessionExpiryInterval: '',
  receiveMaximum: '',
  /** Bytes. */
  maximumPacketSize: '',
  topicAliasMaximum: '',
  autoAssignTopicAlias: false,
  requestResponseInformation: false,
  requestProblemInformation: true,
  userProperties: [] as Pair[],
  /** Authenticates by SCRAM-SHA-256 instead of sending user name and password. */
  scram: false,
  authenticationMethod: '',
  authenticationData: '',
  login: {} as { [field in LoginField]?: string },
  /** The secrets of the login, which are kept only if the user asks for that. */
  secrets: {} as { [field in SecretField]?: string },
  /** Whether the session outlives the page. */
  store: false,
  /** Whether the tabs of this page share one connection. */
  shared: false,
  /** Whether it subscribes to a topic of the page's own. */
  ownTopic: true,
  will: {
    /** Empty: no will. */
    topic: '',
    payload: '',
    qos: 0 as QoS,
    retain: false,
    /** Seconds. */
    willDelayInterval: '',
    properties: noProperties,
  },
};
export type Settings = typeof plainSettings;
export type WillSettings = Settings['will'];

/** A will with any content needs a topic; otherwise the client reports that it is missing. */
function willOf({
  topic,
  payload,
  qos,
  retain,
  willDelayInterval,
  properties,
}: WillSettings): Will | undefined {
  if (topic === '' && payload === '') return undefined;
  const delay = numberOf(willDelayInterval);
  const { topicAlias: _, ...rest } = propertiesOf(properties);
  return {
    topic,
    payload,
    qos,
    retain,
    properties: { ...rest, ...(delay !== undefined && { willDelayInterval: delay }) },
  };
}

export function optionsOf(settings: Settings): ConnectOptions {
  const { url, username, password, scram, store, keepalive } = settings;
  const { authenticationMethod, authenticationData } = settings;
  const options = filled<ConnectOptions>({
    clientId: settings.clientId,
    username: !scram && username,
    password: !scram && password,
    scram: scram && { username, password },
    autoAssignTopicAlias: settings.autoAssignTopicAlias,
    store: store && 'indexeddb',
    shared: settings.shared,
    will: willOf(settings.will),
  });
  const properties = filled<NonNullable<ConnectOptions['properties']>>({
    sessionExpiryInterval: numberOf(settings.sessionExpiryInterval),
    receiveMaximum: numberOf(settings.receiveMaximum),
    maximumPacketSize: numberOf(settings.maximumPacketSize),
    topicAliasMaximum: numberOf(settings.topicAliasMaximum),
    requestResponseInformation: settings.requestResponseInformation,
    userProperties: pairsOf(settings.userProperties),
    authenticationMethod,
    authenticationData: authenticationData !== '' && new TextEncoder().encode(authenticationData),
  });
  if (!settings.requestProblemInformation) properties.requestProblemInformation = false;
  return {
    ...options,
    url,
    // An empty field is not 0, which would turn pings off.
    keepalive: numberOf(keepalive) ?? Number.NaN,
    // A store keeps the session, so it decides.
    ...(!store && { clean: settings.clean }),
    properties,
  };
}

/** The address without its user name, password and query, any of which may be secret. */
export function withoutSecrets(url: string): string {
  if (!URL.canParse(url)) return '';
  const parsed = new URL(url);
  if (parsed.protocol !== 'ws:' && parsed.protocol !== 'wss:') return '';
  parsed.username = '';
  parsed.password = '';
  parsed.search = '';
  parsed.hash = '';
  return parsed.href;
}

/** Whether there are any secrets, in the address or elsewhere. */
export function hasSecrets({ url, password, authenticationData, secrets }: Settings): boolean {
  const inAddress = URL.canParse(url) && withoutSecrets(url) !== new URL(url).href;
  return inAddress || [password, authenticationData, ...Object.values(secrets)].some(Boolean);
}

/** For this browser's storage: without secrets, but with the user name. */
export function leaveOutPasswords(settings: Settings): Settings {
  return { ...leaveOutSecrets(settings), username: settings.username };
}

export function leaveOutSecrets(settings: Settings): Settings {
  return {
    ...settings,
    url: withoutSecrets(settings.url),
    username: '',
    password: '',
    authenticationData: '',
    secrets: {},
  };
}
