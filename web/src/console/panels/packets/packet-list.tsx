import { useRef } from 'preact/hooks';
import { t } from '../../core/i18n/i18n';
import { formatCount } from '../../core/text';
import type { PacketLog } from '../../log/packets/packet-log';
import { useRoving } from '../../ui/roving';
import { useRows } from '../../ui/window';
import { PacketRow } from './packet-row';

export function PacketList({ log }: { log: PacketLog }) {
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
        aria-label={t('Packets')}
        aria-live="off"
        data-lines={rows.shape.twoLines ? 2 : 1}
        onScroll={rows.onScroll}
        onWheel={(event) => event.deltaY < 0 && rows.release()}
        onKeyDown={onKeyDown}
      >
        <div class="feed-rows" style={{ height: `${rows.height}px` }}>
          {rows.items.map(({ position, key, top }) => {
            const entry = log.at(position);
            if (!entry) return null;
            return (
              <PacketRow
                key={key}
                entry={entry}
                position={position}
                top={top}
                height={rows.shape.height}
                open={entry.number === open}
                tabbable={position === tabbable}
                onOpen={() => {
                  visit(position);
                  log.open.value = entry.number === open ? undefined : entry;
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
