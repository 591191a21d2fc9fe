import { mark, t } from '../../core/i18n/i18n';
import type { Page } from '../../session/page';
import type { Shortcuts } from '../../shortcuts/store';
import { Button } from '../../ui/button';
import { onDemand } from '../../ui/on-demand';

interface Props {
  page: Page;
  shortcuts: Shortcuts;
}

/** Opens a dialog, and takes its place until it has loaded. */
const opener = (
  dialog: 'sheet' | 'palette',
  label: string,
  title: string,
  path: string,
  Part: ReturnType<typeof onDemand<Props>>,
) =>
  function Opener(props: Props) {
    const { shown } = props.shortcuts;
    return (
      <>
        <Button
          small
          look="quiet"
          class="shortcut-button"
          aria-label={t(label)}
          title={t(title)}
          aria-haspopup="dialog"
          onClick={() => {
            shown.value = dialog;
          }}
        >
          <svg class="icon" viewBox="0 0 16 16" aria-hidden="true">
            <path d={path} />
          </svg>
        </Button>
        {shown.value === dialog && <Part {...props} />}
      </>
    );
  };

export const ShortcutButton = opener(
  'sheet',
  mark('Keyboard shortcuts'),
  mark('Keyboard shortcuts (?)'),
  'M1.5 3.5h13v9h-13zM4 6.5h.01M6.7 6.5h.01M9.3 6.5h.01M12 6.5h.01M5 9.7h6',
  onDemand(async () => (await import('./sheet')).ShortcutSheet),
);

export const PaletteButton = opener(
  'palette',
  mark('Find a command, topic or profile'),
  mark('Find a command, topic or profile (Ctrl+K)'),
  'M7 2.5a4.5 4.5 0 1 0 0 9 4.5 4.5 0 0 0 0-9zM10.3 10.3 14 14',
  onDemand(async () => (await import('../palette/palette')).Palette),
);
