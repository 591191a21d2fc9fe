/** What this client tells, as packets in the form of MQTT.js. */

import type { Packet } from '../client/packet';
import type { ConnackInfo, DisconnectInfo, Message, PublishResult } from '../client/types';
import { asBytes, type Bytes } from './bytes';
import type { IAckPacket, IConnackPacket, IPacket, IPublishPacket, ReceivedUserProperties } from './types';

export function connackPacket({ clientId: _, ...connack }: ConnackInfo): IConnackPacket {
  return { cmd: 'connack', ...connack };
}

/** Its properties are decoded when first looked at. */
export function publishPacket(message: Message, payload: Bytes): IPublishPacket {
  let decoded: IPublishPacket['properties'] | undefined;
  const { topic, qos, retain, dup } = message;
  return {
    cmd: 'publish',
    topic,
    payload,
    qos,
    retain,
    dup,
    get properties() {
      decoded ??= publishProperties(message);
      return decoded;
    },
  };
}

function publishProperties({ properties }: Message): IPublishPacket['properties'] {
  const { correlationData, userProperties, ...rest } = properties;
  return {
    ...rest,
    ...(correlationData && { correlationData: asBytes(correlationData) }),
    ...(userProperties && { userProperties: byName(userProperties) }),
  };
}

/** A packet with a reason: an acknowledgement, or DISCONNECT. */
export function reasonPacket(cmd: IAckPacket['cmd'], info: PublishResult | DisconnectInfo): IAckPacket {
  const { reasonCode, userProperties, ...texts } = info;
  const properties = { ...texts, ...(userProperties && { userProperties: byName(userProperties) }) };
  return { cmd, reasonCode, ...(Object.keys(properties).length > 0 && { properties }) };
}

export function anyPacket({ cmd, fields }: Packet): IPacket {
  return { cmd, ...fields };
}

function byName(pairs: [name: string, value: string][]): ReceivedUserProperties {
  const found = new Map<string, string | string[]>();
  for (const [name, value] of pairs) {
    const before = found.get(name);
    found.set(name, before === undefined ? value : [before, value].flat());
  }
  return Object.fromEntries(found);
}
