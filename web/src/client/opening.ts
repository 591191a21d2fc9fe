import type { BoundaryClient, CallOptions } from '../worker/messages';
import { MqttError } from './errors';
import { aborted } from './rpc';

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
export function openingLink(opening: Promise<BoundaryClient>, bounds: Bounds): BoundaryClient {
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
      const full = `${queue.size} calls with ${bytes} bytes wait for the client to load`;
      return Promise.reject(new MqttError('queue-full', `${full}; wait until others were sent`));
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

  // Once it is open nothing stands between: a flood of publishes comes through here.
  return {
    publish: (topic, payload, call) =>
      link?.publish(topic, payload, call) ??
      wait((to, limits) => to.publish(topic, payload, { ...call, ...limits }), call, payload.byteLength),
    request: (topic, payload, call) =>
      link?.request(topic, payload, call) ??
      wait((to, limits) => to.request(topic, payload, { ...call, ...limits }), call, payload.byteLength),
    subscribe: (subscriptions, call) =>
      link?.subscribe(subscriptions, call) ??
      wait((to, limits) => to.subscribe(subscriptions, { ...call, ...limits }), call),
    unsubscribe: (filters, call) =>
      link?.unsubscribe(filters, call) ??
      wait((to, limits) => to.unsubscribe(filters, { ...call, ...limits }), call),
    tellPackets: (call) =>
      link?.tellPackets(call) ?? wait((to, limits) => to.tellPackets({ ...call, ...limits }), call),
    disconnect: (call) =>
      link?.disconnect(call) ?? wait((to, limits) => to.disconnect({ ...call, ...limits }), call),
    reauthenticate: (call) =>
      link?.reauthenticate(call) ?? wait((to, limits) => to.reauthenticate(limits), call),
    suspend: (call) => link?.suspend(call) ?? wait((to, limits) => to.suspend(limits), call),
    resume: (call) => link?.resume(call) ?? wait((to, limits) => to.resume(limits), call),
    wake: (call) => link?.wake(call) ?? wait((to, limits) => to.wake(limits), call),
    ping: (call) => link?.ping(call) ?? wait((to, limits) => to.ping(limits), call),
  };
}
