/** Requests and their answers (MQTT 5, 4.10). */

import { MqttError } from './errors';
import { decodeBatch } from './message';
import type { Answer, Client, Message, PublishOptions, RequestHandler } from './types';

type FullAnswer = Extract<Answer, { payload: unknown }>;

/** The one message of an engine's answer. */
export function decodeAnswer(buffer: ArrayBuffer): Message {
  return decodeBatch(buffer, 1)[0] as Message;
}

/**
 * Publishes what `handler` returns for a request. Throws what `handler` throws, and when its answer
 * is invalid; other failures are passed to `fail`.
 */
export async function answer(
  request: Message,
  handler: RequestHandler,
  publish: Client['publish'],
  fail: (error: MqttError) => void,
): Promise<void> {
  const answer = (await handler(request)) ?? undefined;
  const { responseTopic, correlationData } = request.properties;
  if (answer === undefined || responseTopic === undefined) return;
  const { payload, qos = request.qos, properties } = isFull(answer) ? answer : { payload: answer };
  const options: PublishOptions = { qos };
  options.properties = { ...properties, ...(correlationData && { correlationData }) };
  try {
    await publish(responseTopic, payload, options);
  } catch (error) {
    // An invalid topic is the requester's mistake; any other field is the handler's.
    if (!(error instanceof MqttError) || (error.code === 'bad-option' && error.field !== 'topic'))
      throw error;
    fail(error);
  }
}

function isFull(answer: NonNullable<Answer>): answer is FullAnswer {
  return typeof answer === 'object' && 'payload' in answer;
}
