import './generated/wasm_exec.js';
import type { Boundary, GoClient, WireError } from '../protocol/boundary';
import { claim } from './kept-payloads';

export interface Program {
  boundary: Boundary<GoClient>;
  /** Resolves, with the reason, when the Go program has ended, which it should never do. */
  exited: Promise<WireError>;
  /** Timers that Go has set no longer keep Node running; those that it sets later do. */
  rest(): void;
}

/** Beside this script, unless the page gave another address in the fragment of the worker's. */
export function programUrl(fragment = ''): URL {
  const told = new URLSearchParams(fragment.slice(1)).get('wasm');
  return told === null ? new URL('./generated/mqttwasm.wasm', import.meta.url) : new URL(told);
}

export async function startProgram(source: Response | BufferSource | WebAssembly.Module): Promise<Program> {
  const go = new Go();
  let exitCode = 0;
  go.exit = (code) => {
    exitCode = code;
  };
  const instance = await instantiate(source, go.importObject);
  const exited = go.run(instance).then(() => crash(`the Go program ended with code ${exitCode}`));
  const boundary = globalThis.mqttwasm;
  if (!boundary) throw new Error('the Go program did not install its API');
  const rest = (): void => {
    // Go leaves a timer that it has stopped until it needs one for another time.
    for (const timer of go._scheduledTimeouts.values()) if (typeof timer === 'object') timer.unref?.();
  };
  return { boundary: claiming(boundary), exited, rest };
}

/** Hands over the payloads of which Go has only the handles. */
function claiming({ connect }: Boundary<GoClient>): Boundary<GoClient> {
  return {
    connect({ onBatch, ...options }) {
      return connect({
        ...options,
        onBatch: (buffer, count, dropped, kept) =>
          onBatch(buffer, count, dropped, kept && claim(kept as unknown as number[])),
      });
    },
  };
}

export function crash(message: string): WireError {
  return { code: 'crashed', message };
}

async function instantiate(
  source: Response | BufferSource | WebAssembly.Module,
  imports: WebAssembly.Imports,
): Promise<WebAssembly.Instance> {
  if (source instanceof WebAssembly.Module) return WebAssembly.instantiate(source, imports);
  if (!(source instanceof Response)) return (await WebAssembly.instantiate(source, imports)).instance;
  if (!source.ok) throw new Error(`${source.url} answered ${source.status}`);
  // Compiling while streaming needs the MIME type, which not every host sends.
  const streams = source.headers.get('Content-Type')?.startsWith('application/wasm');
  const { instance } = streams
    ? await WebAssembly.instantiateStreaming(source, imports)
    : await WebAssembly.instantiate(await source.arrayBuffer(), imports);
  return instance;
}
