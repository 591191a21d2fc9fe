import { deferred } from '../platform/deferred';
import { connectSettings } from './checks/options';
import { type Started, startClient } from './client';
import { load } from './load';
import type { Engine } from './transport/calls';
import { findEngine } from './transport/worker-host';
import type { Client, ConnectOptions } from './types';

/**
 * Makes a client at once, in state `connecting`. Listeners can be added, and `subscribe` and
 * `publish` called, immediately: they wait for the first connection, where subscriptions are made
 * before messages are sent. It keeps trying to connect until the broker refuses permanently, and
 * reports by events. Throws an `MqttError` of code `bad-option`.
 */
export function createClient(url: string | URL, options?: ConnectOptions): Client;
export function createClient(options: ConnectOptions): Client;
export function createClient(first: string | URL | ConnectOptions, second?: ConnectOptions): Client {
  return start(first, second, false).client;
}

/** `createClient` that does not connect before `begin` is called. Calls wait meanwhile. */
export function createHeldClient(options: ConnectOptions): { client: Client; begin(): void } {
  const { promise, resolve } = deferred();
  const { client } = start(options, undefined, false, promise);
  return { client, begin: resolve };
}

/**
 * Connects to an MQTT 5 broker over WebSocket: `createClient`, and a wait for the first connection.
 * Rejects with an `MqttError` when the first attempt fails, and the client has then ended; later it
 * reconnects by itself and reports by events.
 */
export function connect(url: string | URL, options?: ConnectOptions): Promise<Client>;
export function connect(options: ConnectOptions): Promise<Client>;
export async function connect(
  first: string | URL | ConnectOptions,
  second?: ConnectOptions,
): Promise<Client> {
  const { client, connected } = start(first, second, true);
  await connected;
  return client;
}

function start(
  first: string | URL | ConnectOptions,
  second: ConnectOptions | undefined,
  once: boolean,
  hold?: Promise<void>,
): Started {
  const settings = connectSettings(first, second);
  const open = async (): Promise<Engine> => {
    const engine = await findEngine(settings);
    // A shared program ends with a tab that may be another one; what a store holds outlives its program.
    if (!settings.shared && !settings.boundary.store) return engine;
    const { restartAfterCrash } = await load(
      'the part that restarts the client after a crash',
      import('./transport/restart-after-crash'),
    );
    const boundary = restartAfterCrash(engine.boundary, async () => (await findEngine(settings)).boundary);
    return { ...engine, boundary };
  };
  return startClient({ settings, open, once, hold });
}
