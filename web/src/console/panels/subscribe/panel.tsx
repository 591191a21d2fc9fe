import { useId, useRef } from 'preact/hooks';
import { messages } from '../../core/counts';
import { limits } from '../../core/limits';
import { brief, formatCount, splitTopic, visible } from '../../core/text';
import type { Entry, Subscriptions } from '../../session/subscriptions';
import { defaultRap } from '../../session/wanted';
import { tailOf } from '../../ui/brief';
import { Button, IconButton } from '../../ui/button';
import { FieldError, Select, submits, TextField } from '../../ui/fields';
import { useFold } from '../../ui/fold';
import { useKeptFocus } from '../../ui/kept-focus';
import { onDemand } from '../../ui/on-demand';
import { FilterMark } from '../feed/filter-mark';
import './subscribe.css';
import { t } from '../../core/i18n/i18n';

const SubscribeOptions = onDemand(async () => (await import('./options')).SubscribeOptions);

const qosOptions = ([0, 1, 2] as const).map((qos) => [qos, `QoS ${qos}`] as const);

function Name({ entry, onLoad }: { entry: Entry; onLoad(): void }) {
  const { name } = entry.wanted.value;
  const filter = visible(entry.filter);
  const [head, tail] = name ? [visible(name), ''] : splitTopic(filter);
  return (
    <button
      type="button"
      class="subscription-name topic-text grow mono"
      style={tailOf(tail)}
      title={filter}
      aria-label={t('Change {filter}', { filter: name ? `${head} (${filter})` : filter })}
      onClick={onLoad}
    >
      {head && <bdi>{brief(head, limits.topic)}</bdi>}
      {tail && (
        <span class="subscription-level">
          <bdi dir="ltr">{brief(tail, limits.topic)}</bdi>
        </span>
      )}
    </button>
  );
}

function Granted({ entry, connecting }: { entry: Entry; connecting: boolean }) {
  const granted = entry.granted.value;
  const { qos } = entry.wanted.value;
  if (granted === undefined) return <span class="tag">{t(connecting ? 'pending' : 'inactive')}</span>;
  const plain = granted === 0 && qos === 0;
  return (
    <span
      class={plain ? 'visually-hidden' : 'tag'}
      data-qos={granted}
      title={t('Requested QoS {qos}', { qos })}
    >
      QoS {granted}
    </span>
  );
}

function Row({ entry, subscriptions }: { entry: Entry; subscriptions: Subscriptions }) {
  const count = entry.count.value;
  const error = entry.error.value;
  const paused = entry.paused.value;
  const filter = visible(entry.filter);
  const what = paused ? t('Resume {filter}', { filter }) : t('Pause {filter}', { filter });
  return (
    <li
      class="subscription flow"
      data-filter={entry.filter}
      data-active={entry.granted.value !== undefined && !paused}
    >
      <FilterMark degrees={entry.hue.value} />
      <Name entry={entry} onLoad={() => subscriptions.load(entry)} />
      {paused ? (
        <span class="tag" title={t('Not kept: they came while it was paused')}>
          {t('{count} left out', { count: formatCount(entry.hidden.value) })}
        </span>
      ) : (
        <span class="numbers fine" title={messages(count)}>
          <span aria-hidden="true">{formatCount(count)}</span>
          <span class="visually-hidden">{messages(count)}</span>
        </span>
      )}
      <Granted entry={entry} connecting={subscriptions.connecting()} />
      <span class="subscription-tools rigid">
        <IconButton label={what} title={what} onClick={() => subscriptions.pause(entry, !paused)}>
          <svg class="subscription-glyph" viewBox="0 0 16 16" aria-hidden="true">
            <path d={paused ? 'M5 3l8 5-8 5z' : 'M4 3h3v10H4zM9 3h3v10H9z'} />
          </svg>
        </IconButton>
        <IconButton
          label={t('Unsubscribe from {filter}', { filter })}
          onClick={() => subscriptions.unsubscribe(entry)}
        />
      </span>
      <FieldError>{error}</FieldError>
    </li>
  );
}

export function SubscribePanel({ subscriptions }: { subscriptions: Subscriptions }) {
  const heading = useId();
  const options = useId();
  const { filter, qos, rap = defaultRap, ...others } = subscriptions.draft.value;
  const [open, toggle] = useFold(subscriptions.identifierError.value ? 'options' : undefined);
  const entries = subscriptions.entries.value;
  const panel = useRef<HTMLElement>(null);
  useKeptFocus(panel, 'input');
  const problem = subscriptions.formError.value;
  const set = Object.values({ ...others, rap: rap !== defaultRap }).filter(Boolean).length;
  return (
    <section ref={panel} id="subscribe">
      <form
        class="stack"
        aria-labelledby={heading}
        noValidate
        onSubmit={submits(() => void subscriptions.subscribe())}
      >
        <h2 id={heading} class="visually-hidden">
          {t('Subscribe')}
        </h2>
        <TextField
          label={t('Topic filter')}
          class="bare"
          placeholder={t('sensors/+/temperature or sensors/#')}
          value={filter}
          error={subscriptions.fieldError.value}
          onEdit={(typed) => subscriptions.edit({ filter: typed })}
        />
        <div class="subscribe-go line tight">
          <Select
            label="QoS"
            class="bare"
            value={qos}
            options={qosOptions}
            onEdit={(chosen) => subscriptions.edit({ qos: chosen })}
          />
          <Button
            look="quiet"
            aria-expanded={open !== undefined}
            aria-controls={options}
            onClick={() => toggle('options')}
          >
            {t('More')}
            {set > 0 && <span class="chip">{set}</span>}
          </Button>
          <Button look="primary" type="submit" aria-disabled={subscriptions.busy.value}>
            {t('Subscribe')}
          </Button>
        </div>
        <div id={options} hidden={!open}>
          {open && <SubscribeOptions subscriptions={subscriptions} />}
        </div>
        <FieldError>{problem}</FieldError>
      </form>
      <ul class="subscriptions unless-empty" aria-label={t('Subscriptions')}>
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
