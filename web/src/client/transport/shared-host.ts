/** One Go program for the pages of an origin, in a SharedWorker. */

import { holdLivenessLock, livenessLost } from '../../platform/liveness-lock';
import { followPage } from '../../platform/page-lifecycle';
import type { FromWorker, ToSharedWorker } from '../../protocol/messages';
import workerUrl from '../../worker/shared.ts?worker&url';
import { scriptUrl, wasmFor, withWasm } from './asset-urls';
import { createCalls, type Engine } from './calls';
import { createWatchdog } from './watchdog';
import { checkVersion } from './worker-version';

/** Milliseconds until a worker that has not answered is requested again: the first time, and the last. */
const shortestWait = 250;
const longestWait = 1000;

/**
 * Undefined if there is no SharedWorker, or the browser does not start one. `onFailed` is called
 * when it has started and its program has ended since. `from` and `wasm` are the addresses of its
 * script and of the program, by default those of the build.
 *
 * The worker may run in the process of any of its pages, and then ends when that one crashes. Pages
 * notice that by a lock. An insecure context has no locks: there pages notice nothing, and a page
 * that crashes remains a member until the last one is gone.
 */
export async function openSharedWorker(
  onFailed: () => void,
  from?: string,
  wasm?: string,
): Promise<Engine | undefined> {
  if (typeof SharedWorker === 'undefined') return undefined;
  const life = await holdLivenessLock();
  const ports: MessagePort[] = [];
  let script: URL;
  /** Requests the worker once more. */
  function knock(): SharedWorker {
    // Not the name of the other worker: webpack makes one script of workers with the same name.
    const worker = new SharedWorker(scriptUrl(script), { type: 'module', name: 'mqttwasm-shared' });
    ports.push(worker.port);
    return worker;
  }
  let first: SharedWorker;
  try {
    script = withWasm(from ?? new URL(workerUrl, import.meta.url), wasmFor(from, wasm));
    first = knock();
  } catch {
    life?.end(); // for example if the user blocks storage, or the script is from another origin
    return undefined;
  }
  let { port } = first;
  const post = (message: ToSharedWorker, transfer: Transferable[] = []): void =>
    port.postMessage(message, { transfer });
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
  const closed = new AbortController();
  const close = (): void => {
    closed.abort();
    stopFollowing();
    for (const one of ports) one.close();
    life?.end();
    clear();
  };
  const { heard, doubt, clear } = createWatchdog(
    () => post({ type: 'probe' }),
    () => fail({ code: 'crashed', message: 'the shared worker does not answer' }),
  );
  const failed = (): void => {
    onFailed();
    close();
  };
  const { boundary, ready, receive, fail } = createCalls(post, failed, undefined, doubt);
  const failWhenGone = (lock: string): void => {
    const gone = (): void => fail({ code: 'crashed', message: 'the tab that ran the shared client crashed' });
    livenessLost(lock, closed.signal).then(gone, () => {
      // Closed before.
    });
  };
  const hear = checkVersion(
    script,
    (message) => {
      heard();
      if (message.type === 'hello' && message.lock) failWhenGone(message.lock);
      receive(message);
    },
    fail,
  );
  let answered = false;
  const started = new Promise<boolean>((resolve) => {
    let timer: ReturnType<typeof setTimeout>;
    const settle = (begun: boolean): void => {
      clearTimeout(timer);
      resolve(begun);
    };
    function listen(worker: SharedWorker): void {
      const mine = worker.port;
      mine.onmessage = ({ data }: MessageEvent<FromWorker>) => {
        if (!answered) {
          answered = true;
          port = mine;
          for (const other of ports) if (other !== mine) leave(other);
          settle(true);
        }
        if (port === mine) hear(data);
      };
      mine.onmessageerror = () =>
        fail({ code: 'crashed', message: 'a message from the worker could not be read' });
      // Also in browsers without module workers.
      worker.onerror = () => settle(false);
      if (life) mine.postMessage({ type: 'hello', lock: life.name } satisfies ToSharedWorker);
    }
    /** A worker that is about to close may have accepted the page, and never answers. */
    function askAgain(wait: number): void {
      if (wait > longestWait) return;
      timer = setTimeout(() => {
        if (closed.signal.aborted) return;
        listen(knock());
        askAgain(2 * wait);
      }, wait);
    }
    listen(first);
    askAgain(shortestWait);
  });
  if (await started) return { boundary, ready, doubt, shared: true };
  close();
  return undefined;
}

function leave(port: MessagePort): void {
  port.postMessage({ type: 'leave' } satisfies ToSharedWorker);
  port.close();
}
