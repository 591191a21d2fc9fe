/**
 * The subscriptions of all elements of one connection: those that watch the same filter share one,
 * and later ones get its last message at once. Otherwise the broker would send its retained message
 * to all of them again.
 */

import type { Client, MqttError, QoS } from '../client/index';
import { createReading, type Reading } from './reading';

export interface Watcher {
  received(reading: Reading): void;
  /** The broker or the client refused the subscription. */
  failed(error: MqttError): void;
}

interface Watched {
  filter: string;
  qos: QoS;
  watchers: Set<Watcher>;
  last: Reading | undefined;
  leaving: AbortController;
  /** Whether the next connection need not subscribe. */
  asked: boolean;
}

export type Hub = ReturnType<typeof createHub>;

export function createHub(client: Client) {
  const all = new Map<string, Watched>();
  let session = {};

  const lost = (): void => {
    session = {};
  };
  const back = (): void => {
    for (const watched of all.values()) if (!watched.asked) subscribe(watched);
  };
  client.on('close', lost).on('connect', back);

  /** Returns a function that ends it. */
  function watch(filter: string, qos: QoS, watcher: Watcher): () => void {
    const key = `${qos} ${filter}`;
    let watched = all.get(key);
    if (watched) {
      watched.watchers.add(watcher);
      if (watched.last) watcher.received(watched.last);
    } else {
      watched = {
        filter,
        qos,
        watchers: new Set([watcher]),
        last: undefined,
        leaving: new AbortController(),
        asked: false,
      };
      all.set(key, watched);
      // While it is disconnected, the client accepts no subscriptions.
      if (client.state === 'connecting' || client.connected) subscribe(watched);
    }
    const { watchers, leaving } = watched;
    return () => {
      watchers.delete(watcher);
      if (watchers.size > 0 || leaving.signal.aborted) return;
      all.delete(key);
      leaving.abort();
    };
  }

  async function subscribe(watched: Watched): Promise<void> {
    const { filter, qos, watchers, leaving } = watched;
    watched.asked = true;
    const began = session;
    try {
      await client.subscribe(filter, { qos, signal: leaving.signal, handlerOnly: true }, (message) => {
        if (leaving.signal.aborted) return;
        watched.last = createReading(message, session);
        for (const watcher of watchers) watcher.received(watched.last);
      });
    } catch (error) {
      if (leaving.signal.aborted) return;
      const { code } = error as MqttError;
      // No connection would accept it.
      watched.asked = code === 'bad-option';
      const unreachable = code === 'not-connected' || code === 'network';
      // The next connection tries again, and it may already be there. If it is still the same one,
      // the client is ending.
      if (unreachable && client.connected && session !== began) subscribe(watched);
      else if (!unreachable && !(code === 'timeout' && !client.connected)) {
        for (const watcher of watchers) watcher.failed(error as MqttError);
      }
    }
  }

  function dispose(): void {
    client.off('close', lost).off('connect', back);
    for (const { leaving } of all.values()) leaving.abort();
    all.clear();
  }

  return {
    watch,
    dispose,
    /** The number of filters that are subscribed to. */
    size: () => all.size,
    /** Whether it came over the current connection. */
    isCurrent: (reading: Reading) => client.connected && reading.session === session,
  };
}
