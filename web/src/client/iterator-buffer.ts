import { type Deferred, deferred } from '../platform/deferred';
import { buffersOf } from './message';
import type { Message } from './types';

/** The high-water marks. */
export interface Bounds {
  messages: number;
  /** Of the buffers really held: a message keeps the whole buffer of its batch. */
  bytes: number;
}

/** The buffer of an async iterable, for a reader that is slower than the broker. */
export function createIteratorBuffer(bounds: Bounds) {
  const held = createTally();
  let items: (Message | undefined)[] = [];
  let head = 0;
  const readers: Deferred<IteratorResult<Message, undefined>>[] = [];
  let ended: { error: unknown } | undefined;
  let dropped = 0;
  let room: Deferred<void> | undefined;

  const size = (): number => items.length - head;

  /** Whether the message would exceed the bounds. More messages of a batch that is held cost no bytes. */
  function isFullFor(message: Message): boolean {
    if (size() >= bounds.messages) return true;
    const more = held.more(message);
    return more > 0 && held.bytes() + more > bounds.bytes;
  }

  const hasRoom = (): boolean => size() < bounds.messages && held.bytes() <= bounds.bytes;

  function shift(): Message {
    const message = items[head] as Message;
    items[head] = undefined;
    head++;
    // At least half is consumed: moving the rest is cheap, and keeps the array bounded.
    if (head * 2 >= items.length) {
      items = items.slice(head);
      head = 0;
    }
    held.remove(message);
    if (hasRoom()) openRoom();
    return message;
  }

  function openRoom(): void {
    room?.resolve();
    room = undefined;
  }

  /**
   * Over a high-water mark QoS 0 drops the oldest, and QoS 1 and 2 return a promise that resolves
   * once there is room. With `lossy` every QoS drops. One message is always held, or it would never
   * be read.
   */
  function push(message: Message, lossy: boolean): Promise<void> | undefined {
    if (ended) return;
    const reader = readers.shift();
    if (reader) {
      reader.resolve({ value: message, done: false });
      return;
    }
    const drops = lossy || message.qos === 0;
    while (drops && size() > 0 && isFullFor(message)) {
      dropped++;
      // Never lose an acknowledged message in favour of one that may be lost.
      if (!lossy && items[head]?.qos !== 0) return;
      shift();
    }
    const full = size() >= bounds.messages;
    items.push(message);
    held.add(message);
    if (drops || (!full && held.bytes() <= bounds.bytes)) return;
    room ??= deferred();
    return room.promise;
  }

  function next(): Promise<IteratorResult<Message, undefined>> {
    if (size() > 0) return Promise.resolve({ value: shift(), done: false });
    if (!ended) {
      const reader = deferred<IteratorResult<Message, undefined>>();
      readers.push(reader);
      return reader.promise;
    }
    const { error } = ended;
    ended = { error: undefined };
    return error === undefined ? Promise.resolve({ value: undefined, done: true }) : Promise.reject(error);
  }

  /** What is buffered stays readable; the error, if any, follows it once. */
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
    held.clear();
  }

  return { push, next, end, clear, dropped: () => dropped };
}

/** Counts the bytes of buffers, each once. */
function createTally() {
  const uses = new Map<ArrayBufferLike, { messages: number; bytes: number }>();
  let total = 0;

  function more(message: Message): number {
    let bytes = 0;
    for (const buffer of buffersOf(message)) if (!uses.has(buffer)) bytes += buffer.byteLength;
    return bytes;
  }

  function add(message: Message): void {
    for (const buffer of buffersOf(message)) {
      const use = uses.get(buffer);
      if (use) {
        use.messages++;
        continue;
      }
      // Remembered: a reader may transfer the buffer, which then has no bytes.
      const bytes = buffer.byteLength;
      uses.set(buffer, { messages: 1, bytes });
      total += bytes;
    }
  }

  function remove(message: Message): void {
    for (const buffer of buffersOf(message)) {
      const use = uses.get(buffer);
      if (!use || --use.messages > 0) continue;
      uses.delete(buffer);
      total -= use.bytes;
    }
  }

  function clear(): void {
    uses.clear();
    total = 0;
  }

  return { more, add, remove, clear, bytes: () => total };
}
