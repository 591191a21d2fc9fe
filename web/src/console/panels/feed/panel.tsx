import { type Signal, useSignalEffect } from '@preact/signals';
import { useEffect, useId, useRef, useState } from 'preact/hooks';
import { formatCount } from '../../core/text';
import type { Feed } from '../../log/feed';
import { conditionsOf } from '../../log/filter';
import type { Readable } from '../../payload/guess';
import type { Page } from '../../session/page';
import type { Phase } from '../../session/phase';
import type { Session } from '../../session/session';
import { Button } from '../../ui/button';
import { onDemand } from '../../ui/on-demand';
import { Empty } from './empty';
import { selectingOf } from './filter-mark';
import { FilterBar } from './filters';
import { LogList } from './list';
import { labelFor, Row } from './row';
import './feed.css';
import { plural, t } from '../../core/i18n/i18n';

const loadDetails = () => import('./details');
const Recordings = onDemand(async () => (await import('../recordings/panel')).RecordingsPanel);

/** Undefined until it is first opened: a recording continues behind a closed panel. */
type Recording = Signal<boolean | undefined>;

const recordingsId = 'recordings';

export function FeedTools({ feed, recording }: { feed: Feed; recording: Recording }) {
  const { kept, waiting } = feed.view.value;
  const paused = feed.paused.value;
  return (
    <div class="flow tight">
      {paused && (
        <span class="warn small-text bold">{t('{count} waiting', { count: formatCount(waiting) })}</span>
      )}
      <Button
        small
        look="quiet"
        title={t('Keeps the newest message in view')}
        aria-pressed={feed.following.value}
        onClick={() => {
          feed.following.value = !feed.following.value;
        }}
      >
        {t('Follow')}
      </Button>
      <Button small look="quiet" onClick={() => feed.pause(!paused)}>
        {paused ? t('Resume') : t('Pause')}
      </Button>
      <Button small look="quiet" aria-disabled={kept === 0} onClick={feed.clear}>
        {t('Clear')}
      </Button>
      <Button
        small
        look="quiet"
        data-record
        aria-expanded={recording.value ?? false}
        aria-controls={recordingsId}
        onClick={() => {
          recording.value = !recording.value;
        }}
      >
        {t('Record')}
      </Button>
    </div>
  );
}

/** Seconds between summaries for a screen reader. */
const pause = 5;

/**
 * Announces now and then how many messages arrived, instead of each of them; and what a search has
 * found.
 */
function Announcer({ feed }: { feed: Feed }) {
  const [said, setSaid] = useState('');
  useEffect(() => {
    let heard = feed.view.peek().received;
    const timer = setInterval(() => {
      const { received } = feed.view.peek();
      const news = received - heard;
      heard = received;
      if (news > 0) setSaid(plural(news, '{count} new message', '{count} new messages'));
    }, pause * 1000);
    return () => clearInterval(timer);
  }, [feed]);

  // Once per search: later matches are announced as new messages.
  const told = useRef(0);
  const { generation, looked } = feed.view.value;
  const news = looked === 1 && generation !== told.current;
  useEffect(() => {
    if (!news) return;
    told.current = generation;
    const { first, end, kept } = feed.view.peek();
    setSaid(
      t('{found} of {kept} messages shown', { found: formatCount(end - first), kept: formatCount(kept) }),
    );
  }, [feed, generation, news]);

  return (
    <p class="visually-hidden" aria-live="polite">
      {said}
    </p>
  );
}

function adviceFor(feed: Feed, phase: Phase): [title: string, advice: string] {
  const { kept, looked, waiting } = feed.view.value;
  const filter = feed.filter.value;
  if (waiting > 0) return [t('Paused'), t('Messages are kept, and shown when you press Resume.')];
  if (kept > 0 && (filter.search || conditionsOf(filter) > 0)) {
    return looked < 1
      ? [t('Searching'), t('Nothing found so far.')]
      : [t('No matching messages'), t('No message in memory matches the filter.')];
  }
  if (feed.paused.value) return [t('Paused'), t('Messages are kept, and shown when you press Resume.')];
  if (phase === 'connected' && kept > 0) {
    return [t('Nothing received yet'), t('To see what you sent, set Filter, Direction to Sent or Both.')];
  }
  if (phase === 'connected') {
    return [t('Nothing yet'), t('Press Publish: the broker will echo your message here.')];
  }
  return phase === 'disconnected'
    ? [t('Not listening'), t('Connect to a broker to see messages arrive.')]
    : [t('One moment'), t('Messages appear here as soon as the broker answers.')];
}

interface Props {
  page: Page;
  session: Session;
  recording: Recording;
}

export function FeedPanel({ page, session, recording }: Props) {
  const { feed } = page;
  const heading = useId();
  const { first, end, generation, kept } = feed.view.value;
  const some = kept > 0;
  // Preloads them, so that a click shows them at once.
  useEffect(() => {
    if (some) loadDetails().catch(() => {});
  }, [some]);
  useSignalEffect(() => page.inspect('message', feed.open.value !== undefined));
  const selecting = page.part(selectingOf).value;
  return (
    <section class="feed column" id="messages" aria-labelledby={heading}>
      <h2 id={heading} class="visually-hidden">
        {t('Messages')}
      </h2>
      <div id={recordingsId} class="scrolls">
        {recording.value !== undefined && <Recordings page={page} open={recording.value} />}
      </div>
      <FilterBar feed={feed} />
      <div class="feed-body sunken">
        <LogList
          key={generation}
          log={feed}
          label={t('Messages')}
          breakpoint={30}
          labelFor={labelFor}
          row={(entry) => (
            <Row
              entry={entry}
              recall={feed.choices.recall}
              decoded={(entry.message as Readable).decoded}
              alert={entry.alert}
              unsent={entry.unsent}
              marks={feed.marks(entry)}
              hueOf={feed.names.value.length > 1 ? page.sessions.hueOf : undefined}
              sources={selecting(entry)}
            />
          )}
        />
        {first === end && <Empty of={adviceFor(feed, session.connection.status.value.phase)} />}
      </div>
      <Announcer feed={feed} />
    </section>
  );
}
