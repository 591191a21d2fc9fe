/**
 * What a client does with received messages. It is not needed before the first connection, so it is
 * a script of its own, which loads in parallel with the program.
 */

import type { Emitter } from '../platform/emitter';
import { nextTask } from '../platform/next-task';
import type { BoundaryClient } from '../protocol/boundary';
import { MqttError } from './errors';
import { openBatch } from './message';
import { answer as answerRequest, decodeAnswer } from './request';
import { createDeliveryScheduler } from './routing/delivery-scheduler';
import { createRouter } from './routing/router';
import { createSubscribing } from './routing/subscriptions';
import type { Client, ClientEvents, Message, RequestHandler } from './types';

export interface Dependencies {
  emitter: Emitter<ClientEvents>;
  link: BoundaryClient;
  /** Whether the client takes no more calls: it has ended, or is about to. */
  closing(): boolean;
  /** Throws if the client has ended. */
  requireOpen(): void;
}

export type Receiving = ReturnType<typeof createReceiving>;

export function createReceiving({ emitter, ...client }: Dependencies) {
  const router = createRouter();
  const { finish: finishAll, ...subscribing } = createSubscribing({ ...client, router });
  const { push, flush } = createDeliveryScheduler({
    deliver,
    failed: (error) => emitter.emit('error', error instanceof MqttError ? error : transferred(error)),
    nextTask,
    now: () => performance.now(),
  });
  let finished = false;

  /** Resolves when the next batch may come. */
  function handOut(
    buffer: ArrayBuffer,
    count: number,
    lost: number,
    payloads?: Uint8Array[],
  ): Promise<void> | undefined {
    return push(openBatch(buffer, count, payloads, router.isOwn), lost);
  }

  function deliver(messages: Message[], lost: number): Promise<void> | undefined {
    if (finished) return;
    const each = emitter.listens('message');
    const heard = each || emitter.listens('batch');
    const reserved = router.reserving() ? new Set(messages.filter(router.reserved)) : undefined;
    const open = reserved ? messages.filter((message) => !reserved.has(message)) : messages;
    if (open.length > 0 || lost > 0) emitter.emit('batch', open, lost);
    const busy: Promise<void>[] = [];
    for (const message of messages) {
      if (each && !reserved?.has(message)) {
        emitter.emit('message', message.topic, message.payload, message);
      }
      if (router.empty()) continue;
      for (const holder of router.match(message)) {
        const handled = holder.deliver(message, heard);
        if (handled) busy.push(handled);
      }
    }
    if (reserved) router.tidy(messages.at(-1)?.receivedAt ?? 0);
    if (busy.length === 0) return;
    return Promise.all(busy).then(() => {});
  }

  /** Rejects with what `handler` threw; an event reports that an answer can't be sent. */
  function answer(request: Message, handler: RequestHandler, publish: Client['publish']): Promise<void> {
    return answerRequest(request, handler, publish, (error) => {
      if (!finished) emitter.emit('error', error);
    });
  }

  /** Call `flush` before: nothing is delivered any more. */
  function finish(error?: MqttError): void {
    finished = true;
    finishAll(error);
  }

  return { ...subscribing, handOut, flush, finish, decodeAnswer, answer };
}

/** Nothing else makes the messages of a batch unreadable. */
function transferred(cause: unknown): MqttError {
  const message =
    'a listener transferred the buffer of a message, which later ones share, and they are lost: copy it before';
  return new MqttError('dropped', message, { cause });
}
