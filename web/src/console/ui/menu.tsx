/** A button that opens a list of commands (the menu button pattern of ARIA). */

import { useId, useRef, useState } from 'preact/hooks';
import { Button } from './button';
import styles from './menu.module.css';

export interface Command {
  text: string;
  /** Takes something away, or ends it. */
  stop?: boolean;
  run(): void;
}

interface Props {
  label: string;
  commands: readonly Command[];
}

const steps: Record<string, (at: number, count: number) => number> = {
  ArrowDown: (at, count) => (at + 1) % count,
  ArrowUp: (at, count) => (at - 1 + count) % count,
  Home: () => 0,
  End: (_, count) => count - 1,
};

/** Below the button, or above it where there is no room. */
function place(list: HTMLElement, button: Element): void {
  const { left, top, bottom } = button.getBoundingClientRect();
  const { width, height } = list.getBoundingClientRect();
  const below = bottom + height <= innerHeight;
  list.style.left = `${Math.max(0, Math.min(left, innerWidth - width))}px`;
  list.style.top = `${below ? bottom : Math.max(0, top - height)}px`;
}

export function Menu({ label, commands }: Props) {
  const id = useId();
  const list = useRef<HTMLDivElement>(null);
  const [open, setOpen] = useState(false);

  function onKeyDown(event: KeyboardEvent) {
    if (event.key === 'Escape') {
      // For the menu alone, and not for what it was opened from.
      event.preventDefault();
      list.current?.hidePopover();
    }
    const items = [...(list.current?.children ?? [])] as HTMLElement[];
    const next = steps[event.key]?.(items.indexOf(document.activeElement as HTMLElement), items.length);
    if (next === undefined) return;
    event.preventDefault();
    items[next]?.focus();
  }

  return (
    <>
      <Button small popovertarget={id} aria-haspopup="menu" aria-expanded={open}>
        {label} <span aria-hidden="true">▾</span>
      </Button>
      <div
        ref={list}
        id={id}
        role="menu"
        tabIndex={-1}
        aria-label={label}
        popover="auto"
        class={styles.menu}
        onKeyDown={onKeyDown}
        onToggle={({ newState }) => {
          setOpen(newState === 'open');
          const button = document.querySelector(`[popovertarget="${id}"]`);
          if (newState !== 'open' || !list.current || !button) return;
          place(list.current, button);
          (list.current.firstElementChild as HTMLElement | null)?.focus();
        }}
      >
        {commands.map(({ text, stop, run }) => (
          <button
            key={text}
            type="button"
            role="menuitem"
            tabIndex={-1}
            data-stop={stop}
            onClick={() => {
              list.current?.hidePopover();
              run();
            }}
          >
            {text}
          </button>
        ))}
      </div>
    </>
  );
}
