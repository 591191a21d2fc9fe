/** The part above the list: search, conditions, export. */

import { useId } from 'preact/hooks';
import { formatCount } from '../../core/text';
import type { Feed } from '../../log/feed';
import { conditionsOf } from '../../log/filter';
import { Button } from '../../ui/button';
import { TextField } from '../../ui/fields';
import { useFold } from '../../ui/fold';
import { onDemand } from '../../ui/on-demand';
import type { FoldProps } from './filter-folds';
import './filters.css';
import { t } from '../../core/i18n/i18n';

function Toggle({ name, text, feed }: { name: 'expression' | 'matchCase'; text: string; feed: Feed }) {
  const label = t(name === 'expression' ? 'Regular expression' : 'Match case');
  const on = feed.filter.value[name];
  return (
    <Button
      small
      class="filter-toggle mono"
      aria-label={label}
      title={label}
      aria-pressed={on}
      onClick={() => feed.edit({ [name]: !on })}
    >
      {text}
    </Button>
  );
}

/** How many match the filter. Not live: the panel announces it when the search is done. */
function Found({ feed }: { feed: Feed }) {
  const { first, end, kept, looked } = feed.view.value;
  const filter = feed.filter.value;
  if (!filter.search && conditionsOf(filter) === 0) return null;
  // In a flood of messages, the search is always a little behind.
  const behind = looked < 0.95;
  const values = {
    found: formatCount(end - first),
    kept: formatCount(kept),
    percent: Math.floor(looked * 100),
  };
  return (
    <p class="filter-found muted">
      {t(behind ? '{found} of {kept}, {percent}% searched' : '{found} of {kept}', values)}
    </p>
  );
}

const Conditions = onDemand<FoldProps>(async () => (await import('./filter-folds')).Conditions);
const ExportBar = onDemand<FoldProps>(async () => (await import('./filter-folds')).ExportBar);

export function FilterBar({ feed }: { feed: Feed }) {
  const id = useId();
  const conditions = conditionsOf(feed.filter.value);
  const wrong = feed.filterErrors.value.topic !== undefined;
  const [open, toggle] = useFold<'conditions' | 'export'>(wrong ? 'conditions' : undefined);

  function opener(what: 'conditions' | 'export', text: string) {
    return (
      <Button
        small
        aria-expanded={open === what}
        aria-controls={`${id}-${what}`}
        onClick={() => toggle(what)}
      >
        {text}
      </Button>
    );
  }

  return (
    <search class="filter-bar stack" aria-label={t('Filter messages')}>
      <div class="filter-line flow from-top">
        <TextField
          label={t('Search messages')}
          class="filter-search stretch bare"
          placeholder={t('Search topics and payloads')}
          value={feed.filter.value.search}
          error={feed.filterErrors.value.search}
          onEdit={(search) => feed.edit({ search })}
        />
        <div class="filter-toggles line tight">
          <Toggle name="matchCase" text="Aa" feed={feed} />
          <Toggle name="expression" text=".*" feed={feed} />
        </div>
        <div class="line tight">
          <Found feed={feed} />
          {opener('conditions', conditions > 0 ? t('Filter ({count})', { count: conditions }) : t('Filter'))}
          {opener('export', t('Export'))}
        </div>
      </div>
      {open === 'conditions' && <Conditions feed={feed} id={`${id}-conditions`} />}
      {open === 'export' && <ExportBar feed={feed} id={`${id}-export`} />}
    </search>
  );
}
