/** Describes a packet in the specification's words. */

import type { Packet, PacketFields, PacketName } from '../../../client/packet';
import { bytes as inWords } from '../../core/counts';
import { mark, t } from '../../core/i18n/i18n';
import { limits } from '../../core/limits';
import { brief, formatCount, headOf, hex, textOf, visible } from '../../core/text';
import { clauseOf, reasonClauseOf, titleOf } from './clauses';
import { reasonOf } from './reasons';
import { fieldsOf } from './secrets';

const unreadable = mark('cannot be read: it breaks the rules of MQTT 5');

/** The first of a list that may be long, and how many are left. */
function few<T>(all: readonly T[] = [], most: number, one: (item: T) => string): string {
  const shown = all.slice(0, most).map(one);
  if (all.length > most) shown.push(t('… and {count} more', { count: formatCount(all.length - most) }));
  return shown.join(', ');
}

function bytesAsText(bytes: Uint8Array): string {
  if (bytes.length === 0) return t('empty');
  const head = headOf(bytes, limits.name);
  const text = textOf(head);
  const more = bytes.length > head.length ? `… (${inWords(bytes.length)})` : '';
  return (text === undefined ? hex(bytes.subarray(0, 64)) : visible(text)) + more;
}

export function hidden(bytes: Uint8Array): string {
  return t('•••••• hidden, {size}', { size: inWords(bytes.length) });
}

const inOneLine = (...parts: (string | false | undefined)[]): string => parts.filter(Boolean).join(' · ');

/** One line. */
export function summaryOf(packet: Packet): string {
  const fields = fieldsOf(packet);
  if (!fields) return t(unreadable);
  const { cmd } = packet;
  const { topic = '', properties = {}, reasonCode = 0 } = fields;
  const reason = reasonOf(reasonCode, cmd);
  switch (cmd) {
    case 'connect':
      return inOneLine(
        fields.clientId ? brief(fields.clientId, limits.name) : t('no client identifier'),
        fields.username !== undefined && `user ${brief(fields.username, limits.name)}`,
        `keep alive ${fields.keepalive} s`,
        fields.clean && 'clean start',
        fields.will && `will ${brief(fields.will.topic, limits.name)}`,
      );
    case 'connack':
      return inOneLine(reason, fields.sessionPresent && 'session present');
    case 'publish':
      return inOneLine(
        topic === '' ? `topic alias ${properties.topicAlias}` : brief(topic, limits.name),
        `QoS ${fields.qos}`,
        fields.retain && 'retain',
        fields.dup && 'DUP',
        inWords(fields.payload?.length ?? 0),
      );
    case 'subscribe':
      return few(
        fields.subscriptions,
        limits.summary,
        (one) => `${brief(one.topic, limits.name)} · QoS ${one.qos}`,
      );
    case 'unsubscribe':
      return few(fields.unsubscriptions, limits.summary, (filter) => brief(filter, limits.name));
    case 'suback':
    case 'unsuback':
      return few(fields.granted, limits.summary, (code) => reasonOf(code, cmd));
    case 'pingreq':
    case 'pingresp':
      return '';
    case 'auth': {
      const { authenticationMethod: method } = properties;
      return inOneLine(reason, method !== undefined && brief(String(method)));
    }
    default:
      return reason;
  }
}

/** A field's name, the clause that describes it, and its value. */
export type Field = [name: string, clause: string, value: string];

/** The fields of a list that may be long, and one with the number of those left out. */
function fieldsOfEach<T>(all: readonly T[] = [], clause: string, fields: (item: T) => Field[]): Field[] {
  const more = all.length - limits.properties;
  const shown = all.slice(0, limits.properties).flatMap(fields);
  if (more > 0) shown.push([t('Not shown'), clause, t('… and {count} more', { count: formatCount(more) })]);
  return shown;
}

type Properties = NonNullable<PacketFields['properties']>;

function propertyFields(owner: PacketName | 'will', properties: Properties = {}): Field[] {
  return Object.entries(properties).flatMap(([property, value]): Field[] => {
    const field = (text: string): Field => [titleOf(property), clauseOf(owner, property), text];
    if (property === 'authenticationData') return [field(hidden(value as Uint8Array))];
    if (property === 'userProperties') {
      const clause = clauseOf(owner, property);
      return fieldsOfEach(value as [string, string][], clause, ([name, text]) => [
        field(`${brief(name, limits.name)}: ${brief(text)}`),
      ]);
    }
    if (value instanceof Uint8Array) return [field(bytesAsText(value))];
    if (typeof value === 'string') return [field(brief(value))];
    return [field(Array.isArray(value) ? few(value, limits.properties, String) : formatCount(value))];
  });
}

