import { useLayoutEffect, useRef, useState } from 'preact/hooks';
import { formatCount } from '../text';
import { Row } from './row';
import type { Feed } from './store';
import { useRows } from './window';

/** Where a key press leads from `number`, within the messages kept. */
function destination(key: string, number: number, page: number): number | undefined {
  switch (key) {
    case 'ArrowUp':
      return number - 1;
    case 'ArrowDown':
      return number + 1;
    case 'PageUp':
      return number - page;
    case 'PageDown':
      return number + page;
    case 'Home':
      return 0;
    case 'End':
      return Number.POSITIVE_INFINITY;
    default:
      return undefined;
  }
}

export function List({ feed }: { feed: Feed }) {
  const box = useRef<HTMLDivElement>(null);
  const rows = useRows(feed, box);
  const { first, end } = feed.view.value;
  const open = feed.open.value?.number;

  // One row is in the tab order: the one last visited, or the newest in sight.
  const [visited, setVisited] = useState<number>();
  const shown = rows.items.some(({ number }) => number === visited);
  const tabbable = shown ? visited : rows.items.at(-1)?.number;
  const wanted = useRef<number | undefined>(undefined);

  useLayoutEffect(() => {
    if (wanted.current === undefined) return;
    const button = box.current?.querySelector<HTMLElement>(`[data-number="${wanted.current}"]`);
    if (!button) return;
    wanted.current = undefined;
    button.focus({ preventScroll: true });
  });

  function onKeyDown(event: KeyboardEvent) {
    const from = Number((event.target as HTMLElement).dataset.number);
    if (Number.isNaN(from)) return;
    const to = destination(event.key, from, Math.max(1, rows.items.length - 16));
    if (to === undefined) return;
    event.preventDefault();
    const number = Math.min(Math.max(to, first), end - 1);
    wanted.current = number;
    setVisited(number);
    rows.reveal(number);
  }

  return (
    <div class="feed-list">
      <div
        ref={box}
        class="feed-scroll"
        role="log"
        aria-label="Messages"
        // Thousands a second would drown a screen reader: see `Announcer`.
        aria-live="off"
        data-lines={rows.shape.twoLines ? 2 : 1}
        onScroll={rows.onScroll}
        onWheel={(event) => event.deltaY < 0 && rows.release()}
        onKeyDown={onKeyDown}
      >
        <div class="feed-rows" style={{ height: `${rows.height}px` }}>
          {rows.items.map(({ number, key, top }) => {
            const message = feed.get(number);
            return (
              message && (
                <Row
                  key={key}
                  message={message}
                  number={number}
                  top={top}
                  height={rows.shape.height}
                  open={number === open}
                  tabbable={number === tabbable}
                  onOpen={(chosen) => {
                    setVisited(chosen);
                    feed.select(chosen === open ? undefined : chosen);
                  }}
                />
              )
            );
          })}
        </div>
      </div>
      {!rows.following && (
        <button type="button" class="button feed-jump" onClick={rows.follow}>
          {rows.unseen > 0 ? `${formatCount(rows.unseen)} new · ` : ''}Jump to newest ↓
        </button>
      )}
    </div>
  );
}
