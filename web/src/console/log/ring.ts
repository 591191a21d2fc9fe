/**
 * The newest items within two caps, oldest out first. Every item has a number
 * that never changes: the first one pushed is 0.
 */

export interface Sized {
  size: number;
}

export type Ring<T extends Sized> = ReturnType<typeof createRing<T>>;

export function createRing<T extends Sized>(maxItems: number, maxBytes: number) {
  let slots: (T | undefined)[] = [];
  /** The number of the item in the first slot, which is filled first: arrays with gaps are slow. */
  let base = 0;
  let cap = maxBytes;
  let first = 0;
  let end = 0;
  let bytes = 0;

  function evict(): void {
    const slot = (first - base) % maxItems;
    bytes -= slots[slot]?.size ?? 0;
    slots[slot] = undefined;
    first++;
  }

  /** The newest item stays, whatever its size. */
  function push(item: T): void {
    if (end - first === maxItems) evict();
    slots[(end - base) % maxItems] = item;
    end++;
    bytes += item.size;
    shrink();
  }

  function shrink(): void {
    while (bytes > cap && end - first > 1) evict();
  }

  /** An item has become larger by so many bytes. */
  function grow(number: number, by: number): void {
    const item = get(number);
    if (!item) return;
    item.size += by;
    bytes += by;
    shrink();
  }

  function get(number: number): T | undefined {
    return number >= first && number < end ? slots[(number - base) % maxItems] : undefined;
  }

  /** Changes the cap of bytes. */
  function resize(maxBytes: number): void {
    cap = maxBytes;
    shrink();
  }

  /** Numbering continues. */
  function clear(): void {
    slots = [];
    first = end;
    base = end;
    bytes = 0;
  }

  return {
    push,
    clear,
    resize,
    grow,
    get,
    /** The number of the oldest item kept. */
    get first() {
      return first;
    },
    /** One more than the number of the newest. */
    get end() {
      return end;
    },
    get bytes() {
      return bytes;
    },
  };
}
