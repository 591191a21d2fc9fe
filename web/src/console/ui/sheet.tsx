import type { ComponentChildren } from 'preact';
import { t } from '../core/i18n/i18n';
import { IconButton } from './button';
import { usePanel } from './panel';
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

/** Details, in the place that their parent has for them. */
export function Sheet({ label, number, title, side, onClose, children }: Props) {
  const panel = usePanel(number, onClose, !side);
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
