import type { ComponentChildren } from 'preact';
import { useLayoutEffect, useRef } from 'preact/hooks';
import { t } from '../core/i18n/i18n';
import { IconButton } from './button';
import styles from './sheet.module.css';

interface Props {
  label: string;
  /** Identifies what is open. Escape closes it, wherever the focus is. */
  number?: number;
  title: ComponentChildren;
  /** Beside the list, which keeps the focus; without it, what opens takes it. */
  side?: boolean;
  onClose(): void;
  children: ComponentChildren;
}

/** Whether it is visible, and Escape is not for a dialog or a popover above it. */
function onTop(element: HTMLElement | null): boolean {
  if (!element?.checkVisibility({ visibilityProperty: true })) return false;
  const above = [...document.querySelectorAll(':modal, :popover-open')].at(-1);
  return !above || above.contains(element);
}

/** Details, in the place that their parent has for them. */
export function Sheet({ label, number, title, side, onClose, children }: Props) {
  const panel = useRef<HTMLElement>(null);

  useLayoutEffect(() => {
    if (!side && number !== undefined) panel.current?.focus({ preventScroll: true });
  }, [number]);

  // In time for a key that is pressed as soon as the panel has the focus.
  useLayoutEffect(() => {
    if (number === undefined) return;
    const onKeyDown = (event: KeyboardEvent) => {
      if (event.key !== 'Escape' || event.defaultPrevented || !onTop(panel.current)) return;
      event.preventDefault();
      onClose();
    };
    document.addEventListener('keydown', onKeyDown);
    return () => document.removeEventListener('keydown', onKeyDown);
  }, [number]);

  return (
    <section
      ref={panel}
      class={`${styles.sheet} column`}
      aria-label={label}
      tabIndex={-1}
      onKeyDown={(event) => {
        if (side && event.key === 'Escape' && !event.defaultPrevented) onClose();
      }}
    >
      <header class={`line ${styles.head}`}>
        <h3>{title}</h3>
        <IconButton label={t('Close details')} onClick={onClose} />
      </header>
      <div class={`${styles.body} stack roomy scrolls`}>{children}</div>
    </section>
  );
}
