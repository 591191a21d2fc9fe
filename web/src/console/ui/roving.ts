/** Keyboard navigation in a list that renders only its visible rows. */

import type { RefObject } from 'preact';
import { useLayoutEffect, useRef, useState } from 'preact/hooks';
import type { Rows } from './window';

/** Where a key press leads from a position, which may be beyond either end. */
export function destination(key: string, position: number, page: number): number | undefined {
  return {
    ArrowUp: position - 1,
    ArrowDown: position + 1,
    PageUp: position - page,
    PageDown: position + page,
    Home: 0,
    End: Number.POSITIVE_INFINITY,
  }[key];
}

/** `first` and `end` are positions: of the first row, and after the last. */
export function useRoving(rows: Rows, box: RefObject<HTMLDivElement | null>, first: number, end: number) {
  // One row is in the tab order: the one last visited, or the newest visible one.
  const [visited, setVisited] = useState<number>();
  const shown = rows.items.some(({ position }) => position === visited);
  const tabbable = shown ? visited : rows.items.at(-1)?.position;
  const wanted = useRef<number | undefined>(undefined);

  useLayoutEffect(() => {
    if (wanted.current === undefined) return;
    const button = box.current?.querySelector<HTMLElement>(`[data-position="${wanted.current}"]`);
    if (!button) return;
    wanted.current = undefined;
    button.focus({ preventScroll: true });
  });

  function onKeyDown(event: KeyboardEvent) {
    const from = Number((event.target as HTMLElement).dataset.position);
    if (Number.isNaN(from)) return;
    const to = destination(event.key, from, Math.max(1, rows.items.length - 16));
    if (to === undefined) return;
    event.preventDefault();
    const position = Math.min(Math.max(to, first), end - 1);
    wanted.current = position;
    setVisited(position);
    rows.reach(position);
  }

  return { tabbable, visit: setVisited, onKeyDown };
}
