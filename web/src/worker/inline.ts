/** The Go program on this thread: for `worker: false`, and for Node. */

import type { WireError } from '../protocol/boundary';
import type { FromWorker, ToWorker } from '../protocol/messages';
import { dispatch } from './dispatcher';
import { type Program, programUrl, startProgram } from './go-program';
import { openStore } from './store/store';
import { createSocketClass } from './websocket';

interface Running extends Program {
  /** Called when the program has ended. */
  watchers: Set<(error: WireError) => void>;
}

export interface Inline {
  post(message: ToWorker): void;
  /** Its client has ended, and need not hear of the program's end. */
  close(): void;
}

/** By the address of the wasm. */
const running = new Map<string, Promise<Running>>();
const settled = Promise.resolve();

/**
 * Speaks the worker's protocol by function calls. Rejects when the program cannot
 * be started. `wasm` is its address, if not the build's own.
 */
export async function openInline(
  receive: (message: FromWorker) => void,
  Native: typeof WebSocket,
  wasm?: string,
): Promise<Inline> {
  const url = wasm === undefined ? programUrl() : new URL(wasm);
  let starting = running.get(url.href);
  if (!starting) {
    starting = start(url);
    running.set(url.href, starting);
  }
  const { boundary, watchers, rest } = await starting;
  // Asynchronously, because Go is on the stack when it reports, and the page's code must not run
  // inside Go's event handler. With a promise, because tests fake queueMicrotask.
  const post = (message: FromWorker): void => void settled.then(() => receive(message));
  const fail = (error: WireError): void => post({ type: 'fatal', error });
  watchers.add(fail);
  const environment = { WebSocket: createSocketClass(Native, { keeps: true }), openStore };
  const close = (): void => {
    watchers.delete(fail);
    if (watchers.size === 0) rest();
  };
  return { post: dispatch(boundary, post, environment), close };
}

async function start(url: URL): Promise<Running> {
  const forget = (): void => {
    running.delete(url.href);
  };
  try {
    const program = await startProgram(await load(url));
    const watchers: Running['watchers'] = new Set();
    void program.exited.then((error) => {
      forget();
      for (const fail of watchers) fail(error);
    });
    return { ...program, watchers };
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
