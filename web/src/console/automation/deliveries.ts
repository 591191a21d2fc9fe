/** Messages that were passed to scripts and not answered yet, within bounds. */

import type { Message } from '../../client';
import type { Readable } from '../payload/guess';
import { bounds } from './bounds';
import type { Delivered } from './protocol';

export interface Delivery {
  message: Message & Readable;
  /** Of the feed. */
  number: number;
  settle(): void;
}

const never = new Promise<void>(() => {});

export function deliveredOf({ topic, payload, qos, retain, receivedAt, properties }: Message): Delivered {
  const { correlationData, ...plain } = properties;
  // Copies: each is part of a batch, which would cross as a whole.
  return {
    topic,
    payload: payload.slice(),
    qos,
    retain,
    receivedAt,
    properties: plain,
    correlationData: correlationData?.slice(),
  };
}

export function createDeliveries() {
  const open = new Map<number, Delivery>();
  const { backlog } = bounds;
  let numbers = 0;
  let bytes = 0;

  /**
   * Returns the delivery's number: undefined if there is no room, since a backlog would only grow.
   * If a script `decodes`, the message is shown only after it has answered.
   */
  function add(message: Message & Readable, number: number, decodes: boolean): number | undefined {
    const size = message.payload.length;
    if (size > backlog.message || open.size >= backlog.messages || bytes + size > backlog.bytes) {
      // Otherwise a chart would draw the bytes as the value.
      if (decodes) message.pending = never;
      return undefined;
    }
    let settle = () => {};
    if (decodes) {
      message.pending = new Promise((resolve) => {
        settle = resolve;
      });
    }
    open.set(numbers, { message, number, settle });
    bytes += size;
    return numbers++;
  }

  function settle(key: number): void {
    const delivery = open.get(key);
    if (!delivery) return;
    open.delete(key);
    bytes -= delivery.message.payload.length;
    delivery.settle();
  }

  function clear(): void {
    for (const key of open.keys()) settle(key);
  }

  return {
    add,
    settle,
    clear,
    get: (key: number | undefined) => (key === undefined ? undefined : open.get(key)),
  };
}
