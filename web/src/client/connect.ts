import type { Boundary } from '../worker/messages';
import { openClient } from './client';
import { openEngine } from './engine';
import { connectSettings } from './options';
import { reviving } from './revive';
import { aborted } from './rpc';
import type { Client, ConnectOptions } from './types';

/**
 * Connects to an MQTT 5 broker over WebSocket. Resolves when the broker has
 * accepted, and rejects with an `MqttError` when the first attempt fails;
 * later the client reconnects by itself and tells by events.
 */
export function connect(url: string | URL, options?: ConnectOptions): Promise<Client>;
export function connect(options: ConnectOptions): Promise<Client>;
export async function connect(
  first: string | URL | ConnectOptions,
  second?: ConnectOptions,
): Promise<Client> {
  const settings = connectSettings(first, second);
  const { signal } = settings;
  const open = (): Promise<Boundary> => openEngine(settings);
  const engine = await unlessAborted(open, signal);
  // A shared program ends with a tab that may be somebody else's.
  return openClient(settings.shared ? reviving(engine, open) : engine, settings);
}

async function unlessAborted<T>(start: () => Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (!signal) return start();
  if (signal.aborted) throw aborted(signal);
  let abort = (): void => {};
  const whenAborted = new Promise<never>((_, reject) => {
    abort = () => reject(aborted(signal));
    signal.addEventListener('abort', abort);
  });
  try {
    return await Promise.race([start(), whenAborted]);
  } finally {
    signal.removeEventListener('abort', abort);
  }
}
