interface Request {
  mode: LockMode;
  grant(): void;
  /** Ends a hold that is taken away. */
  lose(): void;
}

type Options = { mode?: LockMode; steal?: boolean; ifAvailable?: boolean; signal?: AbortSignal };

/** As much of Web Locks as there is to need, for tests. */
export function scriptedLocks() {
  /** The holders of each name, of which there are several only in mode `shared`. */
  const holders = new Map<string, Request[]>();
  const waiting = new Map<string, Request[]>();

  function grantable(name: string, mode: LockMode): boolean {
    const [held] = holders.get(name) ?? [];
    return !held || (mode === 'shared' && held.mode === 'shared');
  }

  function settle(name: string): void {
    const [next, ...others] = waiting.get(name) ?? [];
    if (!next || !grantable(name, next.mode)) return;
    waiting.set(name, others);
    holders.set(name, [...(holders.get(name) ?? []), next]);
    next.grant();
    settle(name);
  }

  const drop = (from: Map<string, Request[]>, name: string, request: Request): void => {
    from.set(
      name,
      (from.get(name) ?? []).filter((other) => other !== request),
    );
    settle(name);
  };

  function request(name: string, ...rest: unknown[]): Promise<void> {
    const run = rest.at(-1) as (lock: object | null) => Promise<void> | undefined;
    const { mode = 'exclusive', steal, ifAvailable, signal } = (rest.length > 1 ? rest[0] : {}) as Options;
    return new Promise((resolve, reject) => {
      const mine: Request = {
        mode,
        grant: () =>
          void Promise.resolve()
            .then(() => run({}))
            .then(resolve, reject)
            .then(() => drop(holders, name, mine)),
        lose: () => reject(new DOMException('taken away', 'AbortError')),
      };
      const before = waiting.get(name) ?? [];
      waiting.set(name, steal ? [mine, ...before] : [...before, mine]);
      if (steal) free(name);
      if (ifAvailable && !grantable(name, mode)) {
        waiting.set(name, before);
        resolve(run(null));
        return;
      }
      signal?.addEventListener('abort', () => {
        drop(waiting, name, mine);
        reject(signal.reason);
      });
      settle(name);
    });
  }

  /** Takes it from its holders, as when their process ends. */
  function free(name: string): void {
    const held = holders.get(name) ?? [];
    holders.delete(name);
    for (const { lose } of held) lose();
    settle(name);
  }

  return {
    locks: { request },
    /** Of locks that are held. */
    names: (): string[] => [...holders].flatMap(([name, requests]) => (requests.length > 0 ? [name] : [])),
    /** How many wait. */
    waiting: (): number => [...waiting.values()].flat().length,
    /** Holds it like another page or a worker. Resolves when it has been taken away. */
    hold: (name: string): Promise<void> => request(name, () => new Promise(() => {})).catch(() => {}),
    free,
  };
}
