/** One Go program for the pages of an origin, in a SharedWorker. */

import { deferred } from '../../platform/deferred';
import { holdLivenessLock } from '../../platform/liveness-lock';
import { followPage } from '../../platform/page-lifecycle';
import { currentWorker, followWorker, giveUpWorker } from '../../platform/shared-worker-names';
import type { FromWorker, ToSharedWorker } from '../../protocol/messages';
import workerUrl from '../../worker/shared.ts?worker&url';
import { scriptUrl, wasmFor, withWasm } from './asset-urls';
import type { Engine } from './calls';
import { createWorkerCalls } from './worker-calls';

/** Milliseconds after which a worker that has not answered is requested again. */
const waits = [250, 500, 1000];
/** Milliseconds between the looks after that. */
const lastWait = 1000;
/** Looks at a worker that runs, and does not answer, after which it is given up. */
const looks = 6;

/**
 * Undefined if there is no SharedWorker, or the browser does not start one. `onFailed` is called
 * when it has started and its program has ended since. `from` and `wasm` are the addresses of its
 * script and of the program, by default those of the build.
 *
 * The worker may run in the process of any of its pages, and then ends when that one crashes. Pages
 * notice that by a lock. An insecure context has no locks: there pages notice nothing, a page that
 * crashes remains a member until the last one is gone, and a worker that is stuck is not replaced.
 */
export async function openSharedWorker(
  onFailed: () => void,
  from?: string,
  wasm?: string,
): Promise<Engine | undefined> {
  if (typeof SharedWorker === 'undefined') return undefined;
  const life = await holdLivenessLock();
  let script: URL;
  try {
    script = withWasm(from ?? new URL(workerUrl, import.meta.url), wasmFor(from, wasm));
  } catch {
    life?.end();
    return undefined;
  }
  const { promise: started, resolve: settle } = deferred<boolean>();
  const closed = new AbortController();
  const ports: MessagePort[] = [];
  /** The one that has answered. */
  let port: MessagePort | undefined;
  let workerLock: string | undefined;

  const post = (message: ToSharedWorker, transfer: Transferable[] = []): void =>
    (port ?? ports.at(-1))?.postMessage(message, { transfer });
  const { engine, hear, fail, unwatch } = createWorkerCalls(script, post, {
    onFailed() {
      onFailed();
      close();
    },
    onSilent: () => workerLock && giveUpWorker(workerLock),
  });
  // WebKit takes the locks of a page that goes into the back/forward cache, so that the worker takes
  // it for gone.
  life?.over.catch(() => fail('the page was in the back/forward cache, and its worker took it for gone'));
  // A page that is frozen or in the back/forward cache does not run, and must not hold up the others.
  const stopFollowing = followPage(
    { window, document },
    {
      offline() {},
      wake() {},
      suspend: (forGood) => post({ type: forGood ? 'leave' : 'freeze' }),
      resume: () => post({ type: 'thaw' }),
    },
  );

  function close(): void {
    closed.abort();
    stopFollowing();
    for (const one of ports) one.close();
    life?.end();
    unwatch();
  }

  function receive(message: FromWorker): void {
    if (message.type === 'hello' && message.lock) {
      workerLock = message.lock;
      followWorker(workerLock, closed.signal, () =>
        fail('the shared worker is gone: its tab crashed, or it no longer answered'),
      );
    }
    hear(message);
  }

  function request(name: string): void {
    const worker = new SharedWorker(scriptUrl(script), { type: 'module', name });
    const mine = worker.port;
    ports.push(mine);
    mine.onmessage = ({ data }: MessageEvent<FromWorker>) => {
      if (!port) {
        port = mine;
        for (const other of ports) if (other !== mine) leave(other);
        settle(true);
      }
      if (port === mine) receive(data);
    };
    mine.onmessageerror = () => fail('a message from the worker could not be read');
    // Also in browsers without module workers.
    worker.onerror = () => settle(false);
    if (life) mine.postMessage({ type: 'hello', lock: life.name } satisfies ToSharedWorker);
  }

  /**
   * Requests a worker until one answers. One that is about to close may have accepted the page, and
   * never answers; one that is stuck is given up. One whose script is loading is waited for.
   */
  async function find(): Promise<void> {
    let requested: string | undefined;
    let silent = 0;
    for (let look = 0; !port; look++) {
      const { name, lock, runs } = await currentWorker(script.href);
      if (port || closed.signal.aborted) return;
      silent = runs && name === requested ? silent + 1 : 0;
      if (silent === looks) giveUpWorker(lock);
      else if (name !== requested || look <= waits.length) request(name);
      requested = name;
      await new Promise((resolve) => setTimeout(resolve, waits[look] ?? lastWait));
    }
  }

  // For example if the user blocks storage, or the script is from another origin.
  find().catch(() => settle(false));
  if (await started) return { ...engine, shared: true };
  close();
  return undefined;
}

function leave(port: MessagePort): void {
  port.postMessage({ type: 'leave' } satisfies ToSharedWorker);
  port.close();
}
