/** What this client tells, as packets in the form of MQTT.js. */

import type { DisconnectInfo, Message, PublishResult } from '../client/types';
import { asBytes } from './bytes';
import type { IAckPacket, IPublishPacket } from './types';

/** Its properties are decoded when first looked at. */
export function publishPacket(message: Message): IPublishPacket {
  let decoded: IPublishPacket['properties'] | undefined;
  const { topic, qos, retain, dup } = message;
  const plain = { cmd: 'publish' as const, topic, payload: asBytes(message.payload), qos, retain, dup };
  return {
    ...plain,
    get properties() {
      decoded ??= publishProperties(message);
      return decoded;
    },
  };
}

function publishProperties({ properties }: Message): IPublishPacket['properties'] {
  const { correlationData, ...rest } = named(properties);
  return { ...rest, ...(correlationData && { correlationData: asBytes(correlationData) }) };
}

/** A packet with a reason: an acknowledgement, or DISCONNECT. */
export function reasonPacket(cmd: IAckPacket['cmd'], info: PublishResult | DisconnectInfo): IAckPacket {
  const { reasonCode, ...properties } = named(info);
  return { cmd, reasonCode, ...(Object.keys(properties).length > 0 && { properties }) };
}

type Pairs = [name: string, value: string][];

/** With user properties by name. */
function named<T extends { userProperties?: Pairs }>({ userProperties, ...rest }: T) {
  const found = new Map<string, string | string[]>();
  for (const [name, value] of userProperties ?? []) {
    const before = found.get(name);
    found.set(name, before === undefined ? value : [before, value].flat());
  }
  return { ...rest, ...(userProperties && { userProperties: Object.fromEntries(found) }) };
}
