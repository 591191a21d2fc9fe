import { deferred } from '../../platform/deferred';
import type { CallOptions, WireQueue } from '../../protocol/boundary';
import { aborted, limited, MqttError } from '../errors';

/** A message of a call that waits for a program that is still loading. */
interface Waiting {
  size: number;
  refuse(error: MqttError): void;
}

export type WhenOpen<Opened> = ReturnType<typeof createWaitingRoom<Opened>>;

/**
 * Accepts calls at once: those before `opening` has resolved wait, in order, each within its own
 * time limit and signal. Messages wait within the bounds of the queue in which they would wait later.
 */
export function createWaitingRoom<Opened>(opening: Promise<Opened>, bounds: WireQueue = {}) {
  const { messages: most = 100_000, bytes: mostBytes = 64 << 20, policy = 'reject' } = bounds;
  let open: Opened | undefined;
  let calls = 0;
  /** The oldest is the first. */
  const messages = new Set<Waiting>();
  let bytes = 0;
  opening.then(
    (opened) => {
      open = opened;
    },
    () => {}, // each call rejects
  );

  function makeRoom(size: number): void {
    if (size > mostBytes) {
      throw new MqttError(
        'queue-full',
        `${size} bytes are more than offlineQueue.bytes, ${mostBytes}: raise that, or publish a smaller message`,
      );
    }
    while (messages.size >= most || bytes + size > mostBytes) {
      const full = `${messages.size} messages already wait for the client to load`;
      if (policy === 'reject') throw new MqttError('queue-full', `${full}; publish again later`);
      const error = new MqttError('dropped', `${full}; ${policy} dropped this one`);
      const [oldest] = messages;
      if (policy === 'drop-newest' || !oldest) throw error;
      leave(oldest);
      oldest.refuse(error);
    }
  }

  function leave(message: Waiting): void {
    if (messages.delete(message)) bytes -= message.size;
  }

  async function wait<T, L extends CallOptions>(
    call: (opened: Opened, limits: L) => Promise<T>,
    limits: L,
    size: number | undefined,
  ): Promise<T> {
    const { signal, timeout = 0 } = limits;
    if (signal?.aborted) throw aborted(signal);
    const { promise: refused, reject: refuse } = deferred<never>();
    const message = { size: size ?? 0, refuse };
    if (size !== undefined) {
      makeRoom(size);
      messages.add(message);
      bytes += size;
    }
    const began = performance.now();
    let opened: Opened;
    calls++;
    try {
      opened = await limited(Promise.race([opening, refused]), limits, 'the client did not load in time');
    } finally {
      calls--;
      leave(message);
    }
    const left = timeout > 0 ? Math.max(1, Math.ceil(timeout - (performance.now() - began))) : timeout;
    return call(opened, { ...limits, timeout: left });
  }

  /** `call` gets `limits` with the remaining time. `size`: bytes of the message that it sends. */
  return function whenOpen<T, L extends CallOptions>(
    call: (opened: Opened, limits: L) => Promise<T>,
    limits = {} as L,
    size?: number,
  ): Promise<T> {
    // The hot path. A call that came before and is about to be made must not be overtaken.
    return open && calls === 0 ? call(open, limits) : wait(call, limits, size);
  };
}
