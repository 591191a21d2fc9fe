import { topicFilter } from '../client/checks/topics';
import type { MqttError } from '../client/errors';
import type { Client } from '../client/types';
import type { IAckPacket, IClientSubscribeOptions, ISubscriptionGrant, ISubscriptionMap } from './types';

export type Topics = string | string[] | ISubscriptionMap;

export interface Granted {
  granted: ISubscriptionGrant[];
  packet: IAckPacket;
  /** The first refusal. */
  error?: MqttError;
}

/** One SUBSCRIBE for each filter, so that one that is refused does not take the others along. */
export async function subscribeEach(
  client: Client,
  topics: Topics,
  given: IClientSubscribeOptions = {},
): Promise<Granted> {
  const filters: [filter: string, options: IClientSubscribeOptions][] =
    typeof topics === 'string' || Array.isArray(topics)
      ? [topics].flat().map((filter) => [filter, given])
      : Object.entries(topics).map(([filter, own]) => [filter, { ...given, ...own }]);
  for (const [filter] of filters) topicFilter(filter, 'topic');
  let error: MqttError | undefined;
  const granted = await Promise.all(
    filters.map(async ([topic, options]): Promise<ISubscriptionGrant> => {
      try {
        const { qos } = await client.subscribe(topic, options);
        return { ...options, topic, qos };
      } catch (cause) {
        const refusal = cause as MqttError;
        if (refusal.code !== 'refused' || refusal.reasonCode === undefined) throw cause;
        error ??= refusal;
        return { ...options, topic, qos: refusal.reasonCode };
      }
    }),
  );
  return {
    granted,
    packet: { cmd: 'suback', granted: granted.map(({ qos }) => qos) },
    ...(error && { error }),
  };
}
