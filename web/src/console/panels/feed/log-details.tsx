/** The details of the entry that is open, below the list. */

import type { ComponentChildren } from 'preact';
import type { Listed } from '../../log/log';
import { Sheet } from '../../ui/sheet';

interface Props<Entry> {
  log: Listed<Entry>;
  label: string;
  titleOf(entry: Entry): string;
  children(entry: Entry): ComponentChildren;
}

export function LogDetails<Entry>({ log, label, titleOf, children }: Props<Entry>) {
  const opened = log.open.value;
  if (!opened) return null;
  const { number, entry } = opened;

  function close() {
    const rows = document.querySelectorAll<HTMLElement>(`[data-number="${number}"]`);
    // Of the list that is shown: numbers are each log's own.
    [...rows].find((row) => row.checkVisibility({ visibilityProperty: true }))?.focus();
    log.select(undefined);
  }

  return (
    <Sheet label={label} number={number} title={titleOf(entry)} onClose={close}>
      {children(entry)}
    </Sheet>
  );
}
