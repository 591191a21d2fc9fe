/** Clears retained messages, a few at a time, and restores them. */

import type { Client, PublishProperties } from '../../client';
import { inOneLine, toFailure } from '../core/failure';
import { limits } from '../core/limits';
import { type Model, type TopicNode, topicOf, type Value } from './model';

/** Publishes that wait for their answers together. */
const atOnce = 16;
const timeout = 10_000;

/** Bytes of a value besides its payload and properties. */
const valueBytes = 400;

/** The topics at and below `node` that the broker retains a message for. */
export function retainedUnder(node: TopicNode): TopicNode[] {
  const found: TopicNode[] = [];
  const look = (at: TopicNode) => {
    if (at.retainedBelow === 0) return;
    if (at.retained) found.push(at);
    for (const child of at.list) look(child);
  };
  look(node);
  return found;
}

export type Kept = Map<TopicNode, Value>;

/**
 * What the broker retains, as far as it is known and there is room for it. A later message that
 * arrived without RETAIN may or may not have replaced it (3.3.1.3).
 */
export function restorable(nodes: readonly TopicNode[], room: number = limits.undo.bytes): Kept {
  const kept: Kept = new Map();
  let bytes = 0;
  for (const node of nodes) {
    const { last } = node;
    if (!last?.retain || !last.payload || bytes + last.held + valueBytes > room) continue;
    bytes += last.held + valueBytes;
    kept.set(node, last);
  }
  return kept;
}

export interface Progress {
  total: number;
  /** And acknowledged. */
  published: number;
  failed: number;
  /** What the first failure was. */
  reason: string;
  done: boolean;
}

interface Job {
  client: Client;
  /** Returns false to end it: stopped by the user, or connected to another broker. */
  goOn(): boolean;
  say(progress: Progress): void;
}

/** Never rejects. Topics for which `publish` returns undefined are left as they are. */
async function work<T>(
  items: readonly T[],
  job: Job,
  publish: (item: T) => Promise<unknown> | undefined,
): Promise<void> {
  const progress: Progress = { total: items.length, published: 0, failed: 0, reason: '', done: false };
  let next = 0;
  async function run(): Promise<void> {
    while (next < items.length && job.goOn()) {
      try {
        const answer = publish(items[next++] as T);
        await answer;
        if (answer) progress.published++;
      } catch (error) {
        progress.failed++;
        progress.reason ||= inOneLine(toFailure(error));
      }
      job.say({ ...progress });
    }
  }
  await Promise.all(Array.from({ length: atOnce }, run));
  job.say({ ...progress, done: true });
}

/**
 * Resolves with what can be restored. An empty retained message deletes the retained one
 * [MQTT-3.3.1-6].
 */
export async function clearRetained(model: Model, nodes: readonly TopicNode[], job: Job): Promise<Kept> {
  const kept = restorable(nodes);
  const cleared: Kept = new Map();
  await work(nodes, job, async (node) => {
    await job.client.publish(topicOf(node), '', { qos: 1, retain: true, timeout });
    model.setRetained(node, false);
    const value = kept.get(node);
    if (value) cleared.set(node, value);
  });
  return cleared;
}

function propertiesNow({ properties, at }: Value): PublishProperties {
  const { subscriptionIdentifier: _, messageExpiryInterval: left, ...rest } = properties;
  // The message arrived with the remaining interval (3.3.2.3.3).
  const now = left !== undefined && left - Math.ceil((Date.now() - at) / 1000);
  return now === false ? rest : { ...rest, messageExpiryInterval: now };
}

/**
 * Removes from `kept` what is restored, and what must not be: topics that have a message again, and
 * messages that would have expired.
 */
export function restoreRetained(model: Model, kept: Kept, job: Job): Promise<void> {
  return work([...kept], job, ([node, value]) => {
    const properties = propertiesNow(value);
    const { payload, qos } = value;
    const newer = node.last !== value && node.last?.size;
    if (newer || !payload || (properties.messageExpiryInterval ?? 1) <= 0) {
      kept.delete(node);
      return undefined;
    }
    return job.client.publish(topicOf(node), payload, { qos, retain: true, timeout, properties }).then(() => {
      model.setRetained(node, true);
      kept.delete(node);
    });
  });
}
