import { useState } from 'preact/hooks';
import { visible } from '../../core/text';
import type { Publisher } from '../../session/publisher';
import { createSaved } from '../../session/saved';
import { Button, IconButton } from '../../ui/button';
import { TextField } from '../../ui/fields';
import { MessageRow } from './message-row';
import './messages.css';
import { t } from '../../core/i18n/i18n';

const saved = createSaved();

export function SavedMessages({ publisher }: { publisher: Publisher }) {
  const [name, setName] = useState('');
  const [hint, setHint] = useState('');
  const draft = publisher.draft.value;

  function save() {
    const given = name.trim();
    if (given === '') setHint(t('A name to find it by'));
    else if (draft.file) setHint(t('A file is not saved: remove it, or type the payload'));
    else {
      setHint('');
      if (saved.save(given, draft)) setName('');
    }
  }

  return (
    <div class="stack">
      <form
        class="saved-form stack"
        aria-label={t('Save this message')}
        noValidate
        onSubmit={(event) => {
          event.preventDefault();
          save();
        }}
      >
        <TextField
          label={t('Save this message as')}
          value={name}
          error={hint || saved.problem.value || undefined}
          onEdit={(typed) => {
            setName(typed);
            setHint('');
          }}
        />
        <Button type="submit">{t('Save')}</Button>
      </form>
      {saved.entries.value.length === 0 ? (
        <p class="empty-line">{t('Nothing saved yet. Saved messages stay in this browser.')}</p>
      ) : (
        <ul class="message-list box" aria-label={t('Saved messages')}>
          {saved.entries.value.map((entry) => (
            <MessageRow
              key={entry.name}
              message={entry.message}
              title={<bdi>{visible(entry.name)}</bdi>}
              onUse={() => publisher.edit(entry.message)}
            >
              <IconButton
                label={t('Delete {name}', { name: visible(entry.name) })}
                onClick={() => saved.remove(entry.name)}
              />
            </MessageRow>
          ))}
        </ul>
      )}
    </div>
  );
}
