import type { ComponentChildren } from 'preact';
import styles from './toolbar.module.css';

/** Controls in a row, which wraps. `end`: at the far end of what it is in. */
export function Toolbar({ end, children }: { end?: boolean; children: ComponentChildren }) {
  return <div class={`flow ${styles.toolbar} ${end ? 'end' : ''}`}>{children}</div>;
}

/** What became of something, beside the control that did it. */
export function Said({ children }: { children: ComponentChildren }) {
  return (
    <span class="muted numbers wrap" aria-live="polite">
      {children}
    </span>
  );
}
