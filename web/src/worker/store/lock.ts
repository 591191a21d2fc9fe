import type { WireError } from '../../protocol/boundary';

/**
 * Acquires the store's Web Lock and resolves with a function that releases it. The browser also
 * releases it when this worker or page ends, however it ends.
 *
 * Waits `patience` milliseconds while another client has it, then rejects with `in-use`. Insecure
 * contexts have no Web Locks: there the last one that opens the database has it.
 */
export async function lock(name: string, patience: number): Promise<() => void> {
  const locks = globalThis.navigator?.locks;
  if (!locks) return () => {};
  const signal = AbortSignal.timeout(patience);
  return new Promise((taken, refused) => {
    // With a prefix, because a lock's name must not begin with "-".
    locks
      .request(`mqttwasm:${name}`, { signal }, () => new Promise<void>((release) => taken(release)))
      .catch((error) => refused(signal.aborted ? inUse(name) : refusal(error)));
  });
}

export const inUse = (name: string): WireError => ({
  code: 'in-use',
  message:
    `another client has the session store ${JSON.stringify(name)} open, here or in another tab: ` +
    'share one connection between them with `shared: true`, or use another `clientId`',
});

const refusal = (error: unknown): WireError => ({
  code: 'storage',
  message: `the browser did not give a lock for the session store: ${error}. Leave \`store\` out to keep the session in memory`,
});
