/**
 * The names of shared workers. A page can't end a shared worker: as long as one of its pages lives,
 * whoever asks for its name gets it, even if it is stuck in a loop. So another name has to be asked
 * for then, and by all pages the same one, also by those that come later.
 *
 * A worker holds a lock of its name as long as it lives. A page that finds it stuck takes that lock
 * away. The pages of a worker wait for its lock in `shared` mode, and once they have it they keep it:
 * that ends the use of this name, and the next one has a higher number.
 */

const first = 'mqttwasm-shared';

/** The lock of the worker with that name and address. */
export const workerLock = (name: string, script: string): string => `${script} ${name}`;

export interface SharedWorkerName {
  name: string;
  lock: string;
  /** Whether its script has begun to run, so that it should answer. */
  runs: boolean;
}

/** The one to ask for now. Without locks it is always the first one. */
export async function currentWorker(script: string): Promise<SharedWorkerName> {
  const prefix = workerLock(first, script);
  let number = 0;
  let runs = false;
  const { held = [] } = (await navigator.locks?.query().catch(() => undefined)) ?? {};
  for (const { name = '', mode } of held) {
    if (!name.startsWith(prefix)) continue;
    const next = Number(name.slice(prefix.length)) + (mode === 'shared' ? 1 : 0);
    if (next > number) runs = false;
    if (next >= number && mode === 'exclusive') runs = true;
    number = Math.max(number, next);
  }
  const name = number === 0 ? first : `${first} ${number}`;
  return { name, lock: workerLock(name, script), runs };
}

/** Calls `gone` when the worker is gone or has been given up, and no page is to ask for it again. */
export function followWorker(lock: string, signal: AbortSignal, gone: () => void): void {
  hold(lock, gone, signal);
}

/** No page is to use the worker any more, since it does not answer. It ends itself if it runs again. */
export function giveUpWorker(lock: string): void {
  hold(lock);
  navigator.locks?.request(lock, { steal: true }, () => {}).catch(ignored);
}

/** Acquires the lock when it is released, and keeps it as long as the page lives. */
function hold(lock: string, acquired = (): void => {}, signal?: AbortSignal): void {
  const forEver = (): Promise<never> => {
    acquired();
    return new Promise(() => {});
  };
  navigator.locks?.request(lock, { mode: 'shared', ...(signal && { signal }) }, forEver).catch(ignored);
}

/** Aborted before, or taken away by a page that gave the worker up at the same time and holds it as well. */
function ignored(): void {}
