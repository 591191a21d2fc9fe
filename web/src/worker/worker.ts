/** The worker: one Go program that serves every client of the page. */

import { dispatch } from './dispatcher';
import type { FromWorker, ToWorker } from './messages';
import { crash, programUrl, startProgram } from './program';
import { createSocketClass } from './socket';
import { openStore } from './store';

globalThis.WebSocket = createSocketClass(globalThis.WebSocket, {
  copies: true,
}) as unknown as typeof WebSocket;

const post = (message: FromWorker, transfer: Transferable[] = []): void => postMessage(message, { transfer });

const deliver = start();

// Set before the program has loaded: what the page sends meanwhile waits its turn.
addEventListener('message', async ({ data }: MessageEvent<ToWorker>) => (await deliver)(data));

async function start(): Promise<(message: ToWorker) => void> {
  try {
    const program = await startProgram(await fetch(programUrl));
    void program.exited.then((error) => post({ type: 'fatal', error }));
    post({ type: 'ready' });
    return dispatch(program.boundary, post, { openStore });
  } catch (error) {
    post({ type: 'fatal', error: crash(`the WebAssembly program could not be started: ${error}`) });
    return () => {};
  }
}
