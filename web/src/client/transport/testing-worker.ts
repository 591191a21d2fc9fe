/** For tests: the browser's Worker, with the worker itself played by the test. */

import { vi } from 'vitest';
import type { FromWorker, ToDedicatedWorker } from '../../protocol/messages';
import { protocolVersion } from '../../protocol/version';

export class ScriptedWorker {
  static all: ScriptedWorker[] = [];
  static refuses = false;
  /** It is asked for a sign of life, and gives none. */
  static silent = false;
  onmessage: (event: { data: FromWorker }) => void = () => {};
  onerror: (event: { message: string; preventDefault(): void }) => void = () => {};
  onmessageerror: () => void = () => {};
  posted: ToDedicatedWorker[] = [];
  terminated = false;
  private greeted = false;

  constructor(
    readonly url: URL,
    readonly options: WorkerOptions,
  ) {
    if (ScriptedWorker.refuses) throw new Error('SecurityError');
    ScriptedWorker.all.push(this);
  }

  postMessage(message: ToDedicatedWorker): void {
    this.posted.push(message);
    if (message.type === 'probe' && !ScriptedWorker.silent)
      this.say({ type: 'hello', version: protocolVersion });
  }

  /** Posts a message, preceded by the worker's initial hello. */
  say(data: FromWorker): void {
    if (!this.greeted) this.onmessage({ data: { type: 'hello', version: protocolVersion } });
    this.greeted = true;
    this.onmessage({ data });
  }

  terminate(): void {
    this.terminated = true;
  }
}

export const request = { url: 'ws://broker.test/mqtt', onBatch: () => undefined, onEvent: () => {} };

/** Loads the host anew, with no worker started. */
export async function freshHost() {
  ScriptedWorker.all = [];
  ScriptedWorker.refuses = false;
  ScriptedWorker.silent = false;
  vi.stubGlobal('Worker', ScriptedWorker);
  vi.resetModules();
  return import('./worker-host');
}
