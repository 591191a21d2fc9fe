/** What opens beside a list takes the focus, and Escape closes it. */

import { useLayoutEffect, useRef } from 'preact/hooks';

/** A ref for the panel. `number` says what is open, and is undefined while nothing is. */
export function usePanel(number: number | undefined, close: () => void) {
  const panel = useRef<HTMLElement>(null);

  useLayoutEffect(() => {
    if (number !== undefined) panel.current?.focus({ preventScroll: true });
  }, [number]);

  // In time for a key that is pressed as soon as the panel has the focus.
  useLayoutEffect(() => {
    if (number === undefined) return;
    const onKeyDown = (event: KeyboardEvent) => {
      if (event.key === 'Escape') close();
    };
    document.addEventListener('keydown', onKeyDown);
    return () => document.removeEventListener('keydown', onKeyDown);
  }, [number]);

  return panel;
}
