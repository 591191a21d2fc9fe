/** Nothing tells one end of a port that the other is gone, so each holds a lock as long as it lives. */

export interface LivenessLock {
  /** Of the lock, for the other end. */
  name: string;
  end(): void;
}

/**
 * The browser ends it too, with the page or the worker, even by a crash.
 * Undefined where there are no locks to be had: in an insecure context, in a sandboxed
 * frame, or where the user blocks storage.
 */
export async function holdLivenessLock(): Promise<LivenessLock | undefined> {
  if (!navigator.locks) return undefined;
  const name = `mqttwasm ${crypto.randomUUID()}`;
  let end = (): void => {};
  const life = new Promise<void>((resolve) => {
    end = resolve;
  });
  return new Promise((resolve) => {
    navigator.locks
      .request(name, () => {
        resolve({ name, end });
        return life;
      })
      // A sandboxed frame has them, and may not use them; nor may one whose storage is blocked.
      .catch(() => resolve(undefined));
  });
}

/** Resolves when the life of that name is over; rejects when the signal is aborted before. */
export async function livenessLost(name: string, signal?: AbortSignal): Promise<void> {
  // Not an exclusive one: those who wait for the same end must not wait for each other.
  await navigator.locks.request(name, { mode: 'shared', ...(signal && { signal }) }, () => {});
}
