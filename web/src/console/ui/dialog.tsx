import type { ComponentChildren } from 'preact';
import { useId, useLayoutEffect, useRef } from 'preact/hooks';
import { IconButton } from './button';
import styles from './dialog.module.css';

interface Props {
  title: string;
  /** The label of the close button; without it the content has its own. */
  closeLabel?: string;
  wide?: boolean;
  onClose(): void;
  children: ComponentChildren;
  footer?: ComponentChildren;
}

/** A modal dialog, for as long as it is rendered. Escape asks `onClose`, too. */
export function Dialog({ title, closeLabel, wide, onClose, children, footer }: Props) {
  const id = useId();
  const dialog = useRef<HTMLDialogElement>(null);
  useLayoutEffect(() => {
    const shown = dialog.current;
    shown?.showModal();
    // Returns the focus to where it was.
    return () => shown?.close();
  }, []);
  return (
    <dialog
      ref={dialog}
      class={`raised ${styles.dialog}`}
      data-wide={wide}
      aria-labelledby={id}
      onCancel={(event) => {
        event.preventDefault();
        onClose();
      }}
      onClose={() => {
        // Not for the one that is gone already.
        if (dialog.current) onClose();
      }}
    >
      <header class="flow">
        <h2 id={id}>{title}</h2>
        {closeLabel && <IconButton label={closeLabel} onClick={onClose} />}
      </header>
      <div class={`stack roomy ${styles.body}`}>{children}</div>
      {footer && <footer class="flow">{footer}</footer>}
    </dialog>
  );
}
