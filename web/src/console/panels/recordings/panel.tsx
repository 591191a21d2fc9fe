/** Recordings: beyond what the feed keeps in memory, on this browser's disk. */

import { useEffect, useState } from 'preact/hooks';
import { formatBytes, visible } from '../../core/text';
import type { Feed } from '../../log/feed';
import { noMistakes } from '../../recordings/jobs';
import { createParts, type Parts } from '../../recordings/parts';
import type { Page } from '../../session/page';
import { withoutSecrets } from '../../session/settings';
import { Button, FileButton } from '../../ui/button';
import { Checkbox } from '../../ui/fields';
import { Activities } from './activities';
import { useFocusOnReturn } from './focus';
import { Item } from './item';
import './recordings.css';
import { t } from '../../core/i18n/i18n';

interface Props {
  page: Page;
  open: boolean;
}

/** They go on behind a closed panel. */
const recordingsOf = ({ feed, sessions }: Page) =>
  createParts(feed, () =>
    sessions.list
      .peek()
      .flatMap(({ client }) => client.peek()?.url ?? [])
      .map(withoutSecrets)
      .join(', '),
  );

function Space({ parts }: { parts: Parts }) {
  const space = parts.library.space.value;
  if (!space) return null;
  return (
    <p class="field-hint wrap">
      {t("{used} of this browser's room in use, {available} free.", {
        used: formatBytes(space.used),
        available: formatBytes(space.available),
      })}{' '}
      {space.kept
        ? t('The browser keeps recordings until you delete them.')
        : t('The browser may delete recordings when it is short of space.')}
    </p>
  );
}

function Start({ parts, feed }: { parts: Parts; feed: Feed }) {
  const { recording, jobs } = parts;
  const [chosen, setChosen] = useState(true);
  // With a mistake in it, it selects nothing.
  const topic = feed.filterErrors.value.topic ? '' : feed.filter.value.topic;
  const filter = chosen ? topic : '';
  const button = useFocusOnReturn();
  return (
    <div class="recordings-start flow">
      <Button look="primary" ref={button} onClick={() => void recording.start(filter)}>
        {t('Start recording')}
      </Button>
      <FileButton
        text={t('Import…')}
        label={t('Import a recording')}
        accept=".ndjson,.jsonl,application/x-ndjson"
        disabled={jobs.transfer.value !== undefined}
        onFiles={([file]) => file && void jobs.importFile(file)}
      />
      {topic === '' ? (
        <span class="recordings-what">
          {t('Everything that arrives and is sent, whatever the list shows.')}
        </span>
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

function List({ parts, page }: { parts: Parts; page: Page }) {
  const list = parts.library.list.value;
  const recorded = parts.recording.recorder.value?.written.value.id;
  const shown = list?.filter(({ id }) => id !== recorded);
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
    <ul class="recordings-list box" aria-label={t('Recordings')}>
      {shown.map((recording) => (
        <Item key={recording.id} recording={recording} parts={parts} page={page} />
      ))}
    </ul>
  );
}

export function RecordingsPanel({ page, open }: Props) {
  const { feed } = page;
  const parts = page.part(recordingsOf);
  const { library, recording, jobs } = parts;

  useEffect(() => {
    if (open) {
      void library.refresh();
      return;
    }
    library.said.value = '';
    jobs.mistakes.value = noMistakes;
  }, [library, jobs, open]);

  useEffect(() => {
    // The last chance: what waits is handed to the browser before the page goes.
    const flush = () => void recording.recorder.peek()?.flush();
    addEventListener('pagehide', flush);
    return () => removeEventListener('pagehide', flush);
  }, [recording]);

  return (
    <section
      class={open ? 'recordings recordings-open' : 'recordings'}
      aria-label={t('Recordings')}
      tabIndex={-1}
    >
      <Activities parts={parts} />
      {open && (
        <>
          {!recording.recorder.value && <Start parts={parts} feed={feed} />}
          <List parts={parts} page={page} />
          <Space parts={parts} />
        </>
      )}
    </section>
  );
}
