/** One Go program for the pages of an origin, in a SharedWorker. */

import type { Boundary, FromWorker, ToSharedWorker } from '../worker/messages';
import { createRpc } from './rpc';

/**
 * Undefined where there is no SharedWorker, or the browser does not start one.
 * `onFailed` is called when it started, and its program has ended since.
 */
export async function openSharedWorker(onFailed: () => void): Promise<Boundary | undefined> {
  if (typeof SharedWorker === 'undefined') return undefined;
  const lock = await holdLock();
  let worker: SharedWorker;
  try {
    worker = new SharedWorker(new URL('../worker/shared.ts', import.meta.url), {
      type: 'module',
      name: 'mqttwasm',
    });
  } catch {
    lock?.release(); // such as where the user blocks storage
    return undefined;
  }
  const post = (message: ToSharedWorker, transfer: Transferable[] = []): void =>
    worker.port.postMessage(message, transfer);
  const stopFollowing = followPage(post);
  const close = (): void => {
    stopFollowing();
    worker.port.close();
    lock?.release();
  };
  const { boundary, receive, fail } = createRpc(post, () => {
    onFailed();
    close();
  });
  const started = new Promise<boolean>((resolve) => {
    worker.port.onmessage = ({ data }: MessageEvent<FromWorker>) => {
      resolve(true);
      receive(data);
    };
    // Also where modules are no workers yet.
    worker.onerror = () => resolve(false);
  });
  worker.port.onmessageerror = () =>
    fail({ code: 'crashed', message: 'a message from the worker could not be read' });
  if (lock) post({ type: 'hello', lock: lock.name });
  if (await started) return boundary;
  close();
  return undefined;
}

/**
 * Nothing tells a worker that the other end of a port is gone. So each page
 * holds a lock, which the worker gets when the page has ended, even by a crash.
 */
async function holdLock(): Promise<{ name: string; release(): void } | undefined> {
  // An insecure context has no locks. There the word of `pagehide` must do, and
  // a page that crashes is a member until the last page is gone.
  if (!navigator.locks) return undefined;
  const name = `mqttwasm ${crypto.randomUUID()}`;
  let release = (): void => {};
  const held = new Promise<void>((resolve) => {
    release = resolve;
  });
  await new Promise<void>((resolve) => {
    void navigator.locks.request(name, () => {
      resolve();
      return held;
    });
  });
  return { name, release };
}

/** A page in the back/forward cache stands still, and must not hold up the others. */
function followPage(post: (message: ToSharedWorker) => void): () => void {
  const hidden = ({ persisted }: PageTransitionEvent): void => post({ type: persisted ? 'pause' : 'leave' });
  const shown = ({ persisted }: PageTransitionEvent): void => {
    if (persisted) post({ type: 'resume' });
  };
  addEventListener('pagehide', hidden);
  addEventListener('pageshow', shown);
  return () => {
    removeEventListener('pagehide', hidden);
    removeEventListener('pageshow', shown);
  };
}
