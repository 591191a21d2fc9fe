import type { BoundarySink, ClientEvent } from './messages';
import type { Part } from './split';

/** One page's place at a connection that several share: what it gets, and whether it takes it. */
export interface Seat {
  readonly sink: BoundarySink;
  /** It is to be told of packets. */
  packets: boolean;
  /** It has heard of a connection; before that no event concerns it. */
  readonly admitted: boolean;
  /** Settles by `admit` or `refuse`. */
  readonly admission: Promise<void>;
  /** Its page stands still, or is gone: it gets nothing, and nobody waits for it. */
  readonly away: boolean;
  /** `standing` are the events that tell how things stand. */
  admit(standing: ClientEvent[]): void;
  refuse(error: unknown): void;
  tell(event: ClientEvent): void;
  /** Resolves when it has taken the messages, or is away. */
  deliver(part: Part, dropped: number): Promise<void>;
  /** Resolves with undefined, whatever the promise does later, when it goes away before. */
  unlessAway<T>(promise: Promise<T>): Promise<T | undefined>;
  goAway(): void;
  comeBack(standing: ClientEvent[]): void;
  /** Goes away for ever. */
  leave(): void;
}

export function createSeat(sink: BoundarySink, packets: boolean): Seat {
  let admitted = false;
  let away = false;
  let left = false;
  /** Something changed while it was away. */
  let missed = false;
  /** It has not taken its last batch yet. */
  let busy: Promise<void> | undefined;
  const whenAway = new Set<() => void>();
  let settle = { resolve(): void {}, reject(_error: unknown): void {} };
  const admission = new Promise<void>((resolve, reject) => {
    settle = { resolve, reject };
  });

  function tell(event: ClientEvent): void {
    if (away) missed = true;
    else sink.onEvent(event);
  }

  function unlessAway<T>(promise: Promise<T>): Promise<T | undefined> {
    return new Promise((resolve, reject) => {
      const stop = (): void => resolve(undefined);
      whenAway.add(stop);
      promise.then(resolve, reject).finally(() => whenAway.delete(stop));
    });
  }

  function goAway(): void {
    away = true;
    for (const stop of whenAway) stop();
  }

  return {
    sink,
    packets,
    get admitted() {
      return admitted;
    },
    admission,
    get away() {
      return away;
    },
    admit(standing) {
      admitted = true;
      for (const event of standing) tell(event);
      settle.resolve();
    },
    refuse: (error) => settle.reject(error),
    tell,
    async deliver({ buffer, count }, dropped) {
      if (busy) {
        // It was away, and is still at what it got before.
        await unlessAway(busy);
        if (away) return;
      }
      const taken = sink.onBatch(buffer, count, dropped);
      if (!taken) return;
      busy = taken.finally(() => {
        busy = undefined;
      });
      await unlessAway(busy);
    },
    unlessAway,
    goAway,
    comeBack(standing) {
      if (left) return;
      away = false;
      if (!missed) return;
      missed = false;
      for (const event of standing) sink.onEvent(event);
    },
    leave() {
      left = true;
      goAway();
    },
  };
}
