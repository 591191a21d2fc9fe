import { useLayoutEffect, useRef, useState } from 'preact/hooks';
import { t } from '../language/language';
import { formatCount } from '../text';
import type { Entry } from './entry';
import { Row } from './row';
import type { Feed } from './store';
import { useRows } from './window';

/** Where a key press leads from a position. */
export function destination(key: string, position: number, page: number): number | undefined {
  switch (key) {
    case 'ArrowUp':
      return position - 1;
    case 'ArrowDown':
      return position + 1;
    case 'PageUp':
      return position - page;
    case 'PageDown':
      return position + page;
    case 'Home':
      return 0;
    case 'End':
      return Number.POSITIVE_INFINITY;
    default:
      return undefined;
  }
}

interface Props {
  feed: Feed;
  /** The subscriptions by which a message came. */
  selecting(entry: Entry): readonly string[];
}

export function List({ feed, selecting }: Props) {
  const box = useRef<HTMLDivElement>(null);
  const rows = useRows(feed, box);
  const { first, end } = feed.view.value;
  const open = feed.open.value?.number;
  const several = feed.names.value.length > 1;

  // One row is in the tab order: the one last visited, or the newest in sight.
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
    rows.reveal(position);
  }

  return (
    <div class="feed-list">
      <div
        ref={box}
        class="feed-scroll"
        role="log"
        aria-label={t('Messages')}
        // Thousands a second would drown a screen reader: see `Announcer`.
        aria-live="off"
        data-lines={rows.shape.twoLines ? 2 : 1}
        onScroll={rows.onScroll}
        onWheel={(event) => event.deltaY < 0 && rows.release()}
        onKeyDown={onKeyDown}
      >
        <div class="feed-rows" style={{ height: `${rows.height}px` }}>
          {rows.items.map(({ position, key, top }) => {
            const number = feed.at(position);
            const entry = number === undefined ? undefined : feed.get(number);
            if (number === undefined || !entry) return null;
            return (
              <Row
                key={key}
                entry={entry}
                number={number}
                position={position}
                top={top}
                height={rows.shape.height}
                open={number === open}
                tabbable={position === tabbable}
                marks={feed.marks(entry)}
                withConnection={several}
                filters={selecting(entry)}
                onOpen={(chosen) => {
                  setVisited(position);
                  feed.select(chosen === open ? undefined : chosen);
                }}
              />
            );
          })}
        </div>
      </div>
      {!rows.following && (
        <button type="button" class="button feed-jump" onClick={rows.follow}>
          {rows.unseen > 0
            ? t('{count} new · Jump to newest ↓', { count: formatCount(rows.unseen) })
            : t('Jump to newest ↓')}
        </button>
      )}
    </div>
  );
}
