import { useId } from 'preact/hooks';
import { formatCount, visible } from '../../core/text';
import type { Entry, Subscriptions } from '../../session/subscriptions';
import { Button, IconButton } from '../../ui/button';
import { qosOptions, Select, TextField, translated } from '../../ui/fields';
import { FilterMark } from '../feed/filter-mark';
import './subscribe.css';
import { plural, t } from '../../core/i18n/i18n';

function Row({ entry, subscriptions }: { entry: Entry; subscriptions: Subscriptions }) {
  const granted = entry.granted.value;
  const count = entry.count.value;
  const error = entry.error.value;
  return (
    <li class="subscription" data-active={granted !== undefined}>
      <bdi class="subscription-filter mono wrap">
        <FilterMark filter={entry.filter} /> {visible(entry.filter)}
      </bdi>
      <span class="subscription-facts line muted">
        {granted === undefined ? (
          <span class="tag">{t('inactive')}</span>
        ) : (
          <span class="tag" data-qos={granted} title={t('Asked for QoS {qos}', { qos: entry.wanted })}>
            QoS {granted}
          </span>
        )}
        <span>{plural(count, '{count} message', '{count} messages', formatCount(count))}</span>
      </span>
      <IconButton
        label={t('Unsubscribe from {filter}', { filter: visible(entry.filter) })}
        onClick={() => subscriptions.unsubscribe(entry)}
      />
      {error && (
        <p class="field-error wrap" role="alert">
          {error}
        </p>
      )}
    </li>
  );
}

export function SubscribePanel({ subscriptions }: { subscriptions: Subscriptions }) {
  const heading = useId();
  const draft = subscriptions.draft.value;
  const entries = subscriptions.entries.value;
  const problem = subscriptions.formError.value;
  return (
    <section id="subscribe">
      <form
        class="subscribe-form stack"
        aria-labelledby={heading}
        noValidate
        onSubmit={(event) => {
          event.preventDefault();
          void subscriptions.subscribe();
        }}
      >
        <h2 id={heading}>{t('Subscribe')}</h2>
        <TextField
          label={t('Topic filter')}
          placeholder={t('sensors/+/temperature or sensors/#')}
          value={draft.filter}
          error={subscriptions.fieldError.value}
          onEdit={(filter) => subscriptions.edit({ filter })}
        />
        <div class="subscribe-go flow">
          <Select
            label="QoS"
            class="inline"
            value={draft.qos}
            options={translated(qosOptions)}
            onEdit={(qos) => subscriptions.edit({ qos })}
          />
          <Button look="primary" type="submit" aria-disabled={subscriptions.busy.value}>
            {t('Subscribe')}
          </Button>
        </div>
        {problem && (
          <p class="field-error wrap" role="alert">
            {problem}
          </p>
        )}
      </form>
      <ul class="subscriptions" aria-label={t('Subscriptions')}>
        {entries.map((entry) => (
          <Row key={entry.filter} entry={entry} subscriptions={subscriptions} />
        ))}
      </ul>
      {entries.length === 0 && (
        <p class="empty-line">
          {t('No subscriptions, so nothing arrives. Subscribe to a topic filter above.')}
        </p>
      )}
    </section>
  );
}
