import type { ComponentChildren } from 'preact';
import styles from './toolbar.module.css';

/** Controls in a row, which wraps. `end`: at the far end of what it is in. */
export function Toolbar({
  end,
  class: name = '',
  children,
}: {
  end?: boolean;
  class?: string;
  children: ComponentChildren;
}) {
  return (
    <div class={`flow ${styles.toolbar} ${name}`} data-end={end}>
      {children}
    </div>
  );
}

/** What became of something, beside the control that did it. */
export function Said({ children }: { children: ComponentChildren }) {
  return (
    <span class={styles.said} aria-live="polite">
      {children}
    </span>
  );
}
