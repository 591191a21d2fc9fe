/** The Go program on this thread: for `worker: false`, and for Node. */

import type { FromWorker, ToWorker } from '../protocol/messages';
import { dispatch } from './dispatcher';
import { type Program, programUrl, startProgram } from './go-program';
import { openStore } from './store/store';
import { createSocketClass } from './websocket';

let running: Promise<Program> | undefined;
const settled = Promise.resolve();

/** Speaks the worker's protocol by function calls. Rejects when the program cannot be started. */
export async function openInline(
  receive: (message: FromWorker) => void,
  Native: typeof WebSocket,
): Promise<(message: ToWorker) => void> {
  running ??= start();
  const program = await running;
  // Later, because Go is on the stack when it reports, and what the page does
  // with a message must not run inside its event handler.
  // By a promise, because tests fake queueMicrotask.
  const post = (message: FromWorker): void => void settled.then(() => receive(message));
  void program.exited.then((error) => post({ type: 'fatal', error }));
  return dispatch(program.boundary, post, {
    WebSocket: createSocketClass(Native, { keeps: true }),
    openStore,
  });
}

async function start(): Promise<Program> {
  const forget = (): void => {
    running = undefined;
  };
  try {
    const program = await startProgram(await load());
    void program.exited.then(forget);
    return program;
  } catch (error) {
    forget();
    throw error;
  }
}

async function load(): Promise<Response | BufferSource> {
  // Node's fetch does not read files.
  if (programUrl.protocol !== 'file:') return fetch(programUrl);
  return process.getBuiltinModule('node:fs/promises').readFile(programUrl);
}
