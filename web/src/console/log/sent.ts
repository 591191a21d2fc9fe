/** What this page publishes, as messages for the feed. */

import type { Payload, PublishProperties } from '../../client';
import {
  type Client,
  type Message,
  type MessageProperties,
  MqttError,
  type PublishOptions,
} from '../../client';
import { messageSize } from './packet-size';

/** Errors of a message that was never sent. */
const neverLeft: ReadonlySet<string> = new Set([
  'bad-option',
  'not-connected',
  'packet-too-large',
  'queue-full',
  'dropped',
  'expired',
]);

function bytesOf(payload: Payload): Uint8Array {
  if (typeof payload === 'string') return new TextEncoder().encode(payload);
  // A copy: the caller may use its buffer again.
  if (payload instanceof ArrayBuffer) return new Uint8Array(payload.slice(0));
  return new Uint8Array(payload.buffer, payload.byteOffset, payload.byteLength).slice();
}

function pairsOf(properties: NonNullable<PublishProperties['userProperties']>): [string, string][] {
  const pairs = Array.isArray(properties) ? properties : Object.entries(properties);
  return pairs.flatMap(([name, value]) =>
    [value].flat().map((each): [string, string] => [name, String(each)]),
  );
}

function propertiesOf({ topicAlias: _, ...given }: PublishProperties): MessageProperties {
  const { correlationData, userProperties, ...plain } = given;
  return {
    ...plain,
    ...(correlationData !== undefined && {
      correlationData:
        typeof correlationData === 'string' ? new TextEncoder().encode(correlationData) : correlationData,
    }),
    ...(userProperties && { userProperties: pairsOf(userProperties) }),
  };
}

export function sentMessage(topic: string, payload: Payload, options: PublishOptions = {}): Message {
  const bytes = bytesOf(payload);
  const properties = propertiesOf(options.properties ?? {});
  const text = () => new TextDecoder().decode(bytes);
  return {
    topic,
    payload: bytes,
    qos: options.qos ?? 0,
    retain: options.retain ?? false,
    dup: false,
    properties,
    receivedAt: Date.now(),
    size: messageSize(topic, properties, bytes),
    text,
    json: () => JSON.parse(text()),
  };
}

/**
 * The client, with `enter` called for what is published through it, and `hear` for answers to
 * requests, which belong to no subscription. `enter` returns a function to call if the message was
 * not sent after all.
 */
export function recording(
  client: Client,
  enter: (message: Message) => () => void,
  hear: (answer: Message) => void,
): Client {
  function follow<T>(call: Promise<T>, message: Message): Promise<T> {
    const fail = enter(message);
    call.catch((error: unknown) => {
      if (error instanceof MqttError && neverLeft.has(error.code)) fail();
    });
    return call;
  }
  const publish: Client['publish'] = (topic, payload, options) =>
    follow(client.publish(topic, payload, options), sentMessage(topic, payload, options));
  const request: Client['request'] = async (topic, payload, options) => {
    const call = client.request(topic, payload, options);
    const answer = await follow(call, sentMessage(topic, payload, options));
    hear(answer);
    return answer;
  };
  return Object.assign(Object.create(client) as Client, { publish, publishAsync: publish, request });
}
