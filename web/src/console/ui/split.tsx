/** Two parts with a divider between them, which is dragged, moved by keys, and remembered. */

import type { ComponentChildren } from 'preact';
import { useId, useRef, useState } from 'preact/hooks';
import { keep, readKept } from '../core/storage';
import styles from './split.module.css';

interface Props {
  /** The divider's name, and the key under which it is kept. */
  label: string;
  name: string;
  /** One above the other instead of side by side. */
  rows?: boolean;
  /** Which part the divider gives its size; the other has what is left. */
  sized?: 'first' | 'second';
  /** The sized part's track in a CSS grid, until somebody moves the divider. */
  size: string;
  /** Percent of the whole that the sized part has: about what `size` comes to, least and most. */
  share?: number;
  least?: number;
  most?: number;
  /** If there is no room for two, each part is on its own, in the surrounding grid. */
  apart?: boolean;
  first: ComponentChildren;
  /** Undefined: the first part has all the room. */
  second: ComponentChildren | undefined;
  /** Takes the sized part away, where it would be folded and nothing could show it again. */
  onFold?(): void;
}

const step = 2;

/** A double click folds the sized part away, and brings it back. */
export function Split({
  label,
  name,
  rows = false,
  sized = 'second',
  size,
  share = 30,
  least = 15,
  most = 85,
  apart = false,
  first,
  second,
  onFold,
}: Props) {
  const id = useId();
  const box = useRef<HTMLDivElement>(null);
  const key = `mqttwasm.split.${name}`;
  const smallest = onFold ? least : 0;
  /** Undefined until somebody moves it. */
  const [moved, setMoved] = useState(() => {
    const kept = readKept(key);
    return typeof kept === 'number' && kept >= smallest && kept <= most ? kept : undefined;
  });
  const now = moved ?? share;
  /** The size to which a folded part returns. */
  const open = useRef<number | undefined>(now === 0 ? undefined : moved);

  function move(to: number | undefined): void {
    const next =
      to === undefined || to > least / 2
        ? to && Math.min(most, Math.max(least, Math.round(to * 10) / 10))
        : 0;
    if (next === 0 && onFold) {
      // One that was dragged away comes back with the size of the beginning.
      if (now === least) move(undefined);
      onFold();
      return;
    }
    if (next !== 0) open.current = next;
    setMoved(next);
    keep(key, next ?? null);
  }

  const toggle = () => move(now === 0 ? open.current : 0);

  function onKeyDown(event: KeyboardEvent): void {
    const from = now || least - step;
    const grow = sized === 'first' ? 1 : -1;
    const to = {
      ArrowRight: from + grow * step,
      ArrowDown: from + grow * step,
      ArrowLeft: from - grow * step,
      ArrowUp: from - grow * step,
      Home: most,
      End: least,
    }[event.key];
    if (event.key === 'Enter') toggle();
    else if (to === undefined) return;
    else move(to < from ? Math.max(least, to) : to);
    event.preventDefault();
  }

  function onPointerMove(event: PointerEvent): void {
    const divider = event.currentTarget;
    if (!(divider instanceof HTMLElement) || !divider.hasPointerCapture(event.pointerId)) return;
    const whole = box.current?.getBoundingClientRect();
    if (!whole?.width) return;
    const at = rows ? (event.clientY - whole.top) / whole.height : (event.clientX - whole.left) / whole.width;
    move((sized === 'first' ? at : 1 - at) * 100);
  }

  return (
    <div
      ref={box}
      class={`fill ${styles.split}`}
      data-split={second !== undefined}
      data-rows={rows}
      data-sized={sized}
      data-apart={apart}
      style={{ '--size': moved === undefined ? size : `minmax(0, ${moved}%)` }}
    >
      <div class={`fill ${styles.part}`} data-folded={sized === 'first' && now === 0}>
        {first}
      </div>
      {second !== undefined && (
        <>
          {/* biome-ignore lint/a11y/useSemanticElements: a focusable separator is no rule */}
          <div
            role="separator"
            class={styles.divider}
            aria-label={label}
            aria-orientation={rows ? 'horizontal' : 'vertical'}
            aria-controls={id}
            aria-valuemin={smallest}
            aria-valuemax={most}
            aria-valuenow={Math.round(now)}
            tabIndex={0}
            onKeyDown={onKeyDown}
            onDblClick={toggle}
            onPointerDown={(event) => event.currentTarget.setPointerCapture(event.pointerId)}
            onPointerMove={onPointerMove}
          />
          <div id={id} class={`fill ${styles.part}`} data-folded={sized === 'second' && now === 0}>
            {second}
          </div>
        </>
      )}
    </div>
  );
}
