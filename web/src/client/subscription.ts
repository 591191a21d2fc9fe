import { asyncDispose } from '../platform/async-dispose';
import { report } from '../platform/emitter';
import type { WireSubscription } from '../protocol/boundary';
import { type Limited, plainCall } from './checks/calls';
import { bad } from './checks/rules';
import { limited } from './errors';
import { type Bounds, createIteratorBuffer } from './iterator-buffer';
import type { CallOptions, Message, MessageHandler, QoS, Subscription } from './types';

/** The client's side of a subscription. */
export interface Holder {
  readonly subscription: Subscription;
  readonly request: WireSubscription;
  /** The client's listeners don't get messages that only such subscriptions asked for. */
  readonly handlerOnly: boolean;
  /**
   * `heard` says that a listener of the client got the message, too. The promise resolves when the
   * next batch may come.
   */
  deliver(message: Message, heard: boolean): Promise<void> | undefined;
  grant(reasonCode: number): void;
  /** Unsubscribes when the signal fires. */
  follow(signal: AbortSignal): void;
  /** Delivers nothing any more. With `discard`, messages not read yet are dropped. */
  finish(discard: boolean, error?: unknown): void;
  finished(): boolean;
}

export interface HolderOptions {
  request: WireSubscription;
  bounds: Bounds;
  handler: MessageHandler | undefined;
  handlerOnly: boolean;
  leave(holder: Holder, call: Limited<object>): Promise<void>;
}

export function createHolder({ request, bounds, handler, handlerOnly, leave }: HolderOptions): Holder {
  const queue = createIteratorBuffer(bounds);
  let iterated = false;
  let finished = false;
  let reasonCode = 0;
  let left: Promise<void> | undefined;
  let stopFollowing = (): void => {};

  async function unsubscribe(options?: CallOptions): Promise<void> {
    const call = plainCall(options);
    if (left) return limited(left, call, `unsubscribe: no answer within ${call.timeout} ms`);
    left = leave(holder, call);
    await left;
  }

  const subscription: Subscription = {
    filter: request.topic,
    get qos() {
      return (reasonCode & 3) as QoS;
    },
    get reasonCode() {
      return reasonCode;
    },
    get dropped() {
      return queue.dropped();
    },
    unsubscribe,
    [asyncDispose]: () => unsubscribe(),
    [Symbol.asyncIterator]() {
      if (handler)
        throw bad('handler', 'receives the messages of this subscription, so they cannot be iterated over');
      iterated = true;
      return {
        next: queue.next,
        async return() {
          // A loop that is left wants no more messages; it neither waits for the broker nor fails.
          unsubscribe().catch(() => {});
          return { value: undefined, done: true };
        },
      };
    },
  };

  const holder: Holder = {
    subscription,
    request,
    handlerOnly,
    deliver(message, heard) {
      if (finished) return undefined;
      if (handler) return run(handler, message);
      // Without an iteration so far, there may never be one: messages that a listener got are not
      // kept, and nothing waits for a reader.
      if (!iterated && heard) return undefined;
      return queue.push(message, !iterated);
    },
    grant(code) {
      reasonCode = code;
    },
    follow(signal) {
      const abort = (): void => {
        unsubscribe().catch(() => {
          // The broker is told at the next connection.
        });
      };
      signal.addEventListener('abort', abort);
      stopFollowing = () => signal.removeEventListener('abort', abort);
    },
    finished: () => finished,
    finish(discard, error) {
      finished = true;
      stopFollowing();
      if (discard) queue.clear();
      queue.end(error);
    },
  };
  return holder;
}

/** An error in a handler is reported to the page; the message counts as handled. */
function run(handler: MessageHandler, message: Message): Promise<void> | undefined {
  try {
    const result = handler(message);
    if (!isThenable(result)) return undefined;
    return Promise.resolve(result).then(() => {}, report);
  } catch (error) {
    report(error);
    return undefined;
  }
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof (value as PromiseLike<unknown> | undefined)?.then === 'function';
}
