type Listener<Arguments extends unknown[]> = (...args: Arguments) => void;

interface Entry<Arguments extends unknown[]> {
  listener: Listener<Arguments>;
  /** Whether it is called one more time only, or was. */
  once: 'no' | 'ahead' | 'over';
}

export type Emitter<Events extends Record<keyof Events, unknown[]>> = ReturnType<
  typeof createEmitter<Events>
>;

/** Listeners by event name, called in the order added, with `target` as their `this`. */
export function createEmitter<Events extends Record<keyof Events, unknown[]>>(target?: object) {
  const entries: { [E in keyof Events]?: Entry<Events[E]>[] } = {};

  function add<E extends keyof Events>(event: E, listener: Listener<Events[E]>, once: boolean): void {
    // A new array each time, so that an emit in progress continues with the old one.
    entries[event] = [...(entries[event] ?? []), { listener, once: once ? 'ahead' : 'no' }];
  }

  /** Removes the one added last, as Node's emitter does. */
  function remove<E extends keyof Events>(event: E, listener: Listener<Events[E]>): void {
    const last = entries[event]?.findLast((entry) => entry.listener === listener);
    if (last) removeEntry(event, last);
  }

  function removeEntry<E extends keyof Events>(event: E, gone: Entry<Events[E]>): void {
    entries[event] = entries[event]?.filter((entry) => entry !== gone) ?? [];
  }

  /** Removes all listeners, of one event or of all. */
  function clear(event?: keyof Events): void {
    for (const name of event === undefined ? (Object.keys(entries) as (keyof Events)[]) : [event]) {
      delete entries[name];
    }
  }

  function emit<E extends keyof Events>(event: E, ...args: Events[E]): void {
    for (const entry of entries[event] ?? []) {
      // A listener before it may have emitted the same event, to the new array.
      if (entry.once === 'over') continue;
      if (entry.once === 'ahead') {
        entry.once = 'over';
        removeEntry(event, entry);
      }
      try {
        entry.listener.apply(target, args);
      } catch (error) {
        report(error);
      }
    }
  }

  function listens(event: keyof Events): boolean {
    return (entries[event]?.length ?? 0) > 0;
  }

  return { add, remove, clear, emit, listens };
}

/** Reports an error of a listener to the page, without affecting other listeners. */
export function report(error: unknown): void {
  if (typeof reportError === 'function') reportError(error);
  else
    queueMicrotask(() => {
      throw error;
    });
}
