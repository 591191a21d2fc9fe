import { within as settledWithin } from '../platform/deferred';
import type { CallOptions, WireError } from '../protocol/boundary';

/** An error that `dispatcher.ts` carries to the page as it is. */
export function failure(code: string, message: string, detail: Partial<WireError> = {}): Error {
  return Object.assign(new Error(message), { code, ...detail });
}

/** The promise's outcome, unless the time is up first (`timeout`) or the signal fires (`aborted`). */
export function within<T>(promise: Promise<T>, limits: CallOptions, call: string): Promise<T> {
  return settledWithin(
    promise,
    limits,
    () => failure('timeout', `${call}: not done within ${limits.timeout} ms`),
    () => failure('aborted', `${call}: aborted by the caller`),
  );
}
