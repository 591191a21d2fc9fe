import { t } from '../../core/i18n/i18n';
import type { Shortcuts } from '../../shortcuts/store';
import { Button } from '../../ui/button';
import { onDemand } from '../../ui/on-demand';

const Sheet = onDemand<{ shortcuts: Shortcuts }>(async () => (await import('./sheet')).ShortcutSheet);

/** Opens the sheet, and is where it is until it has loaded. */
export function ShortcutButton({ shortcuts }: { shortcuts: Shortcuts }) {
  return (
    <>
      <Button
        small
        look="quiet"
        class="shortcut-button"
        aria-label={t('Keyboard shortcuts')}
        title={t('Keyboard shortcuts (?)')}
        aria-haspopup="dialog"
        onClick={() => {
          shortcuts.shown.value = true;
        }}
      >
        <svg class="icon" viewBox="0 0 16 16" aria-hidden="true">
          <path d="M1.5 3.5h13v9h-13zM4 6.5h.01M6.7 6.5h.01M9.3 6.5h.01M12 6.5h.01M5 9.7h6" />
        </svg>
      </Button>
      {shortcuts.shown.value && <Sheet shortcuts={shortcuts} />}
    </>
  );
}
