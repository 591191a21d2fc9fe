/** The details of the entry that is open, below the list. */

import type { ComponentChildren } from 'preact';
import { t } from '../../core/i18n/i18n';
import type { Listed } from '../../log/log';
import { usePanel } from '../../ui/panel';
import './details.css';

interface Props<Entry> {
  log: Listed<Entry>;
  label: string;
  titleOf(entry: Entry): string;
  children(entry: Entry): ComponentChildren;
}

export function LogDetails<Entry>({ log, label, titleOf, children }: Props<Entry>) {
  const opened = log.open.value;
  const panel = usePanel(opened?.number, close);

  function close() {
    const row = `[data-number="${opened?.number}"]`;
    panel.current?.closest('.panel')?.querySelector<HTMLElement>(row)?.focus();
    log.select(undefined);
  }

  if (!opened) return null;
  return (
    <section ref={panel} class="details" aria-label={label} tabIndex={-1}>
      <header class="details-head">
        <h3>{titleOf(opened.entry)}</h3>
        <button type="button" class="button icon" aria-label={t('Close details')} onClick={close}>
          ×
        </button>
      </header>
      <div class="details-body">{children(opened.entry)}</div>
    </section>
  );
}
