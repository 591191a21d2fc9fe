/** A list to choose from while a field keeps the focus (ARIA APG, combobox). */

import type { ComponentChildren, RefObject } from 'preact';
import { useLayoutEffect, useRef, useState } from 'preact/hooks';
import styles from './options.module.css';

/** Which of `count` is active: -1 for none. `first` is where the arrow keys begin. */
export function useOptions(count: number, first: number, onChoose: (index: number) => void) {
  const [at, setAt] = useState(first);
  const active = Math.min(at, count - 1);

  /** Whether the key was handled. */
  function press(event: KeyboardEvent): boolean {
    if (count === 0 || event.isComposing) return false;
    if (event.key === 'ArrowDown') setAt((active + 1) % count);
    else if (event.key === 'ArrowUp') setAt(active > 0 ? active - 1 : count - 1);
    else if (event.key === 'Enter' && active >= 0) onChoose(active);
    else return false;
    event.preventDefault();
    return true;
  }

  return { active, press, reset: () => setAt(first) };
}

export const optionId = (id: string, index: number): string | undefined =>
  index < 0 ? undefined : `${id}-${index}`;

interface Props {
  id: string;
  label: string;
  active: number;
  options: readonly { key: string; content: ComponentChildren }[];
  /** The list lies over the page, at this field. */
  at?: RefObject<HTMLElement | null>;
  onChoose(index: number): void;
}

export function Options({ id, label, active, options, at, onChoose }: Props) {
  const list = useRef<HTMLDivElement>(null);

  useLayoutEffect(() => {
    // Older browsers have no top layer, and show the list in place.
    if (at) list.current?.showPopover?.();
  }, []);

  useLayoutEffect(() => {
    const [box, field] = [list.current, at?.current];
    list.current?.children[active]?.scrollIntoView({ block: 'nearest' });
    if (!box || !field) return;
    const { left, width, top, bottom } = field.getBoundingClientRect();
    const above = bottom + box.offsetHeight > innerHeight && top > innerHeight - bottom;
    Object.assign(box.style, {
      left: `${left}px`,
      minWidth: `${width}px`,
      top: above ? 'auto' : `${bottom}px`,
      bottom: above ? `${innerHeight - top}px` : 'auto',
    });
  });

  return (
    <div
      ref={list}
      id={id}
      class={`${styles.options} ${at ? `raised ${styles.over}` : ''}`}
      role="listbox"
      aria-label={label}
      {...(at && { popover: 'manual' as const })}
      // So that the field keeps the focus.
      onMouseDown={(event) => event.preventDefault()}
    >
      {options.map(({ key, content }, index) => (
        // biome-ignore lint/a11y/useFocusableInteractive: the field has the focus (aria-activedescendant)
        // biome-ignore lint/a11y/useKeyWithClickEvents: and the keys
        <div
          key={key}
          id={optionId(id, index)}
          class={`item line roomy ${styles.option}`}
          role="option"
          aria-selected={index === active}
          onClick={() => onChoose(index)}
        >
          {content}
        </div>
      ))}
    </div>
  );
}
