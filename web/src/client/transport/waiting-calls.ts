import type { BoundaryClient, CallOptions } from '../../protocol/boundary';
import { type Method, optionsAt } from '../../protocol/messages';
import { aborted, MqttError } from '../errors';

/** What waits for a program that is still loading. */
interface Waiting {
  run(link: BoundaryClient): void;
  refuse(error: unknown): void;
  bytes: number;
}

export interface Bounds {
  calls: number;
  bytes: number;
}

/**
 * A client of the boundary from the first moment on: what is called before
 * `opening` has resolved waits, in the order of the calls, within its own time
 * limit and signal, and within the bounds.
 */
export function waitingCalls(opening: Promise<BoundaryClient>, bounds: Bounds): BoundaryClient {
  let link: BoundaryClient | undefined;
  let failed: { error: unknown } | undefined;
  const queue = new Set<Waiting>();
  let bytes = 0;

  opening.then(
    (opened) => {
      link = opened;
      for (const waiting of queue) waiting.run(opened);
      queue.clear();
    },
    (error) => {
      failed = { error };
      for (const waiting of queue) waiting.refuse(error);
      queue.clear();
    },
  );

  /** `call` gets what is left of the limits. */
  function wait<T>(
    call: (link: BoundaryClient, limits: CallOptions) => Promise<T>,
    limits: CallOptions = {},
    size = 0,
  ): Promise<T> {
    if (failed) return Promise.reject(failed.error);
    const { signal, timeout = 0 } = limits;
    if (signal?.aborted) return Promise.reject(aborted(signal));
    if (queue.size >= bounds.calls || bytes + size > bounds.bytes) {
      const full = `${queue.size} calls wait for the client to load`;
      return Promise.reject(new MqttError('queue-full', `${full}; wait until they were sent`));
    }
    const began = performance.now();
    return new Promise((resolve, reject) => {
      const leave = (): void => {
        queue.delete(waiting);
        bytes -= waiting.bytes;
        clearTimeout(timer);
        signal?.removeEventListener('abort', abort);
      };
      const waiting: Waiting = {
        bytes: size,
        run(opened) {
          leave();
          const left = timeout > 0 ? Math.max(1, Math.ceil(timeout - (performance.now() - began))) : timeout;
          call(opened, { ...limits, timeout: left }).then(resolve, reject);
        },
        refuse(error) {
          leave();
          reject(error);
        },
      };
      const abort = (): void => waiting.refuse(aborted(signal));
      const late = (): void => waiting.refuse(new MqttError('timeout', 'the client has not loaded in time'));
      const timer = timeout > 0 ? setTimeout(late, timeout) : undefined;
      signal?.addEventListener('abort', abort);
      queue.add(waiting);
      bytes += size;
    });
  }

  const early = Object.entries<number>(optionsAt).map(([name, at]) => {
    const call = (to: BoundaryClient, args: unknown[]): Promise<unknown> =>
      (to[name as Method] as (...args: unknown[]) => Promise<unknown>)(...args);
    return [
      name,
      // Once it is open nothing stands between: a flood comes through here.
      (...given: unknown[]) => {
        if (link) return call(link, given);
        const limits = given[at] as CallOptions | undefined;
        const [, payload] = given;
        return wait(
          (to, left) => call(to, given.toSpliced(at, 1, { ...limits, ...left })),
          limits,
          payload instanceof Uint8Array ? payload.byteLength : 0,
        );
      },
    ];
  });
  return Object.fromEntries(early);
}
