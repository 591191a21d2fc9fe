/** The rows in sight: which they are, and where the list is scrolled to. */

import type { RefObject } from 'preact';
import { useLayoutEffect, useReducer, useRef, useState } from 'preact/hooks';
import type { Listed } from '../core/listed';

/** Rows are of one height, in two shapes: a line where there is room, or two. */
interface Shape {
  twoLines: boolean;
  /** Pixels. */
  height: number;
}

/** Rows drawn beyond each edge, for a scroll that is quicker than the next frame. */
const overscan = 8;

/** Of a row with one line: pixels. */
export function lineHeight(): number {
  const rem = Number.parseFloat(getComputedStyle(document.documentElement).fontSize);
  return Math.max(Math.round(1.625 * rem), matchMedia('(pointer: coarse)').matches ? 44 : 26);
}

/** `breakpoint` is in rem: two lines below it. */
function shapeFor(width: number, breakpoint: number): Shape {
  const rem = Number.parseFloat(getComputedStyle(document.documentElement).fontSize);
  if (width < breakpoint * rem) return { twoLines: true, height: Math.round(3.5 * rem) };
  return { twoLines: false, height: lineHeight() };
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
  /** Whether the newest is out of sight. */
  behind: boolean;
  /** Messages that came since it was not. */
  unseen: number;
  follow(): void;
  release(): void;
  reveal(position: number): void;
  onScroll(): void;
}

/** `held`: the position of a row that is looked at. Until it is not, the list keeps it in sight. */
export function useRows(
  feed: Pick<Listed<unknown>, 'view' | 'following'>,
  box: RefObject<HTMLDivElement | null>,
  held: number | undefined,
  breakpoint: number,
): Rows {
  const [, redraw] = useReducer((count: number) => count + 1, 0);
  const [shape, setShape] = useState<Shape>({ twoLines: false, height: 26 });
  const state = useRef({
    /** The last that was drawn. */
    following: true,
    held,
    releasedAt: 0,
    first: feed.view.peek().first,
    pool: 1,
    /** Pixels: how far it is scrolled, and how much is in sight. */
    offset: 0,
    sight: 0,
  }).current;
  const { first, end } = feed.view.value;

  // Where the list will be scrolled to once these rows are in place: the scroll
  // event tells a frame too late.
  const height = (end - first) * shape.height;
  const moved = (first - state.first) * shape.height;
  const bottom = Math.max(0, height - state.sight);
  let target: number | undefined;
  const following = feed.following.value;
  if (state.following !== following) {
    state.following = following;
    state.releasedAt = end;
  }
  if (following) target = bottom;
  else if (moved !== 0) target = Math.min(bottom, Math.max(0, state.offset - moved));
  state.first = first;
  // Touching the scroll position makes the browser lay out at once: not for nothing.
  if (target !== undefined && Math.abs(target - state.offset) < 1) target = undefined;
  if (target !== undefined) state.offset = target;

  useLayoutEffect(() => {
    if (target !== undefined && box.current) box.current.scrollTop = target;
  });
  useLayoutEffect(() => {
    const element = box.current;
    if (!element) return;
    const measure = () => {
      const next = shapeFor(element.clientWidth, breakpoint);
      state.sight = element.clientHeight;
      setShape((now) => (now.twoLines === next.twoLines && now.height === next.height ? now : next));
      redraw(undefined);
    };
    measure();
    const observer = new ResizeObserver(measure);
    observer.observe(element);
    return () => observer.disconnect();
  }, [box, state, breakpoint]);

  function setFollowing(to: boolean): void {
    feed.following.value = to;
  }

  // What is held ends with the list, too, such as when another one takes its place for another filter.
  useLayoutEffect(() => {
    if (held === undefined || !feed.following.peek()) return;
    return () => setFollowing(true);
  }, [held === undefined]);
  useLayoutEffect(() => {
    state.held = held;
    if (held !== undefined) reveal(held);
  }, [held, state.sight]);

  /** No further than it takes: a row in sight stays where it is. */
  function reveal(position: number): void {
    const element = box.current;
    if (!element) return;
    setFollowing(false);
    const top = (position - first) * shape.height;
    const highest = top + shape.height - element.clientHeight;
    element.scrollTop = Math.min(top, Math.max(highest, element.scrollTop));
  }

  // All rows are of one height, so nothing depends on how many there are.
  const from = Math.max(0, Math.floor(state.offset / shape.height) - overscan);
  const to = Math.min(end - first, Math.ceil((state.offset + state.sight) / shape.height) + overscan);
  // Of all the rows there may be: with other keys the elements would be put in another order, the focused one, too.
  state.pool = Math.max(state.pool, Math.ceil(state.sight / shape.height) + 2 * overscan + 1);
  return {
    items: Array.from({ length: Math.max(0, to - from) }, (_, index) => {
      const position = first + from + index;
      return { position, key: position % state.pool, top: (from + index) * shape.height };
    }),
    height,
    shape,
    behind: !following && state.offset + state.sight < height - 1,
    unseen: following ? 0 : end - Math.max(first, state.releasedAt),
    follow: () => setFollowing(true),
    release: () => {
      if (box.current && box.current.scrollTop > 0) setFollowing(false);
    },
    reveal,
    onScroll() {
      const element = box.current;
      if (!element) return;
      state.offset = element.scrollTop;
      // One that has just become smaller is not at its end, and yet nobody has scrolled: it is about to be measured.
      const atEnd = element.scrollHeight - element.scrollTop - element.clientHeight < 2;
      if (element.clientHeight === state.sight && !(atEnd && state.held !== undefined)) setFollowing(atEnd);
      redraw(undefined);
    },
  };
}
