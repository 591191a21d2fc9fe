/**
 * The names of shared workers. A page can't end a shared worker: as long as one of its pages lives,
 * whoever asks for its name gets it, even if it is stuck in a loop. So another name has to be asked
 * for then, and by all pages the same one, also by those that come later.
 *
 * A worker holds a lock of its name as long as it lives. A page that finds it stuck takes that lock
 * away. The pages of a worker wait for its lock, and once they have it they keep it, so that none of
 * that name runs again, and a second one, which says that its name is over. The next has a higher
 * number.
 */

const first = 'mqttwasm-shared';

/** The lock of the worker with that name and address. */
export const workerLock = (name: string, script: string): string => `${script} ${name}`;

const overLock = (lock: string): string => `${lock} over`;

export interface SharedWorkerName {
  name: string;
  lock: string;
  /** Whether its script has begun to run, so that it should answer. */
  runs: boolean;
}

/** The one to ask for now. Without locks it is always the first one. */
export async function currentWorker(script: string): Promise<SharedWorkerName> {
  for (let number = 0; ; number++) {
    const name = number === 0 ? first : `${first} ${number}`;
    const lock = workerLock(name, script);
    if (!(await isHeld(overLock(lock)))) return { name, lock, runs: await isHeld(lock) };
    holdOver(lock); // the pages that said so may be gone before this one
  }
}

/** Calls `gone` when the worker is gone or has been given up, and no page is to ask for it again. */
export function followWorker(lock: string, signal: AbortSignal, gone: () => void): void {
  const over = (): void => {
    holdOver(lock);
    gone();
  };
  hold(lock, { mode: 'shared', signal }, over);
}

/** No page is to use the worker any more, since it does not answer. It ends itself if it runs again. */
export function giveUpWorker(lock: string): void {
  holdOver(lock);
  hold(lock, { mode: 'shared' });
  navigator.locks?.request(lock, { steal: true }, () => {}).catch(ignored);
}

/** Whether it is held exclusively. `query` would say so, but throws pages out of the back/forward cache. */
async function isHeld(lock: string): Promise<boolean> {
  const asked = navigator.locks?.request(lock, { mode: 'shared', ifAvailable: true }, (got) => got === null);
  return (await asked?.catch(ignored)) ?? false;
}

const over = new Set<string>();

function holdOver(lock: string): void {
  if (over.has(lock)) return;
  over.add(lock);
  hold(overLock(lock), {});
}

/** Acquires the lock when it is released, and keeps it as long as the page lives. */
function hold(lock: string, options: LockOptions, acquired = (): void => {}): void {
  const forEver = (): Promise<never> => {
    acquired();
    return new Promise(() => {});
  };
  navigator.locks?.request(lock, options, forEver).catch(ignored);
}

/** Aborted before, taken away by a page that gave the worker up at the same time, or not allowed. */
function ignored(): undefined {}
