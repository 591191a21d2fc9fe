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

/** Milliseconds by which a timer is late where nothing ran meanwhile: the page was blocked, or asleep. */
const lateness = 500;

/**
 * Calls `over` after so many milliseconds, unless the returned function is called before. Where
 * nothing ran meanwhile, what arrived is handled first: browsers may run timers before messages.
 */
export function timeLimit(time: number, over: () => void): () => void {
  const began = performance.now();
  let timer = setTimeout(() => {
    if (performance.now() - began - time < lateness) over();
    else timer = setTimeout(over, lateness);
  }, time);
  return () => clearTimeout(timer);
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
  const stopTimer = timeout > 0 ? timeLimit(timeout, () => reject(late())) : undefined;
  signal?.addEventListener('abort', abort);
  if (signal?.aborted) abort();
  promise.then(resolve, reject);
  const stop = (): void => {
    stopTimer?.();
    signal?.removeEventListener('abort', abort);
  };
  outcome.then(stop, stop);
  return outcome;
}
