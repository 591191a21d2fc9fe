/** The visible rows, and the scroll position of a list. */

import type { RefObject } from 'preact';
import { useLayoutEffect, useReducer, useRef, useState } from 'preact/hooks';
import type { Listed } from '../core/listed';

/** Rows have one height, in two shapes: one line if there is room, or two. */
interface Shape {
  twoLines: boolean;
  /** Pixels. */
  height: number;
}

/** Rows rendered beyond each edge, for scrolling that is faster than the next frame. */
const overscan = 8;

/** Pixels at the lower edge of which the button that leads to the newest takes a part. */
const buttonRoom = 64;

/** Of a row with one line: pixels. */
export function lineHeight(): number {
  const rem = Number.parseFloat(getComputedStyle(document.documentElement).fontSize);
  return Math.max(Math.round(1.625 * rem), matchMedia('(pointer: coarse)').matches ? 44 : 26);
}

/** `breakpoint` is in rem: two lines below it. */
function shapeFor(width: number, breakpoint: number): Shape {
  const rem = Number.parseFloat(getComputedStyle(document.documentElement).fontSize);
  if (width < breakpoint * rem) return { twoLines: true, height: Math.round(3 * rem) };
  return { twoLines: false, height: lineHeight() };
}

export type Rows = ReturnType<typeof useRows>;

/** `held`: the position of an open row, which the list keeps visible. */
export function useRows(
  feed: Pick<Listed<unknown>, 'view' | 'following'>,
  box: RefObject<HTMLDivElement | null>,
  held: number | undefined,
  breakpoint: number,
) {
  const [, redraw] = useReducer((count: number) => count + 1, 0);
  const [shape, setShape] = useState<Shape>({ twoLines: false, height: 26 });
  const state = useRef({
    /** The last that were drawn. */
    following: true,
    held,
    /** Whether a row is read, so that the list stands still, also where it is to follow. */
    holding: false,
    moving: true,
    stoppedAt: 0,
    first: feed.view.peek().first,
    pool: 1,
    /** Pixels: the scroll position, and the visible height. */
    offset: 0,
    sight: 0,
  }).current;
  const { first, end } = feed.view.value;

  // The scroll position once these rows are in place: the scroll event comes a frame too late.
  const height = (end - first) * shape.height;
  const moved = (first - state.first) * shape.height;
  const bottom = Math.max(0, height - state.sight);
  let target: number | undefined;
  const following = feed.following.value;
  // A row that is closed by the keyboard keeps the focus, and stays with it.
  if (state.held !== held)
    state.holding = held !== undefined || !!box.current?.querySelector(':focus-visible');
  else if (following && !state.following) state.holding = false;
  state.held = held;
  state.following = following;
  const moving = following && !state.holding;
  if (state.moving !== moving) {
    state.moving = moving;
    state.stoppedAt = end;
  }
  if (moving) target = bottom;
  else if (moved !== 0) target = Math.min(bottom, Math.max(0, state.offset - moved));
  state.first = first;
  // Setting the scroll position makes the browser lay out at once, so not without need.
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

  useLayoutEffect(() => {
    if (held === undefined || !state.holding) return;
    scrollTo(held);
    // No scrolling of the user's.
    const { scrollTop = 0 } = box.current ?? {};
    if (scrollTop !== state.offset) redraw(undefined);
    state.offset = scrollTop;
  }, [held, state.sight]);

  function hold(on: boolean): void {
    state.holding = on;
    redraw(undefined);
  }

  /** No further than needed: a visible row stays in place. */
  function scrollTo(position: number): void {
    const element = box.current;
    if (!element) return;
    const top = (position - first) * shape.height;
    const highest = top + shape.height - element.clientHeight;
    element.scrollTop = Math.min(top, Math.max(highest, element.scrollTop));
  }

  /** Only the user's own scrolling comes here with another position than the list has set. */
  function onScroll(): void {
    const element = box.current;
    if (!element) return;
    const { scrollTop, clientHeight, scrollHeight } = element;
    const by = scrollTop - state.offset;
    if (Math.abs(by) < 1) return;
    state.offset = scrollTop;
    // What has just become larger or smaller was scrolled by the browser, and is about to be measured.
    if (clientHeight === state.sight) {
      if (scrollHeight - scrollTop - clientHeight < 2) {
        state.holding = false;
        feed.following.value = true;
      } else if (by < 0) feed.following.value = false;
    }
    redraw(undefined);
  }

  /** Pixels above the open row, and below it. */
  const above = held === undefined ? 0 : (held - first) * shape.height - state.offset;
  const below = state.sight - above - shape.height;

  // All rows are of one height, so nothing depends on how many there are.
  const from = Math.max(0, Math.floor(state.offset / shape.height) - overscan);
  const to = Math.min(end - first, Math.ceil((state.offset + state.sight) / shape.height) + overscan);
  // The maximum so far: with other keys the elements would be reordered, including the focused one.
  state.pool = Math.max(state.pool, Math.ceil(state.sight / shape.height) + 2 * overscan + 1);
  return {
    /**
     * With as many keys as there are rows, a row keeps its element while it is visible, and a new one
     * reuses the element of one that left: under load nothing is created or destroyed.
     */
    items: Array.from({ length: Math.max(0, to - from) }, (_, index) => {
      const position = first + from + index;
      return { position, key: position % state.pool, top: (from + index) * shape.height };
    }),
    height,
    shape,
    /** Whether the newest is not visible. */
    behind: !moving && state.offset + state.sight < height - 1,
    /** Whether the open row is at the lower edge, and further from the upper one. */
    low: held !== undefined && below > -shape.height && below < Math.min(above, buttonRoom),
    /** Messages that arrived since then. */
    unseen: moving ? 0 : end - Math.max(first, state.stoppedAt),
    follow() {
      feed.following.value = true;
      hold(false);
    },
    release() {
      if (state.offset > 0) feed.following.value = false;
    },
    /** The keys have reached a row, which stays until they leave the list. */
    reach(position: number) {
      hold(held !== undefined || position < end - 1);
      scrollTo(position);
      onScroll();
    },
    onFocusOut({ relatedTarget }: FocusEvent) {
      // Without a target it may be the window that has lost the focus, not the row.
      const now = relatedTarget instanceof Node ? relatedTarget : document.activeElement;
      if (held === undefined && state.holding && !box.current?.contains(now)) hold(false);
    },
    onScroll,
  };
}
