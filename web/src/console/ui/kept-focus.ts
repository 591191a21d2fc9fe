import type { RefObject } from 'preact';
import { useLayoutEffect } from 'preact/hooks';

/** Where what had the focus within `ref` goes with a render, `next` (a selector within it) gets the focus. */
export function useKeptFocus(ref: RefObject<HTMLElement | null>, next: string): void {
  const had = ref.current?.contains(document.activeElement);
  useLayoutEffect(() => {
    if (had && document.activeElement === document.body) {
      ref.current?.querySelector<HTMLElement>(next)?.focus();
    }
  });
}
