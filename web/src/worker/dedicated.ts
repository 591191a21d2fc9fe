/** The worker: one Go program that serves every client of the page. */

import { deferred } from '../platform/deferred';
import type { FromWorker, ToDedicatedWorker, ToWorker } from '../protocol/messages';
import { protocolVersion } from '../protocol/version';
import { dispatch } from './dispatcher';
import { createEarlyDials } from './early-dial';
import { crash, programUrl, startProgram } from './go-program';
import { openStore } from './store/store';
import { createSocketClass } from './websocket';

const { begin, drop, dial } = createEarlyDials(globalThis.WebSocket);
globalThis.WebSocket = createSocketClass(globalThis.WebSocket, {
  copies: true,
  keeps: true,
  dial,
}) as unknown as typeof WebSocket;

const post = (message: FromWorker, transfer: Transferable[] = []): void => postMessage(message, { transfer });

const greet = (): void => post({ type: 'hello', version: protocolVersion });
greet();
let loading = true;
const { promise: compiled, resolve: given } = deferred<WebAssembly.Module | undefined>();
const deliver = start();

// Set before the program has loaded: what the page sends meanwhile waits, in order.
addEventListener('message', async ({ data }: MessageEvent<ToDedicatedWorker>) => {
  if (data.type === 'program') return given(data.module);
  if (data.type === 'probe') return greet();
  if (data.type === 'connect' && loading) begin(data);
  if (data.type === 'abort') drop(data.id);
  (await deliver)(data);
});

async function start(): Promise<(message: ToWorker) => void> {
  try {
    const program = await startProgram(
      (await compiled) ?? (await fetch(programUrl(globalThis.location?.hash))),
    );
    void program.exited.then((error) => post({ type: 'fatal', error }));
    post({ type: 'ready' });
    loading = false;
    return dispatch(program.boundary, post, { openStore });
  } catch (error) {
    post({ type: 'fatal', error: crash(`the WebAssembly program could not be started: ${error}`) });
    return () => {};
  }
}
