/** A promise, and what settles it. */
export interface Deferred<T> {
  promise: Promise<T>;
  resolve(value: T | PromiseLike<T>): void;
  reject(error: unknown): void;
}

/** `Promise.withResolvers`, which not every browser has yet. */
export function deferred<T = void>(): Deferred<T> {
  const settle = {} as Omit<Deferred<T>, 'promise'>;
  const promise = new Promise<T>((resolve, reject) => Object.assign(settle, { resolve, reject }));
  return { promise, ...settle };
}

/**
 * The promise's outcome, unless the time is up or the signal fires first: then it rejects with what
 * `late` or `aborted` returns. `timeout` is in milliseconds; 0 is no limit.
 */
export function within<T>(
  promise: Promise<T>,
  { timeout = 0, signal }: { timeout?: number | undefined; signal?: AbortSignal | undefined },
  late: () => unknown,
  aborted: () => unknown,
): Promise<T> {
  const { promise: outcome, resolve, reject } = deferred<T>();
  const abort = (): void => reject(aborted());
  const timer = timeout > 0 ? setTimeout(() => reject(late()), timeout) : undefined;
  signal?.addEventListener('abort', abort);
  if (signal?.aborted) abort();
  promise.then(resolve, reject);
  const stop = (): void => {
    clearTimeout(timer);
    signal?.removeEventListener('abort', abort);
  };
  outcome.then(stop, stop);
  return outcome;
}
