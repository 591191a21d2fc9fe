/** For tests: sessions whose brokers the test plays. */

import { signal } from '@preact/signals';
import { vi } from 'vitest';
import type { Client, ClientEvents, Message } from '../../client';
import { createFeed } from '../log/feed';
import { find, split } from '../log/find';
import { createChoices } from '../payload/choices';
import { createForest } from '../topics/forest';
import type { Config } from './config';
import { explain } from './explain';
import { createSession, type Session, type Shared } from './session';
import { createSessions } from './sessions';

type Listener = (...args: never[]) => void;

/** A client that subscribes and publishes at once. */
export function sessionClient(url: string) {
  const listeners = new Map<keyof ClientEvents, Listener[]>();
  const client = {
    url,
    connected: true,
    connack: { properties: {} },
    publish: vi.fn(async () => ({ reasonCode: 0 })),
    subscribe: vi.fn(async (_filter: string) => ({ qos: 2, unsubscribe: async () => {} })),
    end: vi.fn(async () => {}),
    on: (event: keyof ClientEvents, listener: Listener) => {
      listeners.set(event, [...(listeners.get(event) ?? []), listener]);
      return client;
    },
  };
  function emit<E extends keyof ClientEvents>(event: E, ...args: ClientEvents[E]): void {
    for (const listener of listeners.get(event) ?? []) listener(...(args as never[]));
  }
  return { client, emit };
}

export function made() {
  const clients: ReturnType<typeof sessionClient>[] = [];
  const beats: (() => void)[] = [];
  const feed = createFeed({
    choices: createChoices(),
    shown: signal(true),
    timing: { frame: (call) => call(), after: () => {}, now: () => 0 },
    finder: {
      find: async (pattern, haystack) => find(pattern, haystack),
      split: async (pattern, texts) => texts.map((text) => split(pattern, text)),
      drop: () => {},
    },
  });
  let ids = 0;
  const shared: Shared = {
    async connect({ url }) {
      const fake = sessionClient(String(url));
      clients.push(fake);
      return fake.client as unknown as Client;
    },
    program: async () => {},
    survey: async (url) => ({ url, page: '' }),
    explainer: async () => explain,
    page: 'http://127.0.0.1:8080/',
    age: () => 0,
    config: signal<Config>({ version: '', brokers: [{ name: 'Default', url: 'ws://default/mqtt' }] }),
    feed,
    forest: createForest(),
    shows: () => true,
    clock: {
      now: () => 0,
      after(_, call) {
        beats.push(call);
        return () => beats.splice(beats.indexOf(call), 1);
      },
    },
    frame: (call) => call(),
    randomId: () => `id${++ids}`,
    taken: (id) =>
      new Set(connections.list.peek().flatMap((live) => (live.id === id ? [] : live.name.peek()))),
  };
  const connections = createSessions<Session>((id) => createSession(id, shared));

  async function connect(live: Session, url: string) {
    live.connection.edit({ url });
    await live.connection.connect();
    const fake = clients.at(-1);
    if (!fake) throw new Error('no client');
    return fake;
  }
  const kept = () => {
    feed.edit({ direction: 'both' });
    return feed.listed().map(({ message, via, sent }) => [via.name, message.topic, sent]);
  };
  return { connections, feed, shared, beats, connect, kept };
}

export const message = (topic: string) =>
  ({
    topic,
    payload: new Uint8Array(1),
    qos: 0,
    retain: false,
    properties: {},
    size: 2,
    receivedAt: 1,
  }) as Message;
