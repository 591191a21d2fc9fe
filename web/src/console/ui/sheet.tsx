import type { ComponentChildren } from 'preact';
import { t } from '../core/i18n/i18n';
import { IconButton } from './button';
import { usePanel } from './panel';
import styles from './sheet.module.css';

interface Props {
  label: string;
  /** Says what is open: another one takes the focus, and Escape closes it wherever that is. */
  number?: number;
  title: ComponentChildren;
  /** Beside the list, which keeps the focus. */
  side?: boolean;
  onClose(): void;
  children: ComponentChildren;
}

/** Details below a list or beside it; where there is no room for both, over it. */
export function Sheet({ label, number, title, side, onClose, children }: Props) {
  const panel = usePanel(number, onClose);
  return (
    <section
      ref={panel}
      class={`${styles.sheet} ${side ? styles.side : ''}`}
      aria-label={label}
      tabIndex={-1}
      onKeyDown={(event) => {
        if (side && event.key === 'Escape') onClose();
      }}
    >
      <header class={styles.head}>
        <h3>{title}</h3>
        <IconButton label={t('Close details')} onClick={onClose} />
      </header>
      <div class={styles.body}>{children}</div>
    </section>
  );
}
