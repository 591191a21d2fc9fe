import type { Signal } from '@preact/signals';
import { useEffect, useId, useMemo, useRef, useState } from 'preact/hooks';
import { formatBytes, formatCount } from '../../core/text';
import { budgets } from '../../log/budget';
import { type Feed, maxMessages } from '../../log/feed';
import { conditionsOf } from '../../log/filter';
import type { Phase } from '../../session/connection';
import type { Page } from '../../session/page';
import { Button } from '../../ui/button';
import { type Fact, Facts } from '../../ui/facts';
import { Select } from '../../ui/fields';
import { onDemand } from '../../ui/on-demand';
import { Empty } from './empty';
import { createSelecting } from './filter-mark';
import { FilterBar } from './filters';
import { LogList } from './list';
import { labelFor, Row } from './row';
import './feed.css';
import { plural, t } from '../../core/i18n/i18n';

const loadDetails = async () => (await import('./details')).Details;
const Details = onDemand(loadDetails);
const Recordings = onDemand(async () => (await import('../recordings/panel')).RecordingsPanel);

function formatRate(rate: number): string {
  return rate >= 10 || Number.isInteger(rate) ? formatCount(Math.round(rate)) : rate.toFixed(1);
}

function Counts({ feed }: { feed: Feed }) {
  const { kept, bytes, received, dropped, evicted } = feed.view.value;
  const facts: Fact[] = [
    { name: t('Received'), value: formatCount(received), title: t('Messages since the page was opened') },
    { name: t('Per second'), value: formatRate(feed.rate.peek()), title: t('Over the last three seconds') },
    {
      name: t('Kept'),
      value: formatCount(kept),
      title: t('Received and sent messages that are in the list or could be: {size}', {
        size: formatBytes(bytes),
      }),
    },
    {
      name: t('Evicted'),
      value: formatCount(evicted),
      title: t('Received or sent, then removed to make room for newer ones'),
    },
    {
      name: t('Dropped'),
      value: formatCount(dropped),
      title: t('QoS 0 messages that came faster than this page could take them'),
      alarm: dropped > 0,
    },
  ];
  return <Facts look="line" class="counts" facts={facts} />;
}

/** What opens another part of the feed. */
interface Opener {
  id: string;
  open: boolean;
  onOpen(): void;
}

function Tools({ feed, opener }: { feed: Feed; opener: Opener }) {
  const { kept, waiting } = feed.view.value;
  const paused = feed.paused.value;
  return (
    <div class="feed-tools flow">
      {paused && <span class="feed-waiting">{t('{count} waiting', { count: formatCount(waiting) })}</span>}
      <Button small onClick={() => feed.pause(!paused)}>
        {paused ? t('Resume') : t('Pause')}
      </Button>
      <Button small disabled={kept === 0} onClick={feed.clear}>
        {t('Clear')}
      </Button>
      <Button small aria-expanded={opener.open} aria-controls={opener.id} onClick={opener.onOpen}>
        {t('Record')}
      </Button>
    </div>
  );
}

function Budget({ feed }: { feed: Feed }) {
  const { bytes } = feed.view.value;
  return (
    <footer class="feed-foot flow fine">
      <Select
        label={t('Keeps the newest')}
        class="inline"
        value={feed.budget.value}
        options={budgets.map((size) => [size, formatBytes(size)] as const)}
        onEdit={feed.resize}
      />
      <span
        title={t('Payloads, topics, and what the browser needs for them. At most {count} messages.', {
          count: formatCount(maxMessages),
        })}
      >
        {t('{size} in use', { size: formatBytes(bytes) })}
      </span>
    </footer>
  );
}

/** Seconds between summaries for a screen reader. */
const pause = 5;

/** Says now and then how many messages came, in place of each of them; and what a search has found. */
function Announcer({ feed }: { feed: Feed }) {
  const [said, setSaid] = useState('');
  useEffect(() => {
    let heard = feed.view.peek().received;
    const timer = setInterval(() => {
      const { received } = feed.view.peek();
      const news = received - heard;
      heard = received;
      if (news > 0) setSaid(plural(news, '{count} new message', '{count} new messages', formatCount(news)));
    }, pause * 1000);
    return () => clearInterval(timer);
  }, [feed]);

  // Once a search: what comes later is told as new messages.
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
  const { kept, looked } = feed.view.value;
  const filter = feed.filter.value;
  if (kept > 0 && (filter.search || conditionsOf(filter) > 0)) {
    return looked < 1
      ? [t('Searching'), t('Nothing found so far.')]
      : [t('No match'), t('None of the messages kept is what you ask for.')];
  }
  if (feed.paused.value) return [t('Paused'), t('Messages are kept, and shown when you press Resume.')];
  if (phase === 'connected') {
    return [t('Nothing yet'), t('Press Publish: the message comes back here, by way of the broker.')];
  }
  return phase === 'disconnected'
    ? [t('Not listening'), t('Connect to a broker to see messages arrive.')]
    : [t('One moment'), t('Messages appear here as soon as the broker answers.')];
}

interface Props {
  page: Page;
  phase: Signal<{ phase: Phase }>;
}

export function FeedPanel({ page, phase }: Props) {
  const { feed, filters } = page;
  const heading = useId();
  const recordings = useId();
  // Undefined until it is first opened: a recording goes on behind a closed panel.
  const [recording, setRecording] = useState<boolean>();
  const { first, end, generation } = feed.view.value;
  const subscribed = filters.value;
  const some = feed.view.value.kept > 0;
  // Before somebody asks, so that a click shows them at once.
  useEffect(() => {
    if (some) loadDetails().catch(() => {});
  }, [some]);
  const selecting = useMemo(() => createSelecting(subscribed), [subscribed]);
  return (
    <section class="panel feed" id="messages" aria-labelledby={heading}>
      <header class="feed-head flow">
        <h2 id={heading} class="visually-hidden">
          {t('Messages')}
        </h2>
        <Counts feed={feed} />
        <Tools
          feed={feed}
          opener={{ id: recordings, open: recording ?? false, onOpen: () => setRecording(!recording) }}
        />
      </header>
      <div id={recordings}>{recording !== undefined && <Recordings page={page} open={recording} />}</div>
      <FilterBar feed={feed} />
      <div class="feed-body">
        <LogList
          key={generation}
          log={feed}
          label={t('Messages')}
          narrow={26}
          labelFor={labelFor}
          row={(entry) => (
            <Row
              entry={entry}
              marks={feed.marks(entry)}
              withConnection={feed.names.value.length > 1}
              filters={selecting(entry)}
            />
          )}
        />
        {first === end && <Empty of={adviceFor(feed, phase.value.phase)} />}
      </div>
      {feed.open.value && <Details feed={feed} selecting={selecting} />}
      <Budget feed={feed} />
      <Announcer feed={feed} />
    </section>
  );
}
