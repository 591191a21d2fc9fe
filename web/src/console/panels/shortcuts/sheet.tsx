import { useId, useLayoutEffect, useRef } from 'preact/hooks';
import { isApple, namesOf } from '../../shortcuts/keys';
import type { Shortcuts } from '../../shortcuts/store';
import { Checkbox } from '../../ui/fields';
import './sheet.css';
import { t } from '../../core/i18n/i18n';

const apple = isApple(navigator.platform);

export function ShortcutSheet({ shortcuts }: { shortcuts: Shortcuts }) {
  const id = useId();
  const dialog = useRef<HTMLDialogElement>(null);
  useLayoutEffect(() => dialog.current?.showModal(), []);
  const on = shortcuts.on.value;
  return (
    <dialog
      ref={dialog}
      class="shortcut-sheet"
      aria-labelledby={id}
      onClose={() => {
        shortcuts.shown.value = false;
      }}
    >
      <header>
        <h2 id={id}>{t('Keyboard shortcuts')}</h2>
        <button
          type="button"
          class="button icon"
          aria-label={t('Close keyboard shortcuts')}
          onClick={() => dialog.current?.close()}
        >
          ×
        </button>
      </header>
      <div class="shortcut-groups">
        {shortcuts.groups.map(({ title, shortcuts: some }) => (
          <section key={title} aria-label={t(title)}>
            <h3>{t(title)}</h3>
            <dl>
              {some.map(({ keys, words }) => (
                <div key={words}>
                  <dt>
                    {namesOf(keys, apple).map((name) => (
                      <kbd key={name}>{name}</kbd>
                    ))}
                  </dt>
                  <dd>{t(words)}</dd>
                </div>
              ))}
            </dl>
          </section>
        ))}
      </div>
      <footer>
        <Checkbox label={t('Single-key shortcuts')} checked={on} onEdit={shortcuts.turn} />
        <p class="field-hint">
          {on
            ? t('They rest while you type in a field.')
            : t('Keys with {key}, and Esc, work all the same.', { key: apple ? '⌘' : 'Ctrl' })}
        </p>
      </footer>
    </dialog>
  );
}
