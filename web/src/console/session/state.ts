/** The page's state, wired together. */

import { computed, signal } from '@preact/signals';
import { connect } from '../../client';
import { programReady } from '../../client/transport/worker-host';
import { createTicker } from '../core/clock';
import { toFailure } from '../core/failure';
import type { View } from '../core/view';
import { createFeed } from '../log/feed';
import { createFinder } from '../log/finder';
import { createForest } from '../topics/forest';
import { type Config, loadConfig } from './config';
import { keepOpen, keptOpen } from './keep';
import { survey } from './probe';
import { createLive, type Live, type Shared } from './session';
import { createConnections } from './sessions';

function randomId(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(4));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}

const frame = (call: () => void): void => {
  requestAnimationFrame(call);
};
const second = (call: () => void): void => {
  setTimeout(call, 1000);
};

/** Milliseconds between two looks at the messages while the topics are shown. */
const unseenPace = 250;

export function createState() {
  const view = signal<View>('messages');
  const feed = createFeed({
    frame(call) {
      if (view.peek() === 'messages') frame(call);
      else setTimeout(call, unseenPace);
    },
    second,
    now: () => performance.now(),
    finder: createFinder(),
  });
  const shared: Shared = {
    connect,
    program: (shared) => programReady({ worker: true, shared }),
    survey,
    toFailure,
    page: location.href,
    age: () => Math.ceil(performance.now()),
    config: signal<Config>({ version: '', brokers: [] }),
    feed,
    forest: createForest(),
    view,
    clock: createTicker(),
    frame,
    randomId,
    taken: (id) =>
      new Set(connections.list.peek().flatMap((live) => (live.id === id ? [] : live.name.peek()))),
  };
  const connections = createConnections<Live>((id) => createLive(id, shared));

  /** The topic filters subscribed to, by the number of the connection. */
  const filters = computed(
    () => new Map(connections.list.value.map((live) => [live.id, live.filters.value])),
  );

  keepOpen(() => {
    const lives = connections.list.peek();
    return { active: lives.indexOf(connections.active.peek()), list: lives.map((live) => live.kept()) };
  });

  const load = () => loadConfig(() => fetch('config.json', { cache: 'no-cache' }));

  /** Whether several connections were open before the page was reloaded, and are again. */
  async function reopened(): Promise<boolean> {
    const kept = keptOpen();
    if (!kept) return false;
    try {
      const { reopen } = await import('./reopen');
      return reopen(kept, connections);
    } catch {
      return false; // the server is gone: the page begins anew
    }
  }

  /** What a link holds fills the forms. Another link opens the page anew. */
  async function start(): Promise<void> {
    const { connection, publisher, subscriptions } = connections.active.value;
    let asked: string | undefined;
    addEventListener('hashchange', () => location.hash.includes('=') && location.reload());
    if (await reopened()) return void (await connections.active.value.connection.readBrokers(load));
    if (location.hash.includes('=')) {
      const { isLink, readLink } = await import('./link');
      if (isLink(location.hash)) {
        const { broker, message, subscriptions: wanted } = readLink(location.hash);
        asked = broker;
        if (message) publisher.edit(message);
        subscriptions.prepare(wanted);
      }
    }
    await connection.start(load, asked);
  }

  return {
    connections,
    feed,
    filters,
    view,
    toFailure,
    start,
    // Of the connection that is shown.
    get connection() {
      return connections.active.value.connection;
    },
    get publisher() {
      return connections.active.value.publisher;
    },
    get recorded() {
      return connections.active.value.recorded;
    },
    get subscriptions() {
      return connections.active.value.subscriptions;
    },
    get topics() {
      return connections.active.value.topics;
    },
  };
}

export type State = ReturnType<typeof createState>;
