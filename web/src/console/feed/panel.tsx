import type { Signal } from '@preact/signals';
import { useEffect, useId, useState } from 'preact/hooks';
import type { Phase } from '../connection/store';
import { formatBytes, formatCount } from '../text';
import { Details } from './details';
import { List } from './list';
import { type Feed, maxBytes, maxMessages } from './store';
import './feed.css';

function formatRate(rate: number): string {
  return rate >= 10 || Number.isInteger(rate) ? formatCount(Math.round(rate)) : rate.toFixed(1);
}

function Count({
  name,
  value,
  title,
  alarm,
}: {
  name: string;
  value: string;
  title: string;
  alarm?: boolean;
}) {
  return (
    <div class="count" title={title} data-alarm={alarm}>
      <dt>{name}</dt>
      <dd>{value}</dd>
    </div>
  );
}

function Counts({ feed }: { feed: Feed }) {
  const { first, end, bytes, received, dropped, evicted } = feed.view.value;
  return (
    <dl class="counts">
      <Count name="Received" value={formatCount(received)} title="Messages since the page was opened" />
      <Count name="Per second" value={formatRate(feed.rate.value)} title="Over the last three seconds" />
      <Count
        name="Kept"
        value={formatCount(end - first)}
        title={`The newest ${formatCount(maxMessages)} messages or ${formatBytes(maxBytes)}, whichever is less; now ${formatBytes(bytes)}`}
      />
      <Count
        name="Evicted"
        value={formatCount(evicted)}
        title="Received and listed, then removed to make room for newer ones"
      />
      <Count
        name="Dropped"
        value={formatCount(dropped)}
        title="QoS 0 messages that came faster than this page could take them"
        alarm={dropped > 0}
      />
    </dl>
  );
}

/** Seconds between summaries for a screen reader. */
const pause = 5;

/** Says now and then how many messages came, in place of each of them. */
function Announcer({ feed }: { feed: Feed }) {
  const [said, setSaid] = useState('');
  useEffect(() => {
    let heard = feed.view.peek().received;
    const timer = setInterval(() => {
      const { received } = feed.view.peek();
      const news = received - heard;
      heard = received;
      if (news > 0) setSaid(`${formatCount(news)} new ${news === 1 ? 'message' : 'messages'}`);
    }, pause * 1000);
    return () => clearInterval(timer);
  }, [feed]);
  return (
    <p class="visually-hidden" aria-live="polite">
      {said}
    </p>
  );
}

function Empty({ phase }: { phase: Phase }) {
  const [title, advice] =
    phase === 'connected'
      ? ['Nothing yet', 'Press Publish: the message comes back here, by way of the broker.']
      : phase === 'disconnected'
        ? ['Not listening', 'Connect to a broker to see messages arrive.']
        : ['One moment', 'Messages appear here as soon as the broker answers.'];
  return (
    <div class="feed-empty">
      <p class="feed-empty-title">{title}</p>
      <p>{advice}</p>
    </div>
  );
}

export function FeedPanel({ feed, phase }: { feed: Feed; phase: Signal<{ phase: Phase }> }) {
  const heading = useId();
  const { first, end } = feed.view.value;
  return (
    <section class="panel feed" id="messages" aria-labelledby={heading}>
      <header class="feed-head">
        <h2 id={heading}>Messages</h2>
        <Counts feed={feed} />
        <button type="button" class="button small" disabled={first === end} onClick={feed.clear}>
          Clear
        </button>
      </header>
      <div class="feed-body">
        <List feed={feed} />
        {first === end && <Empty phase={phase.value.phase} />}
      </div>
      <Details feed={feed} />
      <footer class="feed-foot">
        Keeps the newest {formatCount(maxMessages)} messages or {formatBytes(maxBytes)}.
      </footer>
      <Announcer feed={feed} />
    </section>
  );
}
