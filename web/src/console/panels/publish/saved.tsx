import { useState } from 'preact/hooks';
import { plural, t } from '../../core/i18n/i18n';
import { readText } from '../../core/read-text';
import { saveAs } from '../../core/save-as';
import { formatCount, visible } from '../../core/text';
import type { Page } from '../../session/page';
import type { Publisher } from '../../session/publisher';
import { createSaved, exportMessages, largestFile, type SavedMessage } from '../../session/saved';
import { Button, FileButton, IconButton } from '../../ui/button';
import { submits, TextField } from '../../ui/fields';
import { useTold } from '../../ui/told';
import { MessageRow } from './message-row';
import './messages.css';

const savedOf = () => createSaved();

function exportAll(messages: readonly SavedMessage[], collection = ''): void {
  const name = collection.replace(/[^\p{L}\p{N}_-]+/gu, '-').slice(0, 60);
  const file = new Blob([exportMessages(messages)], { type: 'application/json' });
  saveAs(`mqttwasm-messages${name && `-${name}`}.json`, file);
}

interface CollectionProps {
  name: string;
  messages: readonly SavedMessage[];
  onUse(message: SavedMessage): void;
  onDelete(message: SavedMessage): void;
}

function Collection({ name, messages, onUse, onDelete }: CollectionProps) {
  return (
    <section class="stack" aria-label={visible(name) || t('Without collection')}>
      {name !== '' && (
        <h4 class="collection-name line">
          <bdi class="clip">{visible(name)}</bdi>
          <span class="chip">{formatCount(messages.length)}</span>
          <IconButton
            label={t('Export {name}', { name: visible(name) })}
            onClick={() => exportAll(messages, name)}
          >
            ↓
          </IconButton>
        </h4>
      )}
      <ul class="message-list box" aria-label={t('Saved messages')}>
        {messages.map((entry) => (
          <MessageRow
            key={entry.name}
            message={entry.message}
            title={<bdi>{visible(entry.name)}</bdi>}
            onUse={() => onUse(entry)}
          >
            <IconButton
              label={t('Delete {name}', { name: visible(entry.name) })}
              onClick={() => onDelete(entry)}
            />
          </MessageRow>
        ))}
      </ul>
    </section>
  );
}

export function SavedMessages({ page, publisher }: { page: Page; publisher: Publisher }) {
  const saved = page.part(savedOf);
  const [name, setName] = useState('');
  const [collection, setCollection] = useState('');
  const hint = useTold();
  const news = useTold();
  const draft = publisher.draft.value;
  const entries = saved.entries.value;
  const collections = [...new Set(entries.map((entry) => entry.collection))].sort((a, b) =>
    a.localeCompare(b),
  );

  function save() {
    const given = name.trim();
    if (given === '') hint.value = () => t('A name to find it by');
    else if (draft.file) hint.value = () => t('A file is not saved: remove it, or type the payload');
    else {
      hint.value = '';
      if (saved.save(given, draft, collection.trim())) setName('');
    }
  }

  async function read(file: File) {
    const text = await readText(file, largestFile, saved.problem);
    const count = text === undefined ? 0 : saved.add(text);
    news.value = () =>
      count > 0 ? plural(count, '{count} message imported.', '{count} messages imported.') : '';
  }

  return (
    <div class="stack">
      <form
        class="saved-form level stack"
        aria-label={t('Save this message')}
        noValidate
        onSubmit={submits(save)}
      >
        <TextField
          label={t('Save this message as')}
          value={name}
          error={hint.value || saved.problem.value || undefined}
          onEdit={(typed) => {
            setName(typed);
            hint.value = '';
          }}
        />
        <TextField label={t('Collection')} value={collection} onEdit={setCollection} />
        <Button type="submit">{t('Save')}</Button>
      </form>
      {entries.length === 0 && (
        <p class="empty-line">{t('Nothing saved yet. Saved messages stay in this browser.')}</p>
      )}
      {collections.map((of) => (
        <Collection
          key={of}
          name={of}
          messages={entries.filter((entry) => entry.collection === of)}
          onUse={(entry) => {
            publisher.edit(entry.message);
            setCollection(of);
          }}
          onDelete={({ name }) => saved.remove(name, of)}
        />
      ))}
      <div class="flow">
        <FileButton small label={t('Import messages')} accept=".json,application/json" onFile={read} />
        <Button small disabled={entries.length === 0} onClick={() => exportAll(entries)}>
          {t('Export')}
        </Button>
        <output class="muted">{news.value}</output>
      </div>
    </div>
  );
}
