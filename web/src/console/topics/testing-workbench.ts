/** For tests: a workbench whose frames and clock the test plays. */

import { vi } from 'vitest';
import type { Client, Message } from '../../client';
import type { TopicNode } from './model';
import { createTopics } from './store';
import { createWorkbench } from './workbench';

export const bytes = (text: string) => new TextEncoder().encode(text);

export const clock = { now: 0 };

export function message(topic: string, text: string, rest: Partial<Message> = {}): Message {
  const payload = bytes(text);
  const size = topic.length + payload.length;
  return {
    topic,
    payload,
    size,
    qos: 0,
    retain: false,
    receivedAt: ++clock.now,
    properties: {},
    ...rest,
  } as Message;
}

export function made(publish: Client['publish'] = async () => ({ reasonCode: 0 })) {
  const feed: Message[] = [];
  const client = {
    url: 'ws://one',
    connected: true,
    publish: vi.fn(publish),
    on: () => client,
  } as unknown as Client & { connected: boolean; publish: ReturnType<typeof vi.fn> };
  const current = { client: client as Client | undefined };
  /** Milliseconds that each reading of the clock takes. */
  const tired = { by: 0 };
  let past = 0;
  const topics = createTopics({
    id: 1,
    now() {
      past += tired.by;
      return clock.now + past;
    },
    client: () => current.client,
    kept: () => feed.toReversed(),
  });
  const frames: (() => void)[] = [];
  const paints: (() => void)[] = [];
  const bench = createWorkbench(topics, {
    frame: (call) => frames.push(call),
    paint: Object.assign((call: () => void) => void paints.push(call), { dispose() {} }),
    birthBefore: () => undefined,
    recall: () => ({}),
  });
  function push(...messages: Message[]): void {
    topics.push(messages);
    feed.push(...messages);
    bench.refresh();
  }
  function node(...names: string[]): TopicNode {
    let at: TopicNode | undefined = topics.model.root;
    for (const name of names) at = at?.children?.get(name);
    if (!at) throw new Error(`no ${names}`);
    return at;
  }
  return { topics, bench, client, current, push, node, frames, paints, feed, tired };
}
