import type { CallOptions, WireError } from '../protocol/boundary';

/** An error that `dispatcher.ts` carries to the page as it is. */
export function failure(code: string, message: string, detail: Partial<WireError> = {}): Error {
  return Object.assign(new Error(message), { code, ...detail });
}

/** The promise's outcome, unless the time is up first (`timeout`) or the signal fires (`aborted`). */
export function within<T>(promise: Promise<T>, limits: CallOptions, call: string): Promise<T> {
  const { timeout = 0, signal } = limits;
  return new Promise((resolve, reject) => {
    const abort = (): void => reject(failure('aborted', `${call}: aborted by the caller`));
    if (signal?.aborted) abort();
    signal?.addEventListener('abort', abort);
    const late = (): void => reject(failure('timeout', `${call}: not done within ${timeout} ms`));
    const timer = timeout > 0 ? setTimeout(late, timeout) : undefined;
    promise.then(resolve, reject).finally(() => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', abort);
    });
  });
}
