import { useSignalEffect } from '@preact/signals';
import { useEffect, useId } from 'preact/hooks';
import { formatBytes, formatCount } from '../../core/text';
import { benchOf } from '../../session/bench';
import type { PartProps } from '../../session/page';
import { caps, rateOf } from '../../topics/model';
import { filterOf, formatRate } from '../../topics/preview';
import type { Workbench } from '../../topics/workbench';
import { Button } from '../../ui/button';
import { type Fact, Facts } from '../../ui/facts';
import { TextField } from '../../ui/fields';
import { Empty } from '../feed/empty';
import { useScripts } from '../scripts/start';
import { useRowMenus } from '../workspace/row-menus';
import { Charts } from './charts';
import { ClearDialog, ClearedNotice } from './clear-dialog';
import { Tree } from './tree';
import './topics.css';
import { t } from '../../core/i18n/i18n';

/** Milliseconds between updates of the numbers: faster ones can't be read. */
const pace = 250;

function Figures({ bench }: { bench: Workbench }) {
  bench.tick.value;
  const { root, beyond, bytes } = bench.model;
  const facts: Fact[] = [
    {
      name: t('Topics'),
      value: formatCount(root.topics),
      title: t(
        "Topics that messages arrived on; they take {used}. Up to {count} levels or {size} are kept, for all connections together; a topic's history begins when you look at it.",
        { used: formatBytes(bytes), count: caps.nodes, size: formatBytes(caps.bytes) },
      ),
    },
    {
      name: t('Rate'),
      value: formatRate(rateOf(root, bench.now())) || '0/s',
      title: t('Over the last three seconds'),
    },
    {
      name: t('Retained'),
      value: formatCount(root.retainedBelow),
      title: t('Topics with a message that the broker keeps'),
    },
  ];
  if (beyond > 0) {
    const title = t('Messages on topics that the tree has no room for');
    facts.push({ name: t('Beyond the tree'), value: formatCount(beyond), title, alarm: true });
  }
  return <Facts look="line" class="topics-facts" facts={facts} />;
}

function Search({ bench }: { bench: Workbench }) {
  const query = bench.query.value;
  const { found, looked, done } = bench.searched.value;
  return (
    <search class="topics-search line">
      <TextField
        type="search"
        class="bare grow"
        label={t('Search topics')}
        placeholder={t('Search topics')}
        value={query}
        onEdit={bench.find}
      />
      <output class="muted nowrap">
        {query !== '' && t(done ? '{found} found' : '{found} of {looked}…', { found, looked })}
      </output>
    </search>
  );
}

function adviceFor({ query, model }: Workbench): [title: string, advice: string] {
  return query.value !== '' && model.nodes > 0
    ? [t('No such topic'), t('No topic that messages arrived on contains this.')]
    : [
        t('No topics yet'),
        t('Each topic appears here with its first message. Subscribe to # for everything.'),
      ];
}

export function TopicsPanel({ page, session, shown }: PartProps & { shown: boolean }) {
  const heading = useId();
  const { topics } = session;
  const bench = session.part(benchOf);
  const none = bench.rows.value.nodes.length === 0;
  const era = topics.era.value;
  useRowMenus(page);
  useScripts(page);

  useEffect(() => {
    if (!shown) return;
    bench.refresh();
    const timer = setInterval(bench.update, pace);
    return () => clearInterval(timer);
  }, [bench, shown, era]);

  useSignalEffect(() => {
    const node = bench.selected.value;
    page.inspect('topic', node !== undefined);
    // Where messages of several connections are listed, only this one has the topic.
    const several = page.feed.names.value.length > 1;
    const connection = several ? session.name.value : '';
    page.showOnly(node && { topic: filterOf(node), connection }, bench.selection);
  });

  return (
    <section class="topics column" aria-labelledby={heading}>
      <header class="topics-head">
        <h2 id={heading} class="visually-hidden">
          {t('Topics')}
        </h2>
        <Search bench={bench} />
        <Figures bench={bench} />
        <Button
          small
          look="quiet"
          title={t('Empties the tree, its histories and the chart; nothing at the broker')}
          aria-disabled={none && bench.query.value === ''}
          onClick={bench.forgetAll}
        >
          {t('Clear tree')}
        </Button>
      </header>
      <div class="topics-body fill">
        <Tree bench={bench} session={session} />
        {none && <Empty of={adviceFor(bench)} />}
      </div>
      <ClearedNotice bench={bench} />
      <ClearDialog bench={bench} />
    </section>
  );
}

/** What is charted, below the messages. */
export function ChartPane({ session }: PartProps) {
  const bench = session.part(benchOf);
  useEffect(() => {
    const timer = setInterval(bench.restorePins, pace);
    return () => clearInterval(timer);
  }, [bench]);
  return <Charts bench={bench} />;
}
