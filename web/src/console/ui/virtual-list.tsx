/**
 * A list of any length that renders only its visible rows; it follows the newest until the user
 * scrolls.
 */

import type { ComponentChildren } from 'preact';
import { useRef } from 'preact/hooks';
import { t } from '../core/i18n/i18n';
import type { Listed } from '../core/listed';
import { Button } from './button';
import { useRoving } from './roving';
import styles from './virtual-list.module.css';
import { useRows } from './window';

export interface Place {
  position: number;
  /** Where the row stands. */
  style: { transform: string; height: string };
  /** Of the one element of a row that takes the focus. */
  focus: { 'data-position': number; tabIndex: number };
  /** Makes this row the one in the tab order. */
  visit(): void;
}

interface Props {
  label: string;
  list: Pick<Listed<unknown>, 'view' | 'following'>;
  /** The position of an open row, which stays visible. */
  held?: number | undefined;
  /** Rem: with less room a row has two lines. */
  breakpoint?: number | undefined;
  /** With a `key`, by which a row's element is reused for another one. */
  row(place: Place, key: number): ComponentChildren;
}

export function VirtualList({ label, list, held, breakpoint = 34, row }: Props) {
  const box = useRef<HTMLDivElement>(null);
  const rows = useRows(list, box, held, breakpoint);
  const { first, end } = list.view.value;
  const { tabbable, visit, onKeyDown } = useRoving(rows, box, first, end);
  return (
    <div class={styles.list}>
      <div
        ref={box}
        class={`${styles.scroll} list-scroll`}
        role="log"
        aria-label={label}
        // Thousands a second would drown a screen reader.
        aria-live="off"
        data-lines={rows.shape.twoLines ? 2 : 1}
        onScroll={rows.onScroll}
        onWheel={(event) => event.deltaY < 0 && rows.release()}
        onKeyDown={onKeyDown}
        onFocusOut={rows.onFocusOut}
      >
        <div class={styles.rows} style={{ height: `${rows.height}px` }}>
          {rows.items.map(({ position, key, top }) =>
            row(
              {
                position,
                style: { transform: `translateY(${top}px)`, height: `${rows.shape.height}px` },
                focus: { 'data-position': position, tabIndex: position === tabbable ? 0 : -1 },
                visit: () => visit(position),
              },
              key,
            ),
          )}
        </div>
      </div>
      {rows.behind && (
        <Button class={styles.jump} data-jump data-up={rows.low} onClick={rows.follow}>
          {rows.unseen > 0
            ? t('{count} new · Jump to newest ↓', { count: rows.unseen })
            : t('Jump to newest ↓')}
        </Button>
      )}
    </div>
  );
}
