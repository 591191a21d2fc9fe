/** The entries of a log: messages or packets. */

import type { ComponentChildren } from 'preact';
import { useRef } from 'preact/hooks';
import { t } from '../../core/i18n/i18n';
import { formatCount } from '../../core/text';
import type { Listed } from '../../log/log';
import { useRoving } from '../../ui/roving';
import { useRows } from '../../ui/window';

interface Props<Entry> {
  log: Listed<Entry>;
  label: string;
  /** What a row shows. */
  row(entry: Entry): ComponentChildren;
  /** Of the button that opens an entry's details. */
  labelFor(entry: Entry): string;
}

export function LogList<Entry>({ log, label, row, labelFor }: Props<Entry>) {
  const box = useRef<HTMLDivElement>(null);
  const rows = useRows(log, box);
  const { first, end } = log.view.value;
  const open = log.open.value?.number;

  const { tabbable, visit, onKeyDown } = useRoving(rows, box, first, end);

  return (
    <div class="feed-list">
      <div
        ref={box}
        class="feed-scroll"
        role="log"
        aria-label={label}
        // Thousands a second would drown a screen reader: see `Announcer`.
        aria-live="off"
        data-lines={rows.shape.twoLines ? 2 : 1}
        onScroll={rows.onScroll}
        onWheel={(event) => event.deltaY < 0 && rows.release()}
        onKeyDown={onKeyDown}
      >
        <div class="feed-rows" style={{ height: `${rows.height}px` }}>
          {rows.items.map(({ position, key, top }) => {
            const item = log.at(position);
            if (!item) return null;
            const { number, entry } = item;
            return (
              <div
                key={key}
                class="row"
                data-open={number === open}
                style={{ transform: `translateY(${top}px)`, height: `${rows.shape.height}px` }}
              >
                {row(entry)}
                <button
                  type="button"
                  class="row-open"
                  data-number={number}
                  data-position={position}
                  tabIndex={position === tabbable ? 0 : -1}
                  aria-expanded={number === open}
                  aria-label={labelFor(entry)}
                  onClick={() => {
                    visit(position);
                    log.select(number === open ? undefined : number);
                  }}
                />
              </div>
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
