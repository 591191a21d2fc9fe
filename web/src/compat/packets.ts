/** Converts this client's messages and results to packets in the form of MQTT.js. */

import type { MqttError } from '../client/errors';
import type * as client from '../client/packet';
import type { ConnackInfo, DisconnectInfo, Message, PublishResult, QoS } from '../client/types';
import { asBytes } from './bytes';
import type { IAckPacket, IConnackPacket, IPublishPacket, Packet } from './types';

/** Its properties are decoded when first read. */
export function publishPacket(message: Message): IPublishPacket {
  let decoded: IPublishPacket['properties'] | undefined;
  const { topic, qos, retain, dup } = message;
  const plain = { cmd: 'publish' as const, topic, payload: asBytes(message.payload), qos, retain, dup };
  return {
    ...plain,
    get properties() {
      decoded ??= readable<IPublishPacket['properties']>(message.properties);
      return decoded;
    },
  };
}

export function connackPacket({ clientId: _, ...connack }: ConnackInfo): IConnackPacket {
  return { cmd: 'connack', ...readable<Omit<IConnackPacket, 'cmd'>>(connack) };
}

/** A packet as it was sent or received. */
export function wirePacket({ cmd, fields }: client.Packet): Packet {
  return { cmd, ...readable<Omit<Packet, 'cmd'>>(fields) };
}

/** A packet with a reason: an acknowledgement, or DISCONNECT. */
export function reasonPacket(cmd: IAckPacket['cmd'], info: PublishResult | DisconnectInfo): IAckPacket {
  const { reasonCode, ...properties } = readable<{ reasonCode: number }>(info);
  return { cmd, reasonCode, ...(Object.keys(properties).length > 0 && { properties }) };
}

/** The packet that refused a publish, if one did. */
export function refusalPacket(error: MqttError, qos?: QoS): IAckPacket | undefined {
  const { code, reasonCode = 0, reasonString } = error;
  if (code !== 'refused') return undefined;
  return reasonPacket(qos === 2 ? 'pubrec' : 'puback', { reasonCode, ...(reasonString && { reasonString }) });
}

/** With bytes that decode themselves (`Bytes`), and user properties by name. */
function readable<T>(fields: object): T {
  const entries = Object.entries(fields).map(([name, value]) => {
    if (name === 'userProperties' && value) return [name, byName(value)];
    if (name === 'properties' || name === 'will') return [name, readable(value)];
    return [name, value instanceof Uint8Array ? asBytes(value) : value];
  });
  return Object.fromEntries(entries) as T;
}

function byName(pairs: [name: string, value: string][]): Record<string, string | string[]> {
  const found = new Map<string, string | string[]>();
  for (const [name, value] of pairs) {
    const before = found.get(name);
    found.set(name, before === undefined ? value : [before, value].flat());
  }
  return Object.fromEntries(found);
}
