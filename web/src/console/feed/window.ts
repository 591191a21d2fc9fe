/** The rows in sight: which they are, and where the list is scrolled to. */

import { elementScroll, observeElementOffset, observeElementRect, Virtualizer } from '@tanstack/virtual-core';
import type { RefObject } from 'preact';
import { useLayoutEffect, useReducer, useRef, useState } from 'preact/hooks';
import type { Feed } from './store';

/** Rows are of one height, in two shapes: a line where there is room, or two. */
interface Shape {
  twoLines: boolean;
  /** Pixels. */
  height: number;
}

const narrow = 34; // rem

function shapeFor(width: number): Shape {
  const rem = Number.parseFloat(getComputedStyle(document.documentElement).fontSize);
  const coarse = matchMedia('(pointer: coarse)').matches;
  if (width < narrow * rem) return { twoLines: true, height: Math.round(3.5 * rem) };
  return { twoLines: false, height: Math.max(Math.round(2.125 * rem), coarse ? 44 : 0) };
}

export interface Rows {
  /**
   * With as many keys as there are rows, a row keeps its element while it is in
   * sight, and one that comes takes over the element of one that went: under
   * load nothing is created or destroyed.
   */
  items: { position: number; key: number; top: number }[];
  height: number;
  shape: Shape;
  /** Whether the newest message is kept in sight. */
  following: boolean;
  /** Messages that came since it was not. */
  unseen: number;
  follow(): void;
  release(): void;
  reveal(position: number): void;
  onScroll(): void;
}

export function useRows(feed: Feed, box: RefObject<HTMLDivElement | null>): Rows {
  const [, redraw] = useReducer((count: number) => count + 1, 0);
  const [shape, setShape] = useState<Shape>({ twoLines: false, height: 34 });
  const state = useRef({ following: true, releasedAt: 0, first: 0, pool: 1 }).current;
  const { first, end } = feed.view.value;

  const options = {
    count: end - first,
    getScrollElement: () => box.current,
    estimateSize: () => shape.height,
    overscan: 8,
    observeElementRect,
    observeElementOffset,
    scrollToFn: elementScroll,
    onChange: () => redraw(undefined),
  };
  const [virtualizer] = useState(() => new Virtualizer<HTMLDivElement, HTMLDivElement>(options));
  const shapeBefore = useRef(shape);
  virtualizer.setOptions(options);
  if (shapeBefore.current !== shape) {
    shapeBefore.current = shape;
    virtualizer.measure();
  }

  // Where the list will be scrolled to once these rows are in place. The
  // virtualizer hears of it by the scroll event, which is a frame too late.
  const height = (end - first) * shape.height;
  const moved = (first - state.first) * shape.height;
  const bottom = Math.max(0, height - (virtualizer.scrollRect?.height ?? 0));
  let target: number | undefined;
  if (state.following) target = bottom;
  else if (moved !== 0) target = Math.min(bottom, Math.max(0, (virtualizer.scrollOffset ?? 0) - moved));
  state.first = first;
  // Touching the scroll position makes the browser lay out at once: not for nothing.
  if (target !== undefined && Math.abs(target - (virtualizer.scrollOffset ?? -1)) < 1) target = undefined;
  if (target !== undefined) virtualizer.scrollOffset = target;

  useLayoutEffect(() => virtualizer._didMount(), [virtualizer]);
  useLayoutEffect(() => {
    virtualizer._willUpdate();
    if (target !== undefined && box.current) box.current.scrollTop = target;
  });
  useLayoutEffect(() => {
    const element = box.current;
    if (!element) return;
    const observer = new ResizeObserver(() => {
      const next = shapeFor(element.clientWidth);
      setShape((now) => (now.twoLines === next.twoLines && now.height === next.height ? now : next));
    });
    observer.observe(element);
    return () => observer.disconnect();
  }, [box]);

  function setFollowing(following: boolean): void {
    if (state.following === following) return;
    state.following = following;
    state.releasedAt = feed.view.value.end;
    redraw(undefined);
  }

  const visible = virtualizer.getVirtualItems();
  state.pool = Math.max(state.pool, visible.length);
  return {
    items: visible.map(({ index, start }) => {
      const position = first + index;
      return { position, key: position % state.pool, top: start };
    }),
    height,
    shape,
    following: state.following,
    unseen: state.following ? 0 : end - Math.max(first, state.releasedAt),
    follow: () => setFollowing(true),
    release: () => {
      if (box.current && box.current.scrollTop > 0) setFollowing(false);
    },
    reveal(position) {
      const element = box.current;
      if (!element) return;
      setFollowing(false);
      // No further than it takes: a row in sight stays where it is.
      const top = (position - first) * shape.height;
      const highest = top + shape.height - element.clientHeight;
      element.scrollTop = Math.min(top, Math.max(highest, element.scrollTop));
    },
    onScroll() {
      const element = box.current;
      if (!element) return;
      setFollowing(element.scrollHeight - element.scrollTop - element.clientHeight < 2);
    },
  };
}
