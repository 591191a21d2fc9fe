/**
 * The newest items within two caps, oldest out first. Every item has a number
 * that never changes: the first one pushed is 0.
 */

export interface Sized {
  readonly size: number;
}

export type Ring<T extends Sized> = ReturnType<typeof createRing<T>>;

export function createRing<T extends Sized>(maxItems: number, maxBytes: number) {
  const slots: (T | undefined)[] = [];
  let first = 0;
  let end = 0;
  let bytes = 0;

  function evict(): void {
    const slot = first % maxItems;
    bytes -= slots[slot]?.size ?? 0;
    slots[slot] = undefined;
    first++;
  }

  /** The newest item stays, whatever its size. */
  function push(item: T): void {
    if (end - first === maxItems) evict();
    slots[end % maxItems] = item;
    end++;
    bytes += item.size;
    while (bytes > maxBytes && end - first > 1) evict();
  }

  /** Numbering goes on where it was. */
  function clear(): void {
    slots.length = 0;
    first = end;
    bytes = 0;
  }

  return {
    push,
    clear,
    get: (number: number): T | undefined =>
      number >= first && number < end ? slots[number % maxItems] : undefined,
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
