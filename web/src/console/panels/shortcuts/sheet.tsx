import type { Shortcuts } from '../../shortcuts/store';
import { Dialog } from '../../ui/dialog';
import { Checkbox } from '../../ui/fields';
import { apple, KeyNames } from './key-names';
import './sheet.css';
import { t } from '../../core/i18n/i18n';

export function ShortcutSheet({ shortcuts }: { shortcuts: Shortcuts }) {
  const on = shortcuts.on.value;
  return (
    <Dialog
      wide
      title={t('Keyboard shortcuts')}
      closeLabel={t('Close keyboard shortcuts')}
      onClose={() => {
        shortcuts.shown.value = undefined;
      }}
      footer={
        <>
          <Checkbox label={t('Single-key shortcuts')} checked={on} onEdit={shortcuts.turn} />
          <p class="field-hint wrap small-text">
            {on
              ? t('They are off while you type in a field.')
              : t('Esc and keys with {key} still work.', { key: apple ? '⌘' : 'Ctrl' })}
          </p>
        </>
      }
    >
      <div class="shortcut-groups">
        {shortcuts.groups.map(({ title, shortcuts: some }) => (
          <section key={title} aria-label={t(title)}>
            <h3>{t(title)}</h3>
            <dl>
              {some.map(({ keys, words }) => (
                <div key={words}>
                  <dt>
                    <KeyNames keys={keys} />
                  </dt>
                  <dd>{t(words)}</dd>
                </div>
              ))}
            </dl>
          </section>
        ))}
      </div>
    </Dialog>
  );
}
