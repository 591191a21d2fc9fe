/** Recordings: beyond what the feed keeps in memory, on this browser's disk. */

import { useEffect, useRef, useState } from 'preact/hooks';
import { formatBytes, visible } from '../../core/text';
import type { Feed } from '../../log/feed';
import { noMistakes } from '../../recordings/jobs';
import { type Recordings, recordingsOf } from '../../recordings/recordings';
import type { Page } from '../../session/page';
import { Button, FileButton } from '../../ui/button';
import { Checkbox } from '../../ui/fields';
import { useKeptFocus } from '../../ui/kept-focus';
import { Activities } from './activities';
import { Item } from './item';
import './recordings.css';
import { t } from '../../core/i18n/i18n';

interface Props {
  page: Page;
  open: boolean;
}

function Space({ recordings }: { recordings: Recordings }) {
  const { library, recording, jobs } = recordings;
  const space = library.space.value;
  const recorded = recording.recorder.value?.written.value.chunks;
  const imported = jobs.transfer.value?.part;
  useEffect(() => void library.measure(), [library, recorded, imported]);
  if (!space) return null;
  return (
    <p class="field-hint wrap small-text">
      {t('{used} of this browser’s storage in use, {available} free.', {
        used: formatBytes(space.used),
        available: formatBytes(space.available),
      })}{' '}
      {space.kept
        ? t('The browser keeps recordings until you delete them.')
        : t('The browser may delete recordings when it is short of space.')}
    </p>
  );
}

function Start({ recordings, feed }: { recordings: Recordings; feed: Feed }) {
  const { recording, jobs } = recordings;
  const [chosen, setChosen] = useState(true);
  // An invalid filter is not used.
  const topic = feed.filterErrors.value.topic ? '' : feed.filter.value.topic;
  const filter = chosen ? topic : '';
  return (
    <div class="flow wrap">
      <Button look="primary" class="recording-switch" onClick={() => void recording.start(filter)}>
        {t('Start recording')}
      </Button>
      <FileButton
        label={t('Import a recording')}
        accept=".ndjson,.jsonl,application/x-ndjson"
        disabled={jobs.transfer.value !== undefined}
        onFile={jobs.importFile}
      />
      {topic === '' ? (
        <span class="muted">{t('Everything that arrives and is sent, whatever the list shows.')}</span>
      ) : (
        <Checkbox
          label={t('Only topics matching {filter}', { filter: visible(topic) })}
          checked={chosen}
          onEdit={setChosen}
        />
      )}
    </div>
  );
}

function List({ page }: { page: Page }) {
  const { library, recording } = page.part(recordingsOf);
  const recorded = recording.recorder.value?.written.value.id;
  const shown = library.list.value?.filter(({ id }) => id !== recorded);
  if (!shown) return <p class="empty-line">{t('Loading…')}</p>;
  if (shown.length === 0)
    return (
      <p class="empty-line">
        {recorded === undefined
          ? t('No recordings yet. They stay in this browser.')
          : t('No other recordings. They stay in this browser.')}
      </p>
    );
  return (
    <ul class="box" aria-label={t('Recordings')}>
      {shown.map((recording) => (
        <Item key={recording.id} recording={recording} page={page} />
      ))}
    </ul>
  );
}

export function RecordingsPanel({ page, open }: Props) {
  const { feed } = page;
  const recordings = page.part(recordingsOf);
  const { library, recording, jobs } = recordings;
  const section = useRef<HTMLElement>(null);
  // One switch takes the place of the other.
  useKeptFocus(section, '.recording-switch');

  useEffect(() => {
    if (open) {
      void library.refresh();
      return;
    }
    library.said.value = '';
    jobs.mistakes.value = noMistakes;
  }, [library, jobs, open]);

  useEffect(() => {
    // The last chance to write what waits before the page is closed.
    const flush = () => void recording.recorder.peek()?.flush();
    addEventListener('pagehide', flush);
    return () => removeEventListener('pagehide', flush);
  }, [recording]);

  return (
    <section ref={section} class="recordings stack" aria-label={t('Recordings')} tabIndex={-1}>
      <Activities recordings={recordings} />
      {open && (
        <>
          {!recording.recorder.value && <Start recordings={recordings} feed={feed} />}
          <List page={page} />
          <Space recordings={recordings} />
        </>
      )}
    </section>
  );
}
