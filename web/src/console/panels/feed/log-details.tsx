/** The details of the entry that is open. */

import type { ComponentChildren } from 'preact';
import type { Listed } from '../../core/listed';
import type { Page } from '../../session/page';
import { Sheet } from '../../ui/sheet';

interface Props<Entry> {
  log: Listed<Entry>;
  page: Page;
  label: string;
  titleOf(entry: Entry): ComponentChildren;
  children(entry: Entry): ComponentChildren;
}

export function LogDetails<Entry>({ log, page, label, titleOf, children }: Props<Entry>) {
  const opened = log.open.value;
  if (!opened) return null;
  const { number, entry } = opened;

  function close() {
    const rows = document.querySelectorAll<HTMLElement>(`[data-number="${number}"]`);
    // In the visible list, since each log has numbers of its own.
    [...rows].find((row) => row.checkVisibility({ visibilityProperty: true }))?.focus();
    log.select(undefined);
  }

  return (
    <Sheet
      label={label}
      number={number}
      title={titleOf(entry)}
      side={page.screen.value === 'wide'}
      onClose={close}
    >
      {children(entry)}
    </Sheet>
  );
}
