/** The topics, counted from the start, whether or not they are shown. */

import { signal } from '@preact/signals';
import type { Client, Message } from '../../client';
import { limits } from '../core/limits';
import { createModel } from './model';

export interface Dependencies {
  /** Of the connection. */
  id: number;
  /** Milliseconds of a clock that never goes back. */
  now(): number;
  client(): Client | undefined;
  /** Messages that are kept elsewhere, the newest first. */
  kept(): Iterable<Message>;
}

export type Topics = ReturnType<typeof createTopics>;

/** A line of the chart: where its numbers are. */
export type Pin = readonly [topic: string, path: string];

export function createTopics(deps: Dependencies, model = createModel()) {
  /** Changes when the tree is emptied. */
  const era = signal(0);
  let url = '';
  let since = 0;

  function clear(): void {
    model.clear();
    since = Date.now();
    era.value++;
  }

  /** Another broker has other topics, so the tree is emptied. */
  function onClient(client: Client): void {
    if (url !== client.url && model.nodes > 0) clear();
    url = client.url;
    model.beginRound();
    client.on('close', () => {
      // A late answer of an earlier client is ignored.
      if (deps.client() === client) model.beginRound();
    });
  }

  function push(messages: Message[]): void {
    model.push(messages, deps.now());
  }

  /** What is kept of a topic, the newest first; undefined now and then, so that the caller can pause. */
  function* past(topic: string): Generator<Message | undefined> {
    let looked = 0;
    for (const message of deps.kept()) {
      if (message.topic === topic && message.receivedAt >= since) yield message;
      else if (++looked % 256 === 0) yield undefined;
    }
  }

  /**
   * The last values of a topic from before its details were opened, as far as they are found
   * quickly, oldest first.
   */
  function earlier(topic: string): Message[] {
    const until = deps.now() + limits.history.look;
    const found: Message[] = [];
    for (const message of past(topic)) {
      if (message) found.push(message);
      if (found.length === limits.history.values || deps.now() > until) break;
    }
    return found.reverse();
  }

  return {
    id: deps.id,
    /** What is on the chart, and what a reload left for it. */
    pins: [] as readonly Pin[],
    model,
    era,
    clear,
    onClient,
    push,
    past,
    earlier,
    now: deps.now,
    client: deps.client,
  };
}