const yes = (flag: boolean | undefined): string => (flag ? '1' : '0');

function willFields({ will }: PacketFields): Field[] {
  if (!will) return [];
  return [
    ['Will QoS', '3.1.2.6', String(will.qos)],
    ['Will Retain', '3.1.2.7', yes(will.retain)],
    ...propertyFields('will', will.properties),
    ['Will Topic', '3.1.3.3', brief(will.topic)],
    ['Will Payload', '3.1.3.4', bytesAsText(will.payload)],
  ];
}

function connectFields(fields: PacketFields): Field[] {
  const { username, password } = fields;
  return [
    ['Protocol Name', '3.1.2.1', 'MQTT'],
    ['Protocol Version', '3.1.2.2', '5'],
    ['Clean Start', '3.1.2.4', yes(fields.clean)],
    ['Keep Alive', '3.1.2.10', `${formatCount(fields.keepalive ?? 0)} s`],
    ...propertyFields('connect', fields.properties),
    ['Client Identifier', '3.1.3.1', fields.clientId ? brief(fields.clientId, limits.name) : t('empty')],
    ...willFields(fields),
    ...(username === undefined ? [] : [['User Name', '3.1.3.5', brief(username)] satisfies Field]),
    ...(password === undefined ? [] : [['Password', '3.1.3.6', hidden(password)] satisfies Field]),
  ];
}

function bodyFields(cmd: PacketName, fields: PacketFields): Field[] {
  const properties = propertyFields(cmd, fields.properties);
  const identifier: Field[] =
    fields.messageId === undefined ? [] : [['Packet Identifier', '2.2.1', String(fields.messageId)]];
  switch (cmd) {
    case 'connect':
      return connectFields(fields);
    case 'connack':
      return [
        ['Session Present', '3.2.2.1.1', yes(fields.sessionPresent)],
        ['Connect Reason Code', '3.2.2.2', reasonOf(fields.reasonCode ?? 0, cmd)],
        ...properties,
      ];
    case 'publish':
      return [
        ['DUP', '3.3.1.1', yes(fields.dup)],
        ['QoS', '3.3.1.2', String(fields.qos)],
        ['RETAIN', '3.3.1.3', yes(fields.retain)],
        ['Topic Name', '3.3.2.1', fields.topic === '' ? t('empty') : brief(fields.topic ?? '')],
        ...identifier,
        ...properties,
        ['Payload', '3.3.3', bytesAsText(fields.payload ?? new Uint8Array())],
      ];
    case 'subscribe':
      return [
        ...identifier,
        ...properties,
        ...fieldsOfEach(fields.subscriptions, '3.8.3', ({ topic, qos, nl, rap, rh }): Field[] => [
          ['Topic Filter', '3.8.3', brief(topic)],
          [
            'Subscription Options',
            '3.8.3.1',
            `QoS ${qos}, No Local ${yes(nl)}, Retain As Published ${yes(rap)}, Retain Handling ${rh}`,
          ],
        ]),
      ];
    case 'unsubscribe':
      return [
        ...identifier,
        ...properties,
        ...fieldsOfEach(fields.unsubscriptions, '3.10.3', (topic) => [
          ['Topic Filter', '3.10.3', brief(topic)],
        ]),
      ];
    case 'suback':
    case 'unsuback': {
      const clause = cmd === 'suback' ? '3.9.3' : '3.11.3';
      const codes = fieldsOfEach(fields.granted, clause, (code) => [
        ['Reason Code', clause, reasonOf(code, cmd)],
      ]);
      return [...identifier, ...properties, ...codes];
    }
    default: {
      const clause = reasonClauseOf(cmd);
      if (!clause) return [];
      // A missing reason code means 0.
      return [...identifier, ['Reason Code', clause, reasonOf(fields.reasonCode ?? 0, cmd)], ...properties];
    }
  }
}

/** The fields in the order of the packet. */
export function detailsOf(packet: Packet): Field[] {
  const { cmd, bytes } = packet;
  const first = bytes[0] ?? 0;
  const fields = fieldsOf(packet);
  const body: Field[] = fields ? bodyFields(cmd, fields) : [['Packet', '', t(unreadable)]];
  return [
    ['Packet type', '2.1.2', `${first >> 4} ${cmd.toUpperCase()}`],
    ['Flags', '2.1.3', (first & 15).toString(2).padStart(4, '0')],
    ...body,
  ];
}
