import type { ComponentChildren } from 'preact';
import styles from './disclosure.module.css';

interface Props {
  title: ComponentChildren;
  open?: boolean;
  children: ComponentChildren;
}

/** What is folded away until somebody wants it. */
export function Disclosure({ title, open, children }: Props) {
  return (
    <details class={styles.disclosure} open={open}>
      <summary>{title}</summary>
      {children}
    </details>
  );
}
