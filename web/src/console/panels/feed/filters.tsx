/** What stands above the list: search, conditions, export. */

import { useId } from 'preact/hooks';
import { messages } from '../../core/counts';
import { limits } from '../../core/limits';
import { brief, formatCount, visible } from '../../core/text';
import type { Feed } from '../../log/feed';
import { conditionsOf, noFilter } from '../../log/filter';
import { Button } from '../../ui/button';
import { qosOptions, Select, TextField, translated } from '../../ui/fields';
import { useFold } from '../../ui/fold';
import { Exports } from './exports';
import './filters.css';
import { mark, t } from '../../core/i18n/i18n';

const directions = [
  ['received', mark('Received')],
  ['sent', mark('Sent')],
  ['both', mark('Both')],
] as const;

const retained = [
  ['any', mark('Any')],
  ['yes', mark('Retained')],
  ['no', mark('Not retained')],
] as const;

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

/** How many the filter lets through. Not live: the panel says it when the search is done. */
function Found({ feed }: { feed: Feed }) {
  const { first, end, kept, looked } = feed.view.value;
  const filter = feed.filter.value;
  if (!filter.search && conditionsOf(filter) === 0) return null;
  // Where messages pour in, the search is always a little behind.
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

function Conditions({ feed, id }: { feed: Feed; id: string }) {
  const filter = feed.filter.value;
  const names = feed.names.value;
  return (
    <div class="filter-conditions" id={id}>
      <TextField
        label={t('Topics matching')}
        placeholder={t('plant/+/state or plant/#')}
        value={filter.topic}
        error={feed.filterErrors.value.topic}
        onEdit={(topic) => feed.edit({ topic })}
      />
      {names.length > 1 && (
        <Select
          label={t('Connection')}
          value={filter.connection}
          options={[
            ['', t('All')] as const,
            ...names.map((name) => [name, brief(name, limits.name)] as const),
          ]}
          hint={feed.moreNames.value && t('The first {count} names.', { count: formatCount(names.length) })}
          onEdit={(connection: string) => feed.edit({ connection })}
        />
      )}
      <Select
        label={t('Direction')}
        value={filter.direction}
        options={translated(directions)}
        onEdit={(direction) => feed.edit({ direction })}
      />
      <Select
        label="QoS"
        value={filter.qos}
        options={[['any', t('Any')], ...translated(qosOptions)] as const}
        onEdit={(qos) => feed.edit({ qos })}
      />
      <Select
        label={t('Retained')}
        value={filter.retain}
        options={translated(retained)}
        onEdit={(retain) => feed.edit({ retain })}
      />
      {filter.muted.map((muted) => (
        <Button
          small
          key={muted}
          class="clip"
          aria-label={t('Unmute {filter}', { filter: visible(muted) })}
          onClick={() => feed.edit({ muted: filter.muted.filter((other) => other !== muted) })}
        >
          <bdi class="clip">{brief(muted, limits.topic)}</bdi> ×
        </Button>
      ))}
      <Button
        disabled={conditionsOf(filter) === 0}
        onClick={() => {
          const { topic, muted, connection, direction, qos, retain } = noFilter;
          feed.edit({ topic, muted, connection, direction, qos, retain });
        }}
      >
        {t('Show all')}
      </Button>
    </div>
  );
}

function ExportBar({ feed, id }: { feed: Feed; id: string }) {
  const { first, end } = feed.view.value;
  return (
    <div class="filter-export flow muted" id={id}>
      <span>{t('{messages} as', { messages: messages(end - first) })}</span>
      <Exports
        log={feed}
        name="messages"
        formats={['JSON', 'NDJSON', 'CSV']}
        fileOf={async (...args) => (await import('../../log/export')).fileOf(...args)}
        words={(count) => t('Exported {messages}', { messages: messages(count) })}
      />
      <p class="field-hint wrap">
        {t(
          'Payloads that are not UTF-8 are written in base64. In CSV, an apostrophe goes before what a spreadsheet would take for a formula.',
        )}
      </p>
    </div>
  );
}

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
      <div class="filter-line">
        <TextField
          label={t('Search messages')}
          class="filter-search bare"
          placeholder={t('Search topics and payloads')}
          value={feed.filter.value.search}
          error={feed.filterErrors.value.search}
          onEdit={(search) => feed.edit({ search })}
        />
        <div class="filter-toggles">
          <Toggle name="matchCase" text="Aa" feed={feed} />
          <Toggle name="expression" text=".*" feed={feed} />
        </div>
        <div class="filter-openers">
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
