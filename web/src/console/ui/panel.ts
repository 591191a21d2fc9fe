/** A panel that opens beside a list or over it: Escape closes it. */

import { useLayoutEffect, useRef } from 'preact/hooks';

/** Whether it is visible, and Escape is not for a dialog or a popover above it. */
function onTop(element: HTMLElement | null): boolean {
  if (!element?.checkVisibility({ visibilityProperty: true })) return false;
  const above = [...document.querySelectorAll(':modal, :popover-open')].at(-1);
  return !above || above.contains(element);
}

/** A ref for the panel. `number` says what is open, and is undefined while nothing is; `focus`: it takes the focus. */
export function usePanel(number: number | undefined, close: () => void, focus: boolean) {
  const panel = useRef<HTMLElement>(null);

  useLayoutEffect(() => {
    if (focus && number !== undefined) panel.current?.focus({ preventScroll: true });
  }, [number]);

  // In time for a key that is pressed as soon as the panel has the focus.
  useLayoutEffect(() => {
    if (number === undefined) return;
    const onKeyDown = (event: KeyboardEvent) => {
      if (event.key !== 'Escape' || event.defaultPrevented || !onTop(panel.current)) return;
      event.preventDefault();
      close();
    };
    document.addEventListener('keydown', onKeyDown);
    return () => document.removeEventListener('keydown', onKeyDown);
  }, [number]);

  return panel;
}
