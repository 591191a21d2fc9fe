/** Runs the Go program on this thread: for `worker: false`, and for Node. */

import { type Inline, openInline } from '../../worker/inline';
import type { Settings } from '../checks/options';
import { bad } from '../checks/rules';
import { MqttError } from '../errors';
import { createCalls, type Engine } from './calls';

export async function openHere(options: Pick<Settings, 'WebSocket' | 'wasmUrl'>): Promise<Engine> {
  const Native = options.WebSocket ?? globalThis.WebSocket;
  if (Native === undefined) {
    throw bad('WebSocket', 'is missing; in Node give the class of the ws package');
  }
  let inline: Inline | undefined;
  const { boundary, receive } = createCalls(
    (message) => inline?.post(message),
    undefined,
    () => inline?.close(),
  );
  try {
    inline = await openInline(receive, Native, options.wasmUrl);
  } catch (error) {
    throw new MqttError('crashed', `the WebAssembly program could not be started: ${error}`);
  }
  return { boundary, ready: Promise.resolve() };
}
