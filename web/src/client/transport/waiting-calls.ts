import type { CallOptions } from '../../protocol/boundary';
import { aborted, MqttError } from '../errors';

/** A call that waits for a program that is still loading. */
interface Waiting<Opened> {
  run(opened: Opened): void;
  refuse(error: unknown): void;
  bytes: number;
}

export interface Bounds {
  calls: number;
  bytes: number;
}

export type WhenOpen<Opened> = ReturnType<typeof createWaitingRoom<Opened>>;

/**
 * Accepts calls at once: those before `opening` has resolved wait, in order, each within its own
 * time limit and signal, and all within the bounds.
 */
export function createWaitingRoom<Opened>(opening: Promise<Opened>, bounds: Bounds) {
  let open: { to: Opened } | undefined;
  let failed: { error: unknown } | undefined;
  const queue = new Set<Waiting<Opened>>();
  let bytes = 0;

  opening.then(
    (opened) => {
      open = { to: opened };
      for (const waiting of queue) waiting.run(opened);
      queue.clear();
    },
    (error) => {
      failed = { error };
      for (const waiting of queue) waiting.refuse(error);
      queue.clear();
    },
  );

  /** `call` gets `limits` with the remaining time. `size`: bytes that the call holds while it waits. */
  return function whenOpen<T, L extends CallOptions>(
    call: (opened: Opened, limits: L) => Promise<T>,
    limits = {} as L,
    size = 0,
  ): Promise<T> {
    // Then it is called directly: this is the hot path.
    if (open) return call(open.to, limits);
    if (failed) return Promise.reject(failed.error);
    const { signal, timeout = 0 } = limits;
    if (signal?.aborted) return Promise.reject(aborted(signal));
    if (queue.size >= bounds.calls || bytes + size > bounds.bytes) {
      const why =
        size > bounds.bytes
          ? `the payload takes ${size} bytes, and the queue holds at most ${bounds.bytes} (offlineQueue.bytes); raise that, or publish a smaller message`
          : `${queue.size} calls already wait for the client to load; call again when they have been sent`;
      return Promise.reject(new MqttError('queue-full', why));
    }
    const began = performance.now();
    return new Promise((resolve, reject) => {
      const leave = (): void => {
        queue.delete(waiting);
        bytes -= waiting.bytes;
        clearTimeout(timer);
        signal?.removeEventListener('abort', abort);
      };
      const waiting: Waiting<Opened> = {
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
      const late = (): void => waiting.refuse(new MqttError('timeout', 'the client did not load in time'));
      const timer = timeout > 0 ? setTimeout(late, timeout) : undefined;
      signal?.addEventListener('abort', abort);
      queue.add(waiting);
      bytes += size;
    });
  };
}
