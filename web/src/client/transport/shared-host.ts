/** One Go program for the pages of an origin, in a SharedWorker. */

import { holdLivenessLock, livenessLost } from '../../platform/liveness-lock';
import type { FromWorker, ToSharedWorker } from '../../protocol/messages';
import workerUrl from '../../worker/shared.ts?worker&url';
import { scriptUrl, wasmFor, withWasm } from './asset-urls';
import { createCalls, type Engine } from './calls';
import { checkVersion } from './worker-version';

/**
 * Undefined where there is no SharedWorker, or the browser does not start one.
 * `onFailed` is called when it started, and its program has ended since. `from`
 * and `wasm` are where its script and the program are, if not where the build has
 * the one, and beside the script.
 *
 * The worker may live in the process of any of its pages, and then ends when
 * that one crashes. An insecure context has no locks to learn it by: there its
 * pages notice nothing, and a page that crashes is a member until the last one
 * is gone.
 */
export async function openSharedWorker(
  onFailed: () => void,
  from?: string,
  wasm?: string,
): Promise<Engine | undefined> {
  if (typeof SharedWorker === 'undefined') return undefined;
  const life = await holdLivenessLock();
  let worker: SharedWorker;
  let script: URL;
  try {
    script = withWasm(from ?? new URL(workerUrl, import.meta.url), wasmFor(from, wasm));
    // Not the other worker's name: webpack makes one script of workers with the same one.
    worker = new SharedWorker(scriptUrl(script), { type: 'module', name: 'mqttwasm-shared' });
  } catch {
    life?.end(); // such as where the user blocks storage, or the script is of another origin
    return undefined;
  }
  const post = (message: ToSharedWorker, transfer: Transferable[] = []): void =>
    worker.port.postMessage(message, transfer);
  const stopFollowing = followPage(post);
  const closed = new AbortController();
  const close = (): void => {
    closed.abort();
    stopFollowing();
    worker.port.close();
    life?.end();
  };
  const { boundary, ready, receive, fail } = createCalls(post, () => {
    onFailed();
    close();
  });
  const failWhenGone = (lock: string): void => {
    const gone = (): void => fail({ code: 'crashed', message: 'the tab that ran the shared client crashed' });
    livenessLost(lock, closed.signal).then(gone, () => {
      // Closed before.
    });
  };
  const hear = checkVersion(
    script,
    (message) => {
      if (message.type === 'hello' && message.lock) failWhenGone(message.lock);
      receive(message);
    },
    fail,
  );
  const started = new Promise<boolean>((resolve) => {
    worker.port.onmessage = ({ data }: MessageEvent<FromWorker>) => {
      resolve(true);
      hear(data);
    };
    // Also where modules are no workers yet.
    worker.onerror = () => resolve(false);
  });
  worker.port.onmessageerror = () =>
    fail({ code: 'crashed', message: 'a message from the worker could not be read' });
  if (life) post({ type: 'hello', lock: life.name });
  if (await started) return { boundary, ready };
  close();
  return undefined;
}

/** A page that is frozen or in the back/forward cache stands still, and must not hold up the others. */
function followPage(post: (message: ToSharedWorker) => void): () => void {
  const freeze = (): void => post({ type: 'freeze' });
  const thaw = (): void => post({ type: 'thaw' });
  const hidden = (event: Event): void => {
    if ((event as PageTransitionEvent).persisted) freeze();
    else post({ type: 'leave' });
  };
  const shown = (event: Event): void => {
    if ((event as PageTransitionEvent).persisted) thaw();
  };
  const listeners: [target: EventTarget, type: string, listener: (event: Event) => void][] = [
    [window, 'pagehide', hidden],
    [window, 'pageshow', shown],
    [document, 'freeze', freeze],
    [document, 'resume', thaw],
  ];
  for (const [target, type, heard] of listeners) target.addEventListener(type, heard);
  return () => {
    for (const [target, type, heard] of listeners) target.removeEventListener(type, heard);
  };
}
