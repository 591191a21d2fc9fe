import type { ComponentChildren } from 'preact';
import styles from './disclosure.module.css';

interface Props {
  title: ComponentChildren;
  open?: boolean;
  children: ComponentChildren;
}

/** Content that is folded away by default. */
export function Disclosure({ title, open, children }: Props) {
  return (
    <details class={styles.disclosure} open={open}>
      <summary>{title}</summary>
      {children}
    </details>
  );
}
