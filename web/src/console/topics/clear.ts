/** Takes away retained messages, a few at a time. */

import type { Client } from '../../client';
import { type Model, type TopicNode, topicOf } from './model';

/** Publishes that wait for their answers together. */
const atOnce = 16;
const timeout = 10_000;

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

export interface Progress {
  total: number;
  cleared: number;
  failed: number;
  /** What the first failure was. */
  reason: string;
  done: boolean;
}

interface Job {
  nodes: readonly TopicNode[];
  client: Client;
  /** False ends it: asked to stop, or another broker. */
  goOn(): boolean;
  say(progress: Progress): void;
  wordsFor(error: unknown): string;
}

/** An empty retained message removes the one retained [MQTT-3.3.1-6]. Never rejects. */
export async function clearRetained(model: Model, job: Job): Promise<Progress> {
  const { nodes, client } = job;
  const progress: Progress = { total: nodes.length, cleared: 0, failed: 0, reason: '', done: false };
  let next = 0;
  async function work(): Promise<void> {
    while (next < nodes.length && job.goOn()) {
      const node = nodes[next++] as TopicNode;
      try {
        await client.publish(topicOf(node), '', { qos: 1, retain: true, timeout });
        model.forgetRetained(node);
        progress.cleared++;
      } catch (error) {
        progress.failed++;
        progress.reason ||= job.wordsFor(error);
      }
      job.say({ ...progress });
    }
  }
  await Promise.all(Array.from({ length: atOnce }, work));
  const end = { ...progress, done: true };
  job.say(end);
  return end;
}
