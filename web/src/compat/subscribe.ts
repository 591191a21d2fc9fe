import { bad } from '../client/checks/rules';
import { topicFilter } from '../client/checks/topics';
import type { MqttError } from '../client/errors';
import type { Client } from '../client/types';
import type { IAckPacket, IClientSubscribeOptions, ISubscriptionGrant, ISubscriptionMap } from './types';

export type Topics = string | string[] | ISubscriptionMap;
type ByFilter = Record<string, IClientSubscribeOptions>;
/**
 * Sends one SUBSCRIBE for each filter, so that a refused one does not fail the others; none for
 * those that `wanted` has with at least the same QoS. Resolves with the arguments of a callback;
 * the error is the first refusal.
 */
export async function subscribeEach(
  client: Client,
  wanted: Map<string, IClientSubscribeOptions>,
  topics: Topics,
  given: IClientSubscribeOptions = {},
): Promise<[error: MqttError | null, granted: ISubscriptionGrant[], packet?: IAckPacket]> {
  const list = typeof topics === 'string' ? [topics] : topics;
  const { resubscribe, ...own } = (Array.isArray(list) ? {} : list) as ByFilter;
  const filters = Array.isArray(list) ? list : Object.keys(own);
  if (filters.length === 0) throw bad('topic', 'must be at least one topic filter');
  for (const filter of filters) topicFilter(filter, 'topic');
  const shared = { qos: 0, nl: false, rap: false, rh: 0, ...given } as const;
  const optionsOf = (topic: string) => ({ ...shared, ...own[topic] });
  const known = (topic: string) => optionsOf(topic).qos <= (wanted.get(topic)?.qos ?? -1);
  let refused: MqttError | null = null;
  const subscribe = async (topic: string): Promise<ISubscriptionGrant> => {
    const options = optionsOf(topic);
    wanted.set(topic, options);
    // Without a connection it waits for one, as long as that takes.
    const call = client.subscribe(topic, client.connected ? options : { ...options, timeout: 0 });
    const granted = await call.catch((error: MqttError) => {
      // The connection was lost with the request: ask the next one.
      if (error.code === 'network' && client.state !== 'disconnected') return subscribe(topic);
      // If the client has ended, the next one makes the subscription.
      if (client.state !== 'disconnected') wanted.delete(topic);
      if (error.code !== 'refused' || error.reasonCode === undefined) throw error;
      refused ??= error;
      return { qos: error.reasonCode };
    });
    return { ...options, topic, qos: granted.qos };
  };
  const granted = await Promise.all(filters.filter((topic) => resubscribe || !known(topic)).map(subscribe));
  if (granted.length === 0) return [null, granted];
  return [refused, granted, { cmd: 'suback', granted: granted.map(({ qos }) => qos) }];
}
