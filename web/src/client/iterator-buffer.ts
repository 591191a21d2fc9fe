import type { Message } from './types';

interface Reader {
  resolve(result: IteratorResult<Message, undefined>): void;
  reject(error: unknown): void;
}

export type Queue = ReturnType<typeof createIteratorBuffer>;

/** What an async iterable holds for a reader that is slower than the broker. */
export function createIteratorBuffer(highWaterMark: number) {
  let items: (Message | undefined)[] = [];
  let head = 0;
  const readers: Reader[] = [];
  let ended: { error: unknown } | undefined;
  let dropped = 0;
  let room: { promise: Promise<void>; open: () => void } | undefined;

  const size = (): number => items.length - head;

  function shift(): Message {
    const message = items[head] as Message;
    items[head] = undefined;
    head++;
    // Half of it used up: cheap enough to move, and bounded.
    if (head * 2 >= items.length) {
      items = items.slice(head);
      head = 0;
    }
    if (size() < highWaterMark) openRoom();
    return message;
  }

  function openRoom(): void {
    room?.open();
    room = undefined;
  }

  /**
   * Over the high-water mark QoS 0 drops the oldest, and QoS 1 and 2 return a
   * promise that resolves once there is room. With `lossy` every QoS drops.
   */
  function push(message: Message, lossy: boolean): Promise<void> | undefined {
    if (ended) return;
    const reader = readers.shift();
    if (reader) {
      reader.resolve({ value: message, done: false });
      return;
    }
    const full = size() >= highWaterMark;
    if (full && (lossy || message.qos === 0)) {
      dropped++;
      // Never lose an acknowledged message in favour of one that may be lost.
      if (!lossy && items[head]?.qos !== 0) return;
      shift();
    }
    items.push(message);
    if (!full || lossy || message.qos === 0) return;
    if (!room) {
      let open = (): void => {};
      const promise = new Promise<void>((resolve) => {
        open = resolve;
      });
      room = { promise, open };
    }
    return room.promise;
  }

  function next(): Promise<IteratorResult<Message, undefined>> {
    if (size() > 0) return Promise.resolve({ value: shift(), done: false });
    if (!ended) return new Promise((resolve, reject) => readers.push({ resolve, reject }));
    const { error } = ended;
    ended = { error: undefined };
    return error === undefined ? Promise.resolve({ value: undefined, done: true }) : Promise.reject(error);
  }

  /** What is in the queue stays readable; the error, if any, follows it once. */
  function end(error?: unknown): void {
    if (ended) return;
    ended = { error };
    openRoom();
    for (const reader of readers.splice(0)) {
      if (ended.error === undefined) reader.resolve({ value: undefined, done: true });
      else reader.reject(ended.error);
      ended.error = undefined;
    }
  }

  function clear(): void {
    items = [];
    head = 0;
  }

  return { push, next, end, clear, dropped: () => dropped };
}
