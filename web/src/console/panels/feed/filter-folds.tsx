/** What unfolds below the search: conditions, and the export of what is listed. */

import { messages } from '../../core/counts';
import { mark, t } from '../../core/i18n/i18n';
import { limits } from '../../core/limits';
import { brief, formatCount, visible } from '../../core/text';
import type { Feed } from '../../log/feed';
import { conditionsOf, type Filter, noFilter } from '../../log/filter';
import { Button } from '../../ui/button';
import { fieldsOf, qosOptions, Select } from '../../ui/fields';
import { Exports } from './exports';

export interface FoldProps {
  feed: Feed;
  id: string;
}

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

export function Conditions({ feed, id }: FoldProps) {
  const filter = feed.filter.value;
  const names = feed.names.value;
  const { text, choice } = fieldsOf<Filter>(filter, feed.filterErrors.value, feed.edit);
  return (
    <div class="filter-conditions level" id={id}>
      {text(t('Topics matching'), 'topic', { placeholder: t('plant/+/state or plant/#') })}
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
      {choice(t('Direction'), 'direction', directions)}
      {choice('QoS', 'qos', [['any', mark('Any')], ...qosOptions])}
      {choice(t('Retained'), 'retain', retained)}
      {filter.muted.map((muted) => (
        <Button
          small
          key={muted}
          class="clip"
          aria-label={t('Unmute {filter}', { filter: visible(muted) })}
          onClick={() => feed.edit({ muted: filter.muted.filter((other) => other !== muted) })}
        >
          {t('Muted:')} <bdi class="clip">{brief(muted, limits.topic)}</bdi> ×
        </Button>
      ))}
      <Button
        disabled={conditionsOf(filter) === 0}
        onClick={() => {
          const { topic, muted, connection, direction, qos, retain } = noFilter;
          feed.edit({ topic, muted, connection, direction, qos, retain });
        }}
      >
        {t('Reset')}
      </Button>
    </div>
  );
}

export function ExportBar({ feed, id }: FoldProps) {
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
      <p class="field-hint wrap small-text">
        {t(
          'Payloads that are not UTF-8 are written in base64. In CSV, an apostrophe goes before what a spreadsheet would take for a formula.',
        )}
      </p>
    </div>
  );
}
