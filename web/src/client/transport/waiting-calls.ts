import { deferred, within } from '../../platform/deferred';
import type { CallOptions, WireQueue } from '../../protocol/boundary';
import { aborted, MqttError } from '../errors';

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
  const { messages: most = 100_000, bytes: mostBytes = 64 << 20, policy } = bounds;
  let open: { to: Opened } | undefined;
  let calls = 0;
  /** The oldest is the first. */
  const messages = new Set<Waiting>();
  let bytes = 0;
  opening.then(
    (opened) => {
      open = { to: opened };
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
      if (policy === 'drop-newest') throw new MqttError('dropped', `${full}; the newest was dropped`);
      const [oldest] = messages;
      if (policy !== 'drop-oldest' || !oldest) {
        throw new MqttError('queue-full', `${full}; publish again when they have been sent`);
      }
      leave(oldest);
      oldest.refuse(new MqttError('dropped', `${full}; the oldest was dropped`));
    }
  }

  function enter(size: number): { place: Waiting; refused: Promise<never> } {
    makeRoom(size);
    const { promise: refused, reject: refuse } = deferred<never>();
    const place = { size, refuse };
    messages.add(place);
    bytes += size;
    return { place, refused };
  }

  function leave(place: Waiting): void {
    if (messages.delete(place)) bytes -= place.size;
  }

  async function wait<T, L extends CallOptions>(
    call: (opened: Opened, limits: L) => Promise<T>,
    limits: L,
    size: number | undefined,
  ): Promise<T> {
    const { signal, timeout = 0 } = limits;
    if (signal?.aborted) throw aborted(signal);
    const held = size === undefined ? undefined : enter(size);
    const began = performance.now();
    const late = (): MqttError => new MqttError('timeout', 'the client did not load in time');
    let opened: Opened;
    calls++;
    try {
      // A race for all, or some would be made later than others that came after.
      const ready = Promise.race(held ? [opening, held.refused] : [opening]);
      opened = await within(ready, limits, late, () => aborted(signal));
    } finally {
      calls--;
      if (held) leave(held.place);
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
    return open && calls === 0 ? call(open.to, limits) : wait(call, limits, size);
  };
}
