/** A port does not tell one end that the other is gone, so each end holds a lock as long as it lives. */

import { deferred } from './deferred';
import { randomHex } from './random';

export interface LivenessLock {
  /** For the other end. */
  name: string;
  end(): void;
  /** Rejects when another one has taken the lock away. */
  over: Promise<void>;
}

/**
 * The browser releases the lock when the page or the worker ends, even by a crash. Undefined if locks
 * are not available: in an insecure context, in a sandboxed frame, or if the user blocks storage.
 */
export async function holdLivenessLock(
  name = `mqttwasm ${randomHex(16)}`,
): Promise<LivenessLock | undefined> {
  if (!navigator.locks) return undefined;
  const { promise: life, resolve: end } = deferred();
  return new Promise((resolve) => {
    const over: Promise<void> = navigator.locks.request(name, () => {
      resolve({ name, end, over });
      return life;
    });
    // A sandboxed frame must not use locks, nor must a page whose storage is blocked.
    over.catch(() => resolve(undefined));
  });
}

/** Resolves when the lock of that name is released. */
export async function livenessLost(name: string): Promise<void> {
  // Not exclusive: several that wait for the same end must not wait for each other.
  await navigator.locks.request(name, { mode: 'shared' }, () => {});
}
