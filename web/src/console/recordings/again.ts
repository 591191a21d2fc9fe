/** Publishes recorded messages again. */

import { signal } from '@preact/signals';
import type { Client, Message, PublishOptions } from '../../client';
import { inOneLine, toFailure } from '../core/failure';
import { TranslatedError, t } from '../core/i18n/i18n';
import type { Entry } from '../log/entry';

/** Publishes that wait for their answers together. */
const atOnce = 100;
const timeout = 10_000;

export interface Outcome {
  published: number;
  failed: number;
  /** What the first failure was. */
  reason: string;
}

export interface Dependencies {
  client: Client;
  /** Whether that client is still in use. */
  current(): boolean;
}

/** As it arrived, without the subscription identifier, which only a broker may send [MQTT-3.3.4-6]. */
export function optionsFor({ qos, retain, properties }: Message): PublishOptions {
  const { subscriptionIdentifier: _, ...own } = properties;
  return { qos, retain, timeout, properties: own };
}

/** `give` publishes messages as fast as the broker accepts them, and rejects without a connection. */
export function createAgain({ client, current }: Dependencies) {
  const outcome = signal<Outcome>({ published: 0, failed: 0, reason: '' });
  const inFlight = new Set<Promise<void>>();
  let cut = '';

  async function publish(message: Message): Promise<void> {
    try {
      await client.publish(message.topic, message.payload, optionsFor(message));
      outcome.value = { ...outcome.value, published: outcome.value.published + 1 };
    } catch (error) {
      const failure = toFailure(error);
      const { published, failed, reason } = outcome.value;
      outcome.value = { published, failed: failed + 1, reason: reason || inOneLine(failure) };
      if (failure.code === 'not-connected') cut = inOneLine(failure);
    }
  }

  async function give(entries: readonly Entry[]): Promise<void> {
    for (const { message } of entries) {
      while (inFlight.size >= atOnce) await Promise.race(inFlight);
      if (cut || !current()) throw new TranslatedError(() => cut || t('The connection has ended'));
      const call: Promise<void> = publish(message).finally(() => inFlight.delete(call));
      inFlight.add(call);
    }
  }

  return {
    outcome,
    give,
    /** Resolves when each has its answer. */
    settled: async (): Promise<void> => void (await Promise.all(inFlight)),
  };
}
