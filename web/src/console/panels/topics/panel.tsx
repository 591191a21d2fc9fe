import { useEffect, useId } from 'preact/hooks';
import { toFailure } from '../../core/failure';
import { paintWhile } from '../../core/paint';
import { formatBytes, formatCount } from '../../core/text';
import { pageTiming } from '../../core/timing';
import type { Session } from '../../session/session';
import { caps, rateOf } from '../../topics/model';
import { formatRate } from '../../topics/preview';
import { createWorkbench, type Workbench } from '../../topics/workbench';
import { Button } from '../../ui/button';
import { type Fact, Facts } from '../../ui/facts';
import { onDemand } from '../../ui/on-demand';
import { Split } from '../../ui/split';
import { ClearDialog } from './clear-dialog';
import { Details } from './details';
import { Tree } from './tree';
import './chart.css';
import './topics.css';
import { t } from '../../core/i18n/i18n';

const Chart = onDemand(async () => (await import('./chart')).Chart);

/** What somebody has unfolded and charted waits while another session's topics are shown. */
const benchOf = ({ topics, view }: Session) =>
  createWorkbench(topics, {
    frame: pageTiming.frame,
    paint: paintWhile(view, 'topics'),
    toFailure,
  });

/** Milliseconds between looks at the numbers: more often nobody can read them. */
const pace = 250;

function Figures({ bench }: { bench: Workbench }) {
  bench.tick.value;
  const { root, beyond, bytes } = bench.model;
  const facts: Fact[] = [
    {
      name: t('Topics'),
      value: formatCount(root.topics),
      title: t('Topics that messages came on; they take {size}', { size: formatBytes(bytes) }),
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

export function TopicsPanel({ session, shown }: { session: Session; shown: boolean }) {
  const heading = useId();
  const { topics } = session;
  const bench = session.part(benchOf);
  const none = bench.rows.value.nodes.length === 0;
  const era = topics.era.value;

  useEffect(() => {
    if (!shown) return;
    bench.refresh();
    const timer = setInterval(bench.update, pace);
    return () => clearInterval(timer);
  }, [bench, shown, era]);

  return (
    <section class="panel topics" aria-labelledby={heading}>
      <header class="topics-head flow">
        <h2 id={heading} class="visually-hidden">
          {t('Topics')}
        </h2>
        <Search bench={bench} />
        <Figures bench={bench} />
        <Button
          small
          title={t('Empties the tree, its histories and the chart; nothing at the broker')}
          disabled={none && bench.query.value === ''}
          onClick={bench.forgetAll}
        >
          {t('Forget all')}
        </Button>
      </header>
      <Split
        name="topics"
        label={t('Width of the details')}
        second={bench.selected.value && <Details bench={bench} birthBefore={session.birthBefore} />}
      >
        <Tree bench={bench} birthBefore={session.birthBefore} />
        {none && <Empty bench={bench} />}
      </Split>
      {bench.charted.value.length > 0 && (
        <section class="topics-chart" aria-label={t('Chart')}>
          <Chart bench={bench} />
        </section>
      )}
      <footer class="topics-foot fine">
        {t(
          "Keeps up to {count} levels or {size}, of all connections together; a topic's history begins when you look at it.",
          { count: formatCount(caps.nodes), size: formatBytes(caps.bytes) },
        )}
      </footer>
      <ClearDialog bench={bench} />
    </section>
  );
}
