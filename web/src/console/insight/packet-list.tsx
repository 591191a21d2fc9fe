import { useLayoutEffect, useRef, useState } from 'preact/hooks';
import { destination } from '../feed/list';
import { useRows } from '../feed/window';
import { t } from '../language/language';
import { formatCount } from '../text';
import type { PacketLog } from './packet-log';
import { PacketRow } from './packet-row';

export function PacketList({ log }: { log: PacketLog }) {
  const box = useRef<HTMLDivElement>(null);
  const rows = useRows(log, box);
  const { first, end } = log.view.value;
  const open = log.open.value?.number;

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
                  setVisited(position);
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
