/**
 * The values of the topics whose details were opened. A history begins with what the feed still has
 * of the topic.
 */

import type { Message } from '../../client';
import { limits } from '../core/limits';
import { type Model, type TopicNode, topicOf } from './model';

/** The topic opened longest ago is dropped first. */
const { values: maxValues, bytes: maxBytes, value: maxValue, topics: maxTopics } = limits.history;

export interface Past {
  /** The first one kept of its topic is 0. */
  number: number;
  /** Milliseconds since 1970. */
  at: number;
  /** The payload, or the head of a long one. */
  payload: Uint8Array;
  /** Bytes of the whole. */
  size: number;
}

export interface History {
  readonly node: TopicNode;
  /** Oldest first. */
  readonly values: readonly Past[];
}

export function createHistories(model: Model, earlier: (topic: string) => Message[]) {
  const kept = new Map<TopicNode, { history: History; stop(): void }>();

  function begin(node: TopicNode) {
    const values: Past[] = [];
    let bytes = 0;
    let numbers = 0;
    function add({ payload, receivedAt }: Pick<Message, 'payload' | 'receivedAt'>): void {
      const head = payload.slice(0, maxValue);
      values.push({ number: numbers++, at: receivedAt, payload: head, size: payload.length });
      bytes += head.length;
      while (values.length > maxValues || (bytes > maxBytes && values.length > 2)) {
        bytes -= values.shift()?.payload.length ?? 0;
      }
    }
    for (const message of earlier(topicOf(node))) add(message);
    const { last } = node;
    // The feed may no longer have what the tree still has.
    if (values.length === 0 && last?.payload) add({ payload: last.payload, receivedAt: last.at });
    return { history: { node, values }, stop: model.watch(node, add) };
  }

  function of(node: TopicNode): History {
    const one = kept.get(node) ?? begin(node);
    kept.delete(node);
    kept.set(node, one);
    for (const [oldest, { stop }] of kept) {
      if (kept.size <= maxTopics) break;
      stop();
      kept.delete(oldest);
    }
    return one.history;
  }

  function clear(): void {
    for (const { stop } of kept.values()) stop();
    kept.clear();
  }

  return { of, clear };
}
