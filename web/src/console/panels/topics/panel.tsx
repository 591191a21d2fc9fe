import { useSignalEffect } from '@preact/signals';
import { useEffect, useId } from 'preact/hooks';
import { formatBytes, formatCount } from '../../core/text';
import { benchOf } from '../../session/bench';
import type { Page } from '../../session/page';
import type { Session } from '../../session/session';
import { caps, rateOf } from '../../topics/model';
import { filterOf, formatRate } from '../../topics/preview';
import type { Workbench } from '../../topics/workbench';
import { Button } from '../../ui/button';
import { type Fact, Facts } from '../../ui/facts';
import { useScripts } from '../scripts/start';
import { useRowMenus } from '../workspace/row-menus';
import { Charts } from './charts';
import { ClearDialog, ClearedNotice } from './clear-dialog';
import { Tree } from './tree';
import './topics.css';
import { t } from '../../core/i18n/i18n';

interface Props {
  page: Page;
  session: Session;
}

/** Milliseconds between looks at the numbers: more often nobody can read them. */
const pace = 250;

function Figures({ bench }: { bench: Workbench }) {
  bench.tick.value;
  const { root, beyond, bytes } = bench.model;
  const facts: Fact[] = [
    {
      name: t('Topics'),
      value: formatCount(root.topics),
      title: t(
        "Topics that messages came on; they take {used}. Kept are up to {count} levels or {size}, of all connections together; a topic's history begins when you look at it.",
        { used: formatBytes(bytes), count: formatCount(caps.nodes), size: formatBytes(caps.bytes) },
      ),
    },
    {
      name: t('Rate'),
      value: formatRate(rateOf(root, bench.now())) || '0/s',
      title: t('Messages a second, over about the last five'),
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
  const id = useId();
  const query = bench.query.value;
  const { found, looked, done } = bench.searched.value;
  return (
    <search class="topics-search line">
      <label class="visually-hidden" for={id}>
        {t('Search topics')}
      </label>
      <input
        id={id}
        class="input mono"
        type="search"
        placeholder={t('Search topics')}
        autocomplete="off"
        autocapitalize="none"
        spellcheck={false}
        value={query}
        onInput={(event) => bench.find(event.currentTarget.value)}
      />
      <output class="topics-found muted">
        {query !== '' &&
          t(done ? '{found} found' : '{found} of {looked}…', {
            found: formatCount(found),
            looked: formatCount(looked),
          })}
      </output>
    </search>
  );
}

function Empty({ bench }: { bench: Workbench }) {
  bench.tick.value;
  const searching = bench.query.value !== '' && bench.model.nodes > 0;
  return (
    <div class="empty-view">
      <p class="empty-title">{searching ? t('No such topic') : t('No topics yet')}</p>
      <p>
        {searching
          ? t('No topic that messages came on contains this.')
          : t('Each topic appears here with its first message. Subscribe to # for everything.')}
      </p>
    </div>
  );
}

export function TopicsPanel({ page, session, shown }: Props & { shown: boolean }) {
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
    page.showOnly(node && { topic: filterOf(node), connection: several ? session.name.value : '' });
  });

  return (
    <section class="topics" aria-labelledby={heading}>
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
          disabled={none && bench.query.value === ''}
          onClick={bench.forgetAll}
        >
          {t('Clear tree')}
        </Button>
      </header>
      <div class="topics-body">
        <Tree bench={bench} session={session} />
        {none && <Empty bench={bench} />}
      </div>
      <ClearedNotice bench={bench} />
      <ClearDialog bench={bench} />
    </section>
  );
}

/** What is charted, below the messages. */
export function ChartPane({ session }: Props) {
  return <Charts bench={session.part(benchOf)} />;
}
