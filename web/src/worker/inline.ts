/** The Go program on this thread: for `worker: false`, and for Node. */

import type { FromWorker, ToWorker } from '../protocol/messages';
import { dispatch } from './dispatcher';
import { type Program, programUrl, startProgram } from './go-program';
import { openStore } from './store/store';
import { createSocketClass } from './websocket';

/** By the address of the wasm. */
const running = new Map<string, Promise<Program>>();
const settled = Promise.resolve();

/**
 * Speaks the worker's protocol by function calls. Rejects when the program cannot
 * be started. `wasm` is its address, if not the build's own.
 */
export async function openInline(
  receive: (message: FromWorker) => void,
  Native: typeof WebSocket,
  wasm?: string,
): Promise<(message: ToWorker) => void> {
  const url = wasm === undefined ? programUrl() : new URL(wasm);
  let starting = running.get(url.href);
  if (!starting) {
    starting = start(url);
    running.set(url.href, starting);
  }
  const program = await starting;
  // Asynchronously, because Go is on the stack when it reports, and the page's code must not run
  // inside Go's event handler. With a promise, because tests fake queueMicrotask.
  const post = (message: FromWorker): void => void settled.then(() => receive(message));
  void program.exited.then((error) => post({ type: 'fatal', error }));
  return dispatch(program.boundary, post, {
    WebSocket: createSocketClass(Native, { keeps: true }),
    openStore,
  });
}

async function start(url: URL): Promise<Program> {
  const forget = (): void => {
    running.delete(url.href);
  };
  try {
    const program = await startProgram(await load(url));
    void program.exited.then(forget);
    return program;
  } catch (error) {
    forget();
    throw error;
  }
}

async function load(url: URL): Promise<Response | BufferSource> {
  // Node's fetch does not read files. Electron's pages may have no Node, and then fetch them.
  const files = url.protocol === 'file:' && globalThis.process?.getBuiltinModule?.('node:fs/promises');
  return files ? files.readFile(url) : fetch(url);
}
