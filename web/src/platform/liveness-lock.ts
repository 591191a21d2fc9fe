/** A port does not tell one end that the other is gone, so each end holds a lock as long as it lives. */

import { deferred } from './deferred';

/**
 * `name` is for the other end. The browser releases the lock when the page or the worker ends, even
 * by a crash. Undefined if locks are not available: in an insecure context, in a sandboxed frame, or
 * if the user blocks storage.
 */
export async function holdLivenessLock(): Promise<{ name: string; end(): void } | undefined> {
  if (!navigator.locks) return undefined;
  const name = `mqttwasm ${crypto.randomUUID()}`;
  const { promise: life, resolve: end } = deferred();
  return new Promise((resolve) => {
    navigator.locks
      .request(name, () => {
        resolve({ name, end });
        return life;
      })
      // A sandboxed frame must not use locks, nor must a page whose storage is blocked.
      .catch(() => resolve(undefined));
  });
}

/** Resolves when the lock of that name is released; rejects when the signal is aborted before. */
export async function livenessLost(name: string, signal?: AbortSignal): Promise<void> {
  // Not exclusive: several that wait for the same end must not wait for each other.
  await navigator.locks.request(name, { mode: 'shared', ...(signal && { signal }) }, () => {});
}
