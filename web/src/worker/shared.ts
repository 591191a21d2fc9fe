/** The shared worker: one Go program that serves the pages of an origin. */

import { holdLivenessLock, livenessLost } from '../platform/liveness-lock';
import { workerLock } from '../platform/shared-worker-names';
import type { WireError } from '../protocol/boundary';
import type { FromWorker, ToSharedWorker } from '../protocol/messages';
import { protocolVersion } from '../protocol/version';
import { dispatch } from './dispatcher';
import { crash, programUrl, startProgram } from './go-program';
import { createRegistry } from './sharing/registry';
import { openStore } from './store/store';
import { createSocketClass } from './websocket';

globalThis.WebSocket = createSocketClass(globalThis.WebSocket, {
  copies: true,
}) as unknown as typeof WebSocket;

type Deliver = (message: Exclude<ToSharedWorker, { type: 'probe' }>) => void;

const pages = new Set<MessagePort>();
const starting = start();
const beginning = holdLivenessLock(workerLock(self.name, location.href));
void beginning.then((life) =>
  life?.over.catch(() => fail(crash('it did not answer its pages for some time'))),
);

addEventListener('connect', (event) => {
  const [page] = (event as MessageEvent).ports as [MessagePort];
  pages.add(page);
  const deliver = serve(page);
  // Set before the program has loaded: what the page sends meanwhile waits, in order.
  page.onmessage = async ({ data }: MessageEvent<ToSharedWorker>) => {
    if (data.type === 'probe') page.postMessage({ type: 'hello', version: protocolVersion });
    else (await deliver)(data);
  };
});

// A trap of the program ends up here. Unlike with a dedicated worker, pages get no error event.
addEventListener('error', (event) => fail(crash(event.message)));

async function serve(page: MessagePort): Promise<Deliver> {
  const post = (message: FromWorker, transfer: Transferable[] = []): void =>
    page.postMessage(message, { transfer });
  const life = await beginning;
  // Before the program has loaded, since the page must be told of a crash by then, too.
  post({ type: 'hello', version: protocolVersion, ...(life && { lock: life.name }) });
  const registry = await starting;
  if (!registry) return () => {};
  post({ type: 'ready' });
  const port = registry.attach();
  const call = dispatch(port.boundary, post, { openStore });
  const leave = (): void => {
    pages.delete(page);
    port.leave();
    page.close();
  };
  return (message) => {
    switch (message.type) {
      case 'hello':
        void livenessLost(message.lock).then(leave);
        break;
      case 'freeze':
        port.freeze();
        break;
      case 'thaw':
        port.thaw();
        break;
      case 'leave':
        leave();
        break;
      default:
        call(message);
    }
  };
}

async function start(): Promise<ReturnType<typeof createRegistry> | undefined> {
  try {
    const program = await startProgram(await fetch(programUrl(globalThis.location?.hash)));
    void program.exited.then(fail);
    return createRegistry(program.boundary);
  } catch (error) {
    fail(crash(`the WebAssembly program could not be started: ${error}`));
    return undefined;
  }
}

/** Makes room for another worker: a page that requests one from now on does not get this one. */
function fail(error: WireError): void {
  for (const page of pages) page.postMessage({ type: 'fatal', error } satisfies FromWorker);
  close();
}
