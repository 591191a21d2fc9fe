/** The page's state, wired together. */

import { computed } from '@preact/signals';
import { connect, MqttError } from '../client';
import { loadConfig } from './config';
import type { Failure } from './connection/explain';
import { survey } from './connection/probe';
import { createConnection } from './connection/store';
import { createFinder } from './feed/finder';
import { recording } from './feed/sent';
import { createFeed } from './feed/store';
import { recordingOf } from './insight/recording';
import { createPublisher } from './publish/store';
import { createTicker } from './publish/ticker';
import { createSubscriptions } from './subscribe/store';
import { createTopics } from './topics/store';

function randomId(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(4));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}

function toFailure(error: unknown): Failure {
  if (error instanceof MqttError) return error;
  return { code: 'crashed', message: error instanceof Error ? error.message : String(error) };
}

const frame = (call: () => void): void => {
  requestAnimationFrame(call);
};
const second = (call: () => void): void => {
  setTimeout(call, 1000);
};

export function createState() {
  const own = `mqttwasm/${randomId()}`;
  const client = () => connection.client.value;

  const feed = createFeed({
    frame,
    second,
    now: () => performance.now(),
    finder: createFinder(),
    storage: () => localStorage,
  });
  /** For the publisher: what goes out by it is entered in the feed. */
  const recorded = computed(() => {
    const connected = connection.client.value;
    return connected && recording(connected, feed.enter);
  });
  const subscriptions = createSubscriptions({ client, toFailure, frame }, `${own}/#`);
  const topics = createTopics({
    now: () => performance.now(),
    client,
    *kept() {
      const { first, end } = feed.view.peek();
      for (let number = first; number < end; number++) {
        const entry = feed.get(number);
        if (entry && !entry.sent) yield entry.message;
      }
    },
  });
  const publisher = createPublisher(
    { client: () => recorded.value, toFailure, clock: createTicker() },
    `${own}/hello`,
  );
  const connection = createConnection({
    connect: (options) => connect({ ...options, packetEvents: recordingOf(connection).value }),
    survey,
    toFailure,
    page: location.href,
    age: () => Math.ceil(performance.now()),
    async onClient(client) {
      client.on('batch', feed.push);
      topics.onClient(client);
      await subscriptions.onClient(client);
    },
    onGone() {
      // What was meant for one broker does not go to the next.
      publisher.stop();
      subscriptions.onGone();
    },
  });

  const filters = computed(() =>
    subscriptions.entries.value
      .filter(({ granted }) => granted.value !== undefined)
      .map(({ filter }) => filter),
  );

  /** What a link holds fills the forms. Another link opens the page anew. */
  async function start(): Promise<void> {
    let asked: string | undefined;
    addEventListener('hashchange', () => location.hash.includes('=') && location.reload());
    if (location.hash.includes('=')) {
      const { isLink, readLink } = await import('./share/link');
      if (isLink(location.hash)) {
        const { broker, message, subscriptions: wanted } = readLink(location.hash);
        asked = broker;
        if (message) publisher.edit(message);
        subscriptions.prepare(wanted);
      }
    }
    await connection.start(() => loadConfig(() => fetch('config.json', { cache: 'no-cache' })), asked);
  }
  return { connection, feed, filters, publisher, subscriptions, topics, toFailure, start };
}

export type State = ReturnType<typeof createState>;
