/** Two parts with a divider between them, which is dragged, moved by keys, and remembered. */

import type { ComponentChildren } from 'preact';
import { useId, useRef, useState } from 'preact/hooks';
import { keep, readKept } from '../core/storage';
import styles from './split.module.css';

interface Props {
  /** What the divider is called, and kept as. */
  label: string;
  name: string;
  /** Percent of the whole that the second part has: at first, least and most. */
  share?: number;
  least?: number;
  most?: number;
  /** Undefined: the first part has all the room. */
  second: ComponentChildren | undefined;
  children: ComponentChildren;
}

const step = 2;

/** A double click folds the second part away, and brings it back. */
export function Split({ label, name, share = 40, least = 15, most = 85, second, children }: Props) {
  const id = useId();
  const box = useRef<HTMLDivElement>(null);
  const key = `mqttwasm.split.${name}`;
  /** Undefined until somebody moves it. */
  const [moved, setMoved] = useState(() => {
    const kept = readKept(key);
    return typeof kept === 'number' && kept >= 0 && kept <= most ? kept : undefined;
  });
  const now = moved ?? share;
  const open = useRef(now || share);

  function move(to: number): void {
    const next = to <= least / 2 ? 0 : Math.min(most, Math.max(least, Math.round(to * 10) / 10));
    if (next > 0) open.current = next;
    setMoved(next);
    keep(key, next);
  }

  const toggle = () => move(now === 0 ? open.current : 0);

  function onKeyDown(event: KeyboardEvent): void {
    const from = now || least - step;
    const to = { ArrowLeft: from + step, ArrowRight: from - step, Home: most, End: least }[event.key];
    if (event.key === 'Enter') toggle();
    else if (to === undefined) return;
    else move(event.key === 'ArrowRight' ? Math.max(least, to) : to);
    event.preventDefault();
  }

  function onPointerMove(event: PointerEvent): void {
    const divider = event.currentTarget;
    if (!(divider instanceof HTMLElement) || !divider.hasPointerCapture(event.pointerId)) return;
    const { right, width } = box.current?.getBoundingClientRect() ?? { right: 0, width: 0 };
    if (width > 0) move(((right - event.clientX) / width) * 100);
  }

  const width = moved === undefined ? `max(20rem, ${share}%)` : `${moved}%`;
  return (
    <div ref={box} class={styles.split} data-split={second !== undefined} style={{ '--share': width }}>
      <div class={styles.part}>{children}</div>
      {second !== undefined && (
        <>
          {/* biome-ignore lint/a11y/useSemanticElements: a focusable separator is no rule */}
          <div
            role="separator"
            class={styles.divider}
            aria-label={label}
            aria-orientation="vertical"
            aria-controls={id}
            aria-valuemin={0}
            aria-valuemax={most}
            aria-valuenow={Math.round(now)}
            tabIndex={0}
            onKeyDown={onKeyDown}
            onDblClick={toggle}
            onPointerDown={(event) => event.currentTarget.setPointerCapture(event.pointerId)}
            onPointerMove={onPointerMove}
          />
          <div id={id} class={styles.part} data-folded={now === 0}>
            {second}
          </div>
        </>
      )}
    </div>
  );
}
