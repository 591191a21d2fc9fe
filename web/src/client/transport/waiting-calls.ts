import { within } from '../../platform/deferred';
import type { CallOptions } from '../../protocol/boundary';
import { aborted, MqttError } from '../errors';

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
  let waiting = 0;
  let bytes = 0;
  opening.then(
    (opened) => {
      open = { to: opened };
    },
    () => {}, // each call rejects
  );

  async function wait<T, L extends CallOptions>(
    call: (opened: Opened, limits: L) => Promise<T>,
    limits: L,
    size: number,
  ): Promise<T> {
    const { signal, timeout = 0 } = limits;
    if (waiting >= bounds.calls || bytes + size > bounds.bytes) {
      const why =
        size > bounds.bytes
          ? `${size} bytes are more than offlineQueue.bytes, ${bounds.bytes}: raise that, or publish a smaller message`
          : `${waiting} calls already wait for the client to load; call again when they have been sent`;
      throw new MqttError('queue-full', why);
    }
    const began = performance.now();
    const late = (): MqttError => new MqttError('timeout', 'the client did not load in time');
    let opened: Opened;
    waiting++;
    bytes += size;
    try {
      opened = await within(opening, limits, late, () => aborted(signal));
    } finally {
      waiting--;
      bytes -= size;
    }
    const left = timeout > 0 ? Math.max(1, Math.ceil(timeout - (performance.now() - began))) : timeout;
    return call(opened, { ...limits, timeout: left });
  }

  /** `call` gets `limits` with the remaining time. `size`: bytes that the call holds while it waits. */
  return function whenOpen<T, L extends CallOptions>(
    call: (opened: Opened, limits: L) => Promise<T>,
    limits = {} as L,
    size = 0,
  ): Promise<T> {
    // The hot path. A call that came before and is about to be made must not be overtaken.
    return open && waiting === 0 ? call(open.to, limits) : wait(call, limits, size);
  };
}
