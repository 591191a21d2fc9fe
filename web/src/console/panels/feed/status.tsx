/** How many messages arrived and are kept, in a line below the views. */

import type { ComponentChildren } from 'preact';
import { t } from '../../core/i18n/i18n';
import { formatBytes, formatCount, formatSmall } from '../../core/text';
import { budgets, type Feed, maxMessages } from '../../log/feed';
import { type Fact, Facts } from '../../ui/facts';
import { Select } from '../../ui/fields';

type Figures = ReturnType<Feed['figures']>;

function Counts({ rate, kept, bytes, received, dropped, evicted }: Figures & { rate: number }) {
  const facts: Fact[] = [
    { name: t('Received'), value: formatCount(received), title: t('Messages since the page was opened') },
    { name: t('Per second'), value: formatSmall(rate), title: t('Over the last three seconds') },
    {
      name: t('In memory'),
      value: formatCount(kept),
      title: t('Received and sent messages that are in the list or could be: {size}', {
        size: formatBytes(bytes),
      }),
    },
    {
      name: t('Discarded'),
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

interface Props {
  feed: Feed;
  shown: boolean;
  children: ComponentChildren;
}

export function FeedStatus({ feed, shown, children }: Props) {
  // Updates with the list, and once a second while the list is hidden.
  feed.view.value;
  feed.total.value;
  const figures = feed.figures();
  const { bytes } = figures;
  return (
    <footer class="feed-status flow fine surface rigid" data-shown={shown}>
      <Counts {...figures} rate={feed.rate.value} />
      <Select
        label={t('Memory limit')}
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
      {children}
    </footer>
  );
}
