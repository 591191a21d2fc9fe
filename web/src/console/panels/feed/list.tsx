import { useRef } from 'preact/hooks';
import { t } from '../../core/i18n/i18n';
import { formatCount } from '../../core/text';
import type { Entry } from '../../log/entry';
import type { Feed } from '../../log/feed';
import { useRoving } from '../../ui/roving';
import { useRows } from '../../ui/window';
import { Row } from './row';

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

  const { tabbable, visit, onKeyDown } = useRoving(rows, box, first, end);

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
                  visit(position);
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
